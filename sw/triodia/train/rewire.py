"""Sparse training: synapses come and go while weights are learned; their number stays."""

import math

import torch
from torch import Tensor

from .model import SpikingModel

__all__ = ["Rewiring"]

_DROP = 0.3  # RigL: part of the synapses replaced at first; a cosine takes it to 0
_ROUNDS = 60  # RigL: replacements in a training
_UNTIL = 0.75  # RigL: part of the training after which the graph stays
_SHRINK, _HEAT = 1e-5, 1e-3  # DEEP R: L1 term, and noise, per update at learning rate 1


class Rewiring:
    """Rewires the recurrent graph of ``model`` after each of ``updates``; call :meth:`after`.

    "rigl" (Evci et al. 2020, arXiv 1911.11134): now and then the smallest ``|w|`` give way to the
    places of largest gradient. "deep-r" (Bellec et al. 2018, arXiv 1711.05136): every synapse has
    a sign; one that would change it goes, and another, drawn at random, comes. New synapses start
    at 0; any two neurons may be joined, of layers that are, none to itself.
    """

    def __init__(self, model: SpikingModel, rule: str, updates: int) -> None:
        self.model, self.rule, self.updates, self.count = model, rule, updates, 0
        self.every = max(1, round(_UNTIL * updates / _ROUNDS))
        self.sign = torch.sign(model.w_rec.detach())
        places = torch.tensor(model.net.places(), dtype=self.sign.dtype)
        self.places = places.to(self.sign.device)
        model.watch = rule == "rigl"

    def state(self) -> dict:
        """What :meth:`restore` needs beside the model's."""
        return {"count": self.count, "sign": self.sign}

    def restore(self, state: dict) -> None:
        """Go back to what ``state`` returned."""
        self.count, self.sign = state["count"], state["sign"]

    def after(self, optimiser: torch.optim.Optimizer, rate: float) -> None:
        """Rewire after an update with learning ``rate``."""
        self.count += 1
        with torch.no_grad():
            if self.rule == "deep-r":
                self._deep_r(optimiser, rate)
            elif self.count % self.every == 0 and self.count < _UNTIL * self.updates:
                self._rigl(optimiser)

    def _rigl(self, optimiser: torch.optim.Optimizer) -> None:
        w, mask = self.model.w_rec, self.model.mask_rec
        part = _DROP / 2 * (1 + math.cos(math.pi * self.count / (_UNTIL * self.updates)))
        free = self.places * (1 - mask)
        count = min(int(part * mask.sum().item()), int(free.sum().item()))
        small = torch.where(mask > 0, -w.abs(), -torch.inf).flatten().topk(count).indices
        steep = self.model.seen.grad.abs()
        large = torch.where(free > 0, steep, -torch.inf).flatten().topk(count).indices
        self._replace(optimiser, small, large)

    def _deep_r(self, optimiser: torch.optim.Optimizer, rate: float) -> None:
        w, mask = self.model.w_rec, self.model.mask_rec
        noise = _HEAT * math.sqrt(rate) * torch.randn_like(w)
        w.add_(mask * (noise - _SHRINK * self.sign))
        gone = ((w * self.sign < 0) & (mask > 0)).flatten().nonzero()[:, 0]
        free = (self.places * (1 - mask)).flatten().nonzero()[:, 0]
        new = free[torch.randperm(len(free), device=free.device)[: len(gone)]]
        self._replace(optimiser, gone[: len(new)], new)
        signs = (2 * torch.randint(0, 2, (len(new),), device=w.device) - 1).to(w.dtype)
        self.sign.view(-1)[new] = signs

    def _replace(self, optimiser: torch.optim.Optimizer, old: Tensor, new: Tensor) -> None:
        """Cut the synapses ``old`` and make ``new`` of weight 0, indices into the flat matrix."""
        moments = optimiser.state.get(self.model.w_rec, {})
        for tensor in (self.model.w_rec, moments.get("exp_avg"), moments.get("exp_avg_sq")):
            if tensor is not None:
                tensor.view(-1)[old] = 0
                tensor.view(-1)[new] = 0
        self.model.mask_rec.view(-1)[old] = 0
        self.model.mask_rec.view(-1)[new] = 1
