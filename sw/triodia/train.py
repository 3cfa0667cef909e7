"""Training by backpropagation through time with a surrogate gradient, on the fixed sparse graph."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
import torch
from torch import Tensor

from .augment import augment
from .errors import TriodiaError
from .model import SpikingModel
from .network import Network, random_mask
from .tasks import Task, TaskData

__all__ = ["Settings", "TrainReport", "attach", "evaluate", "train"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of ``train``; the defaults were tuned on folds of JapaneseVowels' training set."""

    epochs: int = 100
    batch: int = 27
    lr: float = 0.02
    recurrent_lr: float = 1.0  # of the recurrent weights, as a part of lr
    target_rate: float = 0.05  # mean spikes a neuron and step the activity term allows
    rate_cost: float = 1.0
    silent_cost: float = 1.0  # pulls neurons up that spike at less than a fifth of the target
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    dropout: float = 0.1  # part of the neurons that is silenced in a sample
    noise: float = 0.5  # std of what is added to standardised inputs, anew each step
    shift: float = 0.3  # the same, constant over the steps of a sample
    warp: float = 0.1  # largest relative change of speed
    average: float = 0.98  # decay of the running mean of the weights, per update
    slope: float = 4.0  # of the surrogate gradient
    input_density: float = 0.25  # part of the neurons that each input reaches
    input_gain: float = 0.5
    input_clip: float = 4.0
    tau_out: float = 8.0
    learn_tau: bool = True

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1:
            raise TriodiaError("epochs and batch must be 1 or more")
        if self.lr <= 0 or not 0 < self.target_rate <= 1:
            raise TriodiaError("lr must be above 0 and target_rate above 0 and at most 1")
        if min(self.noise, self.shift, self.rate_cost, self.silent_cost) < 0:
            raise TriodiaError("noise, shift, rate_cost and silent_cost must be 0 or more")
        if not all(0 <= part < 1 for part in (self.dropout, self.warp, self.average)):
            raise TriodiaError("dropout, warp and average must be at least 0 and below 1")


@dataclass(frozen=True)
class TrainReport:
    """What training did: final loss, and accuracy and rate on the training samples."""

    loss: float
    train: dict
    settings: dict
    history: list[dict] = field(default_factory=list)


def attach(net: Network, task: Task, data: TaskData, seed: int, s: Settings) -> Network:
    """Give ``net`` random input and readout weights and the input scaling for ``task``."""
    rng = np.random.default_rng([seed, 1])
    valid = np.arange(data.x_train.shape[1]) < data.len_train[:, None]
    seen = data.x_train[valid]  # (all valid steps, inputs)
    std = seen.std(axis=0)
    mask_in = random_mask((net.neurons, task.inputs), s.input_density, rng)
    w_in = rng.standard_normal(mask_in.shape) * mask_in
    w_in *= s.input_gain / math.sqrt(s.input_density * task.inputs)
    w_out = rng.standard_normal((task.classes, net.neurons)) / math.sqrt(net.neurons)
    return replace(
        net,
        task=task.name,
        w_in=w_in,
        mask_in=mask_in,
        w_out=w_out,
        mask_out=np.ones(w_out.shape, bool),
        tau_out=np.full(task.classes, s.tau_out),
        bias_out=np.zeros(task.classes),
        input_mean=seen.mean(axis=0),
        input_std=np.where(std > 1e-6, std, 1.0),  # a constant channel, a dark pixel, stays 0
        input_clip=s.input_clip,
    )


def train(
    net: Network,
    task: Task,
    *,
    seed: int = 0,
    data: TaskData | None = None,
    progress: Callable[[dict], None] | None = None,
    **options: object,
) -> tuple[Network, TrainReport]:
    """Train ``net`` for ``task`` from random input and readout weights; its graph stays.

    Adam on the cross entropy of the readouts' mean over valid steps, plus
    ``rate_cost * max(0, rate / target_rate - 1)^2`` and the neurons' mean of
    ``silent_cost * max(0, 1 - rate_i / (0.2 target_rate))^2``, one-cycle learning rate; the result
    is the running mean of the weights at the end, no epoch is selected. ``options`` are the fields
    of ``Settings``. ``data`` replaces the task's own, to tune on folds. ``progress`` gets
    ``{"epoch", "epochs", "loss", "accuracy", "rate"}`` after each epoch. The same seed gives the
    same network on the same machine; the caller's torch random state is left as it was.
    """
    unknown = set(options) - {f.name for f in fields(Settings)}
    if unknown:
        known = ", ".join(f.name for f in fields(Settings))
        raise TriodiaError(f"training options must be among {known}, not {min(unknown)!r}")
    s = Settings(**options)
    data = task.load() if data is None else data
    net = attach(net, task, data, seed, s)
    model = SpikingModel(net, slope=s.slope)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        history = _fit(model, data, s, progress)
    trained = model.network()
    measured = evaluate(trained, data, split="train")
    report = TrainReport(history[-1]["loss"], measured, asdict(s), history)
    step = {"command": "train", "task": task.name, "seed": seed, **asdict(s), "measured": measured}
    return trained.with_provenance(**step), report


