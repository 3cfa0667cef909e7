"""Weights of few bits: each neuron's weights on a grid of its own, with a step that is learned.

Learned step size quantization (Esser et al. 2020, arXiv 1902.08153, eq. 1 to 3): weights are
rounded to multiples of a step; the gradient passes the rounding unchanged, and reaches the step.
The machine stores a neuron's weights as integers of one scale, which its threshold absorbs; all
readouts share a scale.
"""

import math

import numpy as np
import torch
from torch import Tensor

__all__ = ["FINE", "first_steps", "on_grid", "settled_step", "snapped"]

FINE = 32  # parts of a step in which the machine holds thresholds and biases: 2**fraction_bits


def greatest(bits: int) -> int:
    """Largest integer weight; the grid is symmetric."""
    return (1 << (bits - 1)) - 1


def first_steps(w: Tensor, mask: Tensor, bits: int) -> Tensor:
    """Steps to start from, ``(rows,)``: of those tried, of the least squared rounding error."""
    top, full = (w * mask).abs().amax(1).clamp(min=1e-6), greatest(bits)
    tried = torch.linspace(0.2, 1.0, 17, device=w.device)[:, None] * top / full  # (17, rows)
    rounded = (w / tried[..., None]).round().clamp(-full, full) * tried[..., None]
    error = (((rounded - w) * mask) ** 2).sum(2)  # (17, rows)
    return tried.gather(0, error.argmin(0, keepdim=True))[0]


def on_grid(w: Tensor, step: Tensor, bits: int) -> Tensor:
    """``w`` ``(rows, columns)`` rounded to multiples of ``step`` ``(rows, 1)`` and clipped."""
    full = greatest(bits)
    scale = 1 / math.sqrt(w.shape[1] * full)  # of the step's gradient, eq. 3 and section 2.2
    step = step * scale + (step * (1 - scale)).detach()
    x = (w / step).clamp(-full, full)
    return (x + (x.round() - x).detach()) * step


def settled_step(step: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """The steps nearest ``step`` of which ``threshold / FINE`` parts are whole."""
    parts = np.maximum(np.rint(threshold * FINE / step), 1)
    return threshold * FINE / parts


def snapped(w: np.ndarray, step: np.ndarray, bits: int) -> np.ndarray:
    """The nearest multiples of ``step`` in float64; equal to ``on_grid`` but for its precision."""
    full = greatest(bits)
    return np.clip(np.rint(w / step), -full, full) * step
