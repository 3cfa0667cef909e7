"""The spike, and the surrogate of its gradient."""

import torch
from torch import Tensor

__all__ = ["spike"]


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, distance: Tensor, slope: float, above: bool) -> Tensor:
        ctx.save_for_backward(distance)
        ctx.slope = slope
        return (distance > 0 if above else distance >= 0).to(distance.dtype)

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> tuple[Tensor, None, None]:
        (distance,) = ctx.saved_tensors
        return grad / (ctx.slope * distance.abs() + 1) ** 2, None, None


def spike(distance: Tensor, slope: float, above: bool = False) -> Tensor:
    """1 where ``distance >= 0`` (``above``: ``> 0``); backward ``1 / (slope |distance| + 1)^2``.

    The fast sigmoid's derivative, as in SuperSpike (Zenke & Ganguli 2018, arXiv 1705.11146).
    """
    return _Spike.apply(distance, slope, above)