def _fit(model: SpikingModel, data: TaskData, s: Settings, progress: Callable | None) -> list[dict]:
    x, lengths, y = _tensors(model.net, data, "train")
    optimiser = torch.optim.AdamW(_groups(model, s), lr=s.lr)
    updates = s.epochs * math.ceil(len(y) / s.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        [g["lr"] for g in optimiser.param_groups],
        total_steps=updates,
        pct_start=0.101,  # torch divides by pct_start * updates - 1; 0.1 of 10 leaves 0
    )
    mean = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.average)
    )
    history = []
    for epoch in range(s.epochs):
        sums = np.zeros(3)
        for index in torch.randperm(len(y)).split(s.batch):
            batch = (*augment(x[index], lengths[index], s.noise, s.warp, s.shift), y[index])
            sums += _update(model, optimiser, batch, s)
            schedule.step()
            mean.update_parameters(model)
        loss, accuracy, rate = (sums / len(y)).tolist()
        done = {"epoch": epoch + 1, "epochs": s.epochs}
        history.append({**done, "loss": loss, "accuracy": accuracy, "rate": rate})
        if progress is not None:
            progress(history[-1])
    model.load_state_dict(mean.module.state_dict())
    return history


def _update(
    model: SpikingModel, optimiser: torch.optim.Optimizer, batch: tuple, s: Settings
) -> np.ndarray:
    """One Adam step; loss, accuracy and rate, each times the samples of the batch."""
    x, lengths, y = batch
    trace = model(x[:, : lengths.max()], lengths, s.dropout)
    logits = trace.v_out.sum(1) / lengths[:, None]
    rates = trace.spikes.sum((0, 1)) / lengths.sum()
    rate = rates.mean()
    loss = torch.nn.functional.cross_entropy(logits, y, label_smoothing=s.label_smoothing)
    excess = torch.relu(rate / s.target_rate - 1) ** 2
    silence = (torch.relu(1 - rates / (0.2 * s.target_rate)) ** 2).mean()
    optimiser.zero_grad()
    (loss + s.rate_cost * excess + s.silent_cost * silence).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    accuracy = (logits.argmax(1) == y).double().mean()
    return len(y) * np.array([loss.item(), accuracy.item(), rate.item()])


def _groups(model: SpikingModel, s: Settings) -> list[dict]:
    """Weights decay; biases and time constants do not."""
    weights = [model.w_in, model.w_out]
    taus = [p for p in (model.log_tau_mem, model.log_tau_out, model.log_tau_syn) if p is not None]
    for p in taus:
        p.requires_grad_(s.learn_tau)
    biases = [model.bias, model.bias_out]
    decay = {"weight_decay": s.weight_decay}
    return [
        {"params": weights, "lr": s.lr, **decay},
        {"params": [model.w_rec], "lr": s.recurrent_lr * s.lr, **decay},
        {"params": biases + taus, "lr": s.lr, "weight_decay": 0.0},
    ]


def _tensors(net: Network, data: TaskData, split: str) -> tuple[Tensor, Tensor, Tensor]:
    x, lengths, y = (getattr(data, f"{part}_{split}") for part in ("x", "len", "y"))
    return torch.tensor(net.scale_input(x)), torch.tensor(lengths), torch.tensor(y)


def evaluate(net: Network, data: TaskData, *, split: str = "test") -> dict[str, float]:
    """Accuracy, rate and synaptic operations of a trained network on a split.

    ``rate`` is spikes per recurrent neuron and valid step. ``sops_*`` are synaptic operations per
    sample: stored synapses reached by the events (nonzero inputs, spikes of all steps but the
    last) of a sample.
    """
    x, lengths, y = _tensors(net, data, split)
    with torch.no_grad():
        trace = SpikingModel(net)(x, lengths)
    correct = (trace.v_out.sum(1).argmax(1) == y).double().mean().item()
    valid = torch.arange(x.shape[1]) < lengths[:, None]
    arriving = torch.arange(x.shape[1]) < lengths[:, None] - 1
    sent = (trace.spikes * arriving[..., None]).sum((0, 1)).double().numpy() / len(y)
    events = ((x != 0) & valid[..., None]).sum((0, 1)).double().numpy() / len(y)
    sops = {
        "sops_in": float(events @ net.mask_in.sum(0)),
        "sops_rec": float(sent @ net.mask_rec.sum(0)),
        "sops_out": float(sent @ net.mask_out.sum(0)),
    }
    rate = trace.spikes.double().sum().item() / (lengths.sum().item() * net.neurons)
    samples = {"samples": len(y), "steps": lengths.double().mean().item()}
    return {"accuracy": correct, "rate": rate, **sops, "sops": sum(sops.values()), **samples}
