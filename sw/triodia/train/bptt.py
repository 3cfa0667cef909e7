"""Backpropagation through time written out, for the default neuron and for one that adapts."""

import torch
from torch import Tensor

__all__ = ["run_alif", "run_lif"]


class _Lif(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: object,
        drive: Tensor,
        w: Tensor,
        beta: Tensor,
        threshold: Tensor,
        keep: Tensor | None,
        slope: float,
    ) -> tuple[Tensor, Tensor]:
        before, spikes, after = (torch.empty_like(drive) for _ in range(3))
        v = torch.zeros_like(drive[0])
        for t in range(len(drive)):
            x = torch.addcmul(drive[t], beta, v, out=before[t])
            if t:
                sent = spikes[t - 1] if keep is None else spikes[t - 1] * keep
                x.addmm_(sent, w)
            s = spikes[t].copy_(x / threshold - 1 >= 0)
            v = torch.addcmul(x, s, threshold, value=-1, out=after[t])
        ctx.save_for_backward(before, spikes, after, w, beta, threshold)
        ctx.keep, ctx.slope = keep, slope
        ctx.mark_non_differentiable(after)
        return spikes, after

    @staticmethod
    def backward(ctx: object, grad: Tensor, _: Tensor) -> tuple:
        before, spikes, after, w, beta, threshold = ctx.saved_tensors
        slopes = (ctx.slope * (before / threshold - 1).abs() + 1) ** -2 / threshold
        back = grad * slopes  # becomes the gradient of the potential before reset
        if ctx.keep is not None:
            slopes *= ctx.keep
        for t in range(len(back) - 2, -1, -1):
            back[t].addcmul_(back[t + 1] @ w.T, slopes[t]).addcmul_(back[t + 1], beta)
        sent = spikes if ctx.keep is None else spikes * ctx.keep
        w_grad = sent[:-1].flatten(0, 1).T @ back[1:].flatten(0, 1)
        beta_grad = (after[:-1] * back[1:]).sum((0, 1))
        return back, w_grad, beta_grad, None, None, None


def run_lif(
    drive: Tensor,
    w: Tensor,
    beta: Tensor,
    threshold: Tensor,
    keep: Tensor | None = None,
    slope: float = 4.0,
) -> tuple[Tensor, Tensor]:
    """Spikes and potentials ``(T, B, N)`` of neurons that reset by subtraction and never rest.

    From ``v = 0``, with ``drive`` ``(T, B, N)`` and ``w`` ``(N, N)``, columns being targets::

        x(t) = beta v(t-1) + drive(t) + (keep * spikes(t-1)) w
        spikes(t) = x(t) >= threshold           v(t) = x(t) - threshold * spikes(t)

    Gradients reach ``drive``, ``w`` and ``beta`` through the spikes, with the surrogate of
    ``model.spike`` and an undifferentiated reset; they equal autograd's over the same loop.
    """
    return _Lif.apply(drive, w, beta, threshold, keep, slope)


class _Alif(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: object,
        drive: Tensor,
        w: Tensor,
        beta: Tensor,
        threshold: Tensor,
        adaptation: tuple[Tensor, Tensor],
        keep: Tensor | None,
        slope: float,
    ) -> tuple[Tensor, Tensor]:
        over, spikes, after = (torch.empty_like(drive) for _ in range(3))
        rho, jump = adaptation
        v, b = torch.zeros_like(drive[0]), torch.zeros_like(drive[0])
        for t in range(len(drive)):
            x = torch.addcmul(drive[t], beta, v)
            if t:
                sent = spikes[t - 1] if keep is None else spikes[t - 1] * keep
                x.addmm_(sent, w)
            b = b * rho
            torch.sub(x, b, out=over[t])
            s = spikes[t].copy_(over[t] / threshold - 1 >= 0)
            v = torch.addcmul(x, s, threshold, value=-1, out=after[t])
            b = torch.addcmul(b, s, jump)
        ctx.save_for_backward(over, spikes, after, w, beta, threshold, rho, jump)
        ctx.keep, ctx.slope = keep, slope
        ctx.mark_non_differentiable(after)
        return spikes, after

    @staticmethod
    def backward(ctx: object, grad: Tensor, _: Tensor) -> tuple:
        over, spikes, after, w, beta, threshold, rho, jump = ctx.saved_tensors
        slopes = (ctx.slope * (over / threshold - 1).abs() + 1) ** -2 / threshold
        back = torch.empty_like(grad)  # gradient of the potential before reset
        rise = torch.zeros_like(grad[0])  # gradient of the rise after a step
        for t in range(len(back) - 1, -1, -1):
            fires = torch.addcmul(grad[t], rise, jump)
            if t + 1 < len(back):
                sent = back[t + 1] @ w.T
                fires = fires + (sent if ctx.keep is None else sent * ctx.keep)
            fires = torch.mul(fires, slopes[t], out=back[t])
            rise = (rise - fires) * rho
            if t + 1 < len(back):
                fires.addcmul_(back[t + 1], beta)
        sent = spikes if ctx.keep is None else spikes * ctx.keep
        w_grad = sent[:-1].flatten(0, 1).T @ back[1:].flatten(0, 1)
        beta_grad = (after[:-1] * back[1:]).sum((0, 1))
        return back, w_grad, beta_grad, None, None, None, None


def run_alif(
    drive: Tensor,
    w: Tensor,
    beta: Tensor,
    threshold: Tensor,
    adaptation: tuple[Tensor, Tensor],
    keep: Tensor | None = None,
    slope: float = 4.0,
) -> tuple[Tensor, Tensor]:
    """:func:`run_lif` of neurons whose spikes raise their threshold.

    ``adaptation`` is ``rho, jump``, ``(N,)`` each; no gradient reaches them. From ``b = 0``::

        x(t) = beta v(t-1) + drive(t) + (keep * spikes(t-1)) w
        spikes(t) = x(t) >= threshold + rho b(t-1)
        v(t) = x(t) - threshold * spikes(t)     b(t) = rho b(t-1) + jump * spikes(t)
    """
    return _Alif.apply(drive, w, beta, threshold, adaptation, keep, slope)
