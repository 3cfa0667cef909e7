"""Synapses that wait, in the float model: weights by delay, and what arrives late."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["arriving_late", "by_delay", "delayed_sum"]


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
