"""Training by backpropagation through time with a surrogate gradient, on the fixed sparse graph."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
import torch
from torch import Tensor

from triodia_hw.errors import TriodiaError

from ..network.head import Head
from ..network.network import Network
from ..network.random import random_mask
from ..prune.hardware import even_places
from ..ranges import check_finite
from ..tasks.catalog import Task, TaskData
from .augment import augment
from .device import find_device
from .model import SpikingModel

__all__ = ["Settings", "TrainReport", "attach", "evaluate", "train"]

_BATCH = 2000  # samples evaluated at once: a trace of all of a large task would fill the memory

_FASTEST = 1e6  # learning rate; Adam's steps would leave float32


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
        check_finite(vars(self))
        if self.epochs < 1 or self.batch < 1:
            raise TriodiaError("epochs and batch must be 1 or more")
        for name, most in (("lr", _FASTEST), ("target_rate", 1)):
            if not 0 < getattr(self, name) <= most:
                raise TriodiaError(
                    f"{name} must be above 0 and at most {most:g}, got {getattr(self, name):g}."
                )
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
    if net.lane is not None:
        mask_in = _even(mask_in, net.lane, rng)
    w_in = rng.standard_normal(mask_in.shape) * mask_in
    w_in *= s.input_gain / math.sqrt(s.input_density * task.inputs)
    w_out = rng.standard_normal((task.classes, net.neurons)) / math.sqrt(net.neurons)
    head = Head(
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
    return replace(net, head=head)


def _even(mask: np.ndarray, lane: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many places in every column, even over the PEs that the neurons are meant for."""
    load, anywhere = np.zeros(int(lane.max()) + 1), np.ones(len(mask), bool)
    columns = [
        even_places(anywhere, rng.random(len(mask)), int(n), lane, load) for n in mask.sum(0)
    ]
    return np.stack(columns, axis=1)


def train(
    net: Network,
    task: Task,
    *,
    seed: int = 0,
    data: TaskData | None = None,
    progress: Callable[[dict], None] | None = None,
    device: str = "cpu",
    keep: bool = False,
    **options: object,
) -> tuple[Network, TrainReport]:
    """Train ``net`` for ``task`` from random input and readout weights; its graph stays.

    With ``keep`` from those it has, which must be of ``task``: a network that was trained, then
    pruned, goes on.

    Adam on the cross entropy of the readouts' mean over valid steps, plus
    ``rate_cost * max(0, rate / target_rate - 1)^2`` and the neurons' mean of
    ``silent_cost * max(0, 1 - rate_i / (0.2 target_rate))^2``, one-cycle learning rate; the result
    is the running mean of the weights at the end, no epoch is selected. ``options`` are the fields
    of ``Settings``; those not given are the task's recipe's, then the defaults. ``data`` replaces
    the task's own, to tune on folds. ``progress`` gets
    ``{"epoch", "epochs", "loss", "accuracy", "rate"}`` after each epoch. ``device`` is a name of
    ``accelerator.find_device``. The same seed gives the same network on the same machine and
    device; the caller's torch random state is left as it was.
    """
    unknown = set(options) - {f.name for f in fields(Settings)}
    if unknown:
        known = ", ".join(f.name for f in fields(Settings))
        raise TriodiaError(f"training options must be among {known}, not {min(unknown)!r}")
    s, place = Settings(**{**task.recipe, **options}), find_device(device)
    data = task.load() if data is None else data
    net = _trained_before(net, task) if keep else attach(net, task, data, seed, s)
    model = SpikingModel(net, slope=s.slope).to(place)
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        history = _fit(model, data, s, progress)
    trained = model.network()
    measured = evaluate(trained, data, split="train", device=device)
    report = TrainReport(history[-1]["loss"], measured, asdict(s), history)
    step = {"command": "train", "task": task.name, "seed": seed, "keep": keep, **asdict(s)}
    step["measured"] = measured
    return trained.with_provenance(**step), report


