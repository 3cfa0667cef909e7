"""Synapses that wait, in the float model: weights by delay, what arrives late, learned delays."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["LearnedDelays", "arriving_late", "by_delay", "delayed_sum"]

_NARROWED = 0.8  # part of the training after which delays are whole and stay
_LEAST = 0.5  # width by then, in steps


class LearnedDelays(nn.Module):
    """Delays of a matrix of synapses as real numbers, in ``0 .. longest`` steps.

    A synapse is spread over all whole delays by a Gaussian around its own, whose sum is 1. Its
    width falls from half of ``longest`` to half a step; for the last fifth of a training delays are
    whole and only weights learn (as DCLS: Hammouamri et al. 2023, arXiv 2306.17670).
    """

    def __init__(self, first: Tensor, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.place = nn.Parameter(first)
        self.register_buffer("width", torch.tensor(longest / 2))

    def narrow(self, part: float) -> None:
        """Set the width for a ``part`` of the training that is over; 0: whole delays."""
        gone = part / _NARROWED
        width = 0.0 if gone >= 1 else (self.longest / 2) * (2 * _LEAST / self.longest) ** gone
        self.width.fill_(width)

    def parts(self, w: Tensor) -> dict[int, Tensor]:
        """What of ``w`` waits each number of steps."""
        steps = torch.arange(self.longest + 1, device=w.device, dtype=w.dtype)
        place = self.place.clamp(0, self.longest)
        if self.width == 0:
            shares = (place.round()[None] == steps[:, None, None]).to(w.dtype)
        else:
            distance = (steps[:, None, None] - place) / self.width
            shares = torch.softmax(-(distance**2) / 2, 0)
        return dict(enumerate(w * shares))

    def whole(self) -> np.ndarray:
        """The delays as they are in the machine."""
        return self.place.detach().clamp(0, self.longest).round().cpu().numpy().astype(np.int32)


def by_delay(w: Tensor, delay: Tensor | None, steps: Sequence[int]) -> dict[int, Tensor]:
    """The synapses of ``w`` ``(targets, sources)`` that wait each of ``steps``, 0 elsewhere.

    Delay 0 is always there, other steps only where a synapse waits for them. ``delay`` has the
    shape of ``w``; None is no delay.
    """
    if delay is None:
        return {0: w}
    held = {step: delay == step for step in steps}
    return {step: w * own for step, own in held.items() if step == 0 or bool(own.any())}


def delayed_sum(x: Tensor, late: dict[int, Tensor]) -> Tensor | int:
    """What inputs ``x`` ``(B, T, I)`` add after each delay; weights ``(I, N)``. 0 without any."""
    total = 0
    for step, w in late.items():
        gone = min(step, x.shape[1])
        total = total + torch.nn.functional.pad(x[:, : x.shape[1] - gone], (0, 0, gone, 0)) @ w
    return total


def arriving_late(past: Sequence[Tensor], late: dict[int, Tensor]) -> Tensor | int:
    """What spikes of ``past`` steps add now; ``past[d - 1]`` are those that have waited ``d``."""
    total = 0
    for step, w in late.items():
        if step <= len(past):
            total = total + past[step - 1] @ w
    return total
