"""Changed copies of training samples, so that few samples train many updates."""

import torch
from torch import Tensor

__all__ = ["augment"]


def augment(
    x: Tensor, lengths: Tensor, noise: float, warp: float, shift: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Play ``(B, T, I)`` samples faster or slower by up to ``warp`` and add noise.

    ``noise`` is the standard deviation of what is drawn anew each step, ``shift`` of what is
    constant over a sample, as another microphone would be. Returns samples and their ``(B,)``
    lengths, 2 (or the 1 there is) to ``T`` steps; draws from torch's global generator.
    """
    if warp:
        x, lengths = _warped(x, lengths, 1 + warp * (2 * torch.rand(len(x), device=x.device) - 1))
    if shift:
        x = x + shift * torch.randn(len(x), 1, x.shape[2], device=x.device)
    if noise:
        x = x + noise * torch.randn_like(x)
    return x, lengths


def _warped(x: Tensor, lengths: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
    """Resample linearly, so that a sample of ``n`` steps has about ``factor * n``."""
    new = (lengths * factor).round().long().clamp(2, x.shape[1])
    step = (lengths - 1) / (new - 1).clamp(min=1)  # samples of one step stay as they are
    place = (torch.arange(x.shape[1], device=x.device) * step[:, None]).minimum(
        (lengths - 1)[:, None]
    )
    low = place.floor().long()
    high = torch.minimum(low + 1, (lengths - 1)[:, None])
    part = (place - low)[..., None]
    rows = torch.arange(len(x), device=x.device)[:, None]
    warped = (1 - part) * x[rows, low] + part * x[rows, high]
    valid = torch.arange(x.shape[1], device=x.device) < new[:, None]
    return warped * valid[..., None], new