def _trained_before(net: Network, task: Task) -> Network:
    if net.task != task.name:
        known = f"of {net.task}" if net.task else "of no task"
        raise TriodiaError(
            f"to go on, the network's inputs and readouts must be of {task.name}, they are {known};"
            " train it without keeping them"
        )
    return net


def _fit(model: SpikingModel, data: TaskData, s: Settings, progress: Callable | None) -> list[dict]:
    x, lengths, y = _tensors(model.net, data, "train", model.bias.device)
    optimiser = torch.optim.AdamW(_groups(model, s), lr=s.lr)
    size = min(s.batch, len(y))
    updates = s.epochs * math.ceil(len(y) / size)
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
        for index in torch.randperm(len(y)).split(size):
            batch = (*augment(x[index], lengths[index], s.noise, s.warp, s.shift), y[index])
            sums += _update(model, optimiser, batch, s)
            schedule.step()
            mean.update_parameters(model)
        loss, accuracy, rate = (sums / len(y)).tolist()
        _check_sound(model, loss, s)
        done = {"epoch": epoch + 1, "epochs": s.epochs}
        history.append({**done, "loss": loss, "accuracy": accuracy, "rate": rate})
        if progress is not None:
            progress(history[-1])
    model.load_state_dict(mean.module.state_dict())
    return history


def _check_sound(model: SpikingModel, loss: float, s: Settings) -> None:
    if not (math.isfinite(loss) and all(p.isfinite().all() for p in model.parameters())):
        raise TriodiaError(
            f"training diverged: its loss or weights are no longer finite; an lr below {s.lr:g} or"
            f" a target_rate above {s.target_rate:g} would help"
        )


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


def _tensors(
    net: Network, data: TaskData, split: str, place: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    x, lengths, y = (getattr(data, f"{part}_{split}") for part in ("x", "len", "y"))
    return tuple(torch.tensor(a).to(place) for a in (net.scale_input(x), lengths, y))


def evaluate(
    net: Network, data: TaskData, *, split: str = "test", device: str = "cpu"
) -> dict[str, float]:
    """Accuracy, rate and synaptic operations of a trained network on a split.

    ``rate`` is spikes per recurrent neuron and valid step. ``sops_*`` are synaptic operations per
    sample: stored synapses reached by the events (nonzero inputs, spikes of all steps but the
    last) of a sample.
    """
    place = find_device(device)
    x, lengths, y = _tensors(net, data, split, place)
    model, batches = SpikingModel(net).to(place), torch.arange(len(y)).split(_BATCH)
    with torch.no_grad():
        found = [_counted(model, x[k], lengths[k], y[k]) for k in batches]
    correct, fired, sent, events = (np.sum(part, axis=0) for part in zip(*found, strict=True))
    sops = {
        "sops_in": float(events / len(y) @ net.trained().mask_in.sum(0)),
        "sops_rec": float(sent / len(y) @ net.mask_rec.sum(0)),
        "sops_out": float(sent / len(y) @ net.trained().mask_out.sum(0)),
    }
    rate = float(fired) / (lengths.sum().item() * net.neurons)
    samples = {"samples": len(y), "steps": lengths.double().mean().item()}
    scores = {"accuracy": float(correct) / len(y), "rate": rate}
    return scores | sops | {"sops": sum(sops.values())} | samples


def _counted(model: SpikingModel, x: Tensor, lengths: Tensor, y: Tensor) -> tuple:
    """Sums over a batch: right answers, spikes, spikes that arrive by neuron, events by input."""
    trace = model(x, lengths)
    correct = (trace.v_out.sum(1).argmax(1) == y).sum()
    step = torch.arange(x.shape[1], device=x.device)
    arriving = (step < lengths[:, None] - 1)[..., None]
    valid = (step < lengths[:, None])[..., None]
    sums = (
        correct,
        trace.spikes.double().sum(),
        (trace.spikes * arriving).sum((0, 1)),
        ((x != 0) & valid).sum((0, 1)),
    )
    return tuple(part.double().cpu().numpy() for part in sums)
