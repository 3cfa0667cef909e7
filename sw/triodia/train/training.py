"""A training in progress: model, optimiser, schedule and running mean of the weights."""

import math

import numpy as np
import torch
from torch import Tensor

from triodia_hw.errors import TriodiaError

from ..tasks.samples import TaskData
from .augment import augment
from .measure import batches, tensors
from .model import SpikingModel
from .rewire import Rewiring
from .settings import Settings

__all__ = ["Training"]


class Training:
    """One cycle of learning rates over ``epochs``; ``epoch()`` advances it.

    ``held`` are samples that choose the epoch (None: the last one counts). ``rate`` scales all
    learning rates. ``state()`` and ``restore()`` let an interrupted training go on with the same
    result.
    """

    def __init__(
        self,
        model: SpikingModel,
        data: TaskData,
        s: Settings,
        *,
        epochs: int,
        held: TaskData | None = None,
        rate: float = 1.0,
    ) -> None:
        if s.sparse:  # the graph is to move
            model.make_dense()
        self.model, self.s, self.epochs, self.done = model, s, epochs, 0
        model.watch, model.seen = False, None
        self.samples = tensors(model.net, data, "train", model.bias.device)
        self.held = held and tensors(model.net, held, "test", model.bias.device)
        self.size = min(s.batch, len(self.samples[2]))
        self.optimiser = torch.optim.AdamW(_groups(model, s, rate), lr=s.lr)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            [g["lr"] for g in self.optimiser.param_groups],
            total_steps=epochs * math.ceil(len(self.samples[2]) / self.size),
            pct_start=0.101,  # torch divides by pct_start * updates - 1; 0.1 of 10 leaves 0
        )
        self.mean = torch.optim.swa_utils.AveragedModel(
            model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.average)
        )
        updates = epochs * math.ceil(len(self.samples[2]) / self.size)
        self.rewiring = Rewiring(model, s.sparse, updates) if s.sparse else None
        self.best: tuple[float, dict] | None = None  # score on ``held``, weights

    def epoch(self) -> dict:
        """Train on every sample once; return loss, accuracy and rate, and those on ``held``."""
        y, sums = self.samples[2], np.zeros(3)
        if self.model.learned:
            self.model.learned.narrow(self.done / self.epochs)
        for index in torch.randperm(len(y)).split(self.size):
            sums += self.update(index)
        self.done += 1
        loss, accuracy, rate = (sums / len(y)).tolist()
        self._check_sound(loss)
        found = {"loss": loss, "accuracy": accuracy, "rate": rate}
        return found | (self._validated() if self.held else {})

    def update(self, index: Tensor) -> np.ndarray:
        """One update on the samples ``index``: loss, accuracy and rate, each times their number."""
        (x, lengths, y), s = self.samples, self.s
        batch = (*augment(x[index], lengths[index], s.noise, s.warp, s.shift), y[index])
        sums = _update(self.model, self.optimiser, batch, s)
        if self.rewiring:
            self.rewiring.after(self.optimiser, self.optimiser.param_groups[1]["lr"])
        self.schedule.step()
        self.mean.update_parameters(self.model)
        if self.model.learned:  # weights belong to the delays of now, not to their mean
            self.mean.module.learned.load_state_dict(self.model.learned.state_dict())
        return sums

    def finish(self) -> None:
        """Give the model its running mean of weights, or that of the best epoch."""
        self.model.load_state_dict(self.best[1] if self.best else self.mean.module.state_dict())

    def state(self) -> dict:
        """All that ``restore`` needs, torch's random state too."""
        parts = {name: getattr(self, name).state_dict() for name in _STATEFUL}
        parts["rewiring"] = self.rewiring and self.rewiring.state()
        return parts | {"done": self.done, "best": self.best, "random": torch.get_rng_state()}

    def restore(self, state: dict) -> None:
        """Go back to what ``state`` returned."""
        for name in _STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        self.done, self.best = state["done"], state["best"]
        if self.rewiring:
            self.rewiring.restore(state["rewiring"])
        torch.set_rng_state(state["random"])

    def _validated(self) -> dict:
        """Score of the running mean on the held-out samples; keep the best weights."""
        (x, lengths, y), net = self.held, self.model.net
        with torch.no_grad():
            parts = [self.mean.module(x[k], lengths[k]).v_out.sum(1) for k in batches(net, x)]
            logits = torch.cat(parts) / lengths[:, None]
        loss = torch.nn.functional.cross_entropy(logits, y).item()
        accuracy = (logits.argmax(1) == y).double().mean().item()
        score = accuracy - min(loss, 1e3) / 1e4  # the loss decides among equal accuracies
        if self.best is None or score > self.best[0]:
            weights = self.mean.module.state_dict()
            self.best = (score, {name: value.clone() for name, value in weights.items()})
        return {"validation": accuracy}

    def _check_sound(self, loss: float) -> None:
        finite = all(p.isfinite().all() for p in self.model.parameters())
        if not (math.isfinite(loss) and finite):
            raise TriodiaError(
                f"training diverged: its loss or weights are no longer finite; an lr below"
                f" {self.s.lr:g} or a target_rate above {self.s.target_rate:g} would help"
            )


_STATEFUL = ("model", "optimiser", "schedule", "mean")


def _update(
    model: SpikingModel, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, ...], s: Settings
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


def _groups(model: SpikingModel, s: Settings, rate: float) -> list[dict]:
    """Weights decay; biases, time constants and steps of the grid do not."""
    weights = [model.w_in, model.w_out]
    taus = [p for p in (model.log_tau_mem, model.log_tau_out, model.log_tau_syn) if p is not None]
    for p in taus:
        p.requires_grad_(s.learn_tau)
    lr, decay = rate * s.lr, {"weight_decay": s.weight_decay}
    learned = [] if model.learned is None else [model.learned.place]
    waits = {"params": learned, "lr": s.delay_rate * lr, "weight_decay": 0.0}
    others = [model.bias, model.bias_out, *taus, *model.grid_steps()]
    return [
        {"params": weights, "lr": lr, **decay},
        {"params": [model.w_rec], "lr": s.recurrent_lr * lr, **decay},
        {"params": others, "lr": lr, "weight_decay": 0.0},
        *([waits] if learned else []),
    ]
