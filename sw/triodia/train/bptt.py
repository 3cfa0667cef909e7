"""Backpropagation through time written out, for the default neuron, any other, and readouts."""

from typing import NamedTuple

import torch
from torch import Tensor

from .links import Synapses, links_of

__all__ = ["Rules", "run_lif", "run_neurons", "run_readouts"]


def _slopes(v: Tensor, threshold: Tensor, slope: float) -> Tensor:
    """Surrogate gradient of spikes at ``v``, in one buffer: fresh memory costs more than sums."""
    d = (v / threshold).sub_(1).abs_()
    return d.mul_(slope).add_(1).pow_(-2).div_(threshold)


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
        places: Synapses | None,
    ) -> tuple[Tensor, Tensor]:
        links = links_of(w, places)
        before, spikes, after = (torch.empty_like(drive) for _ in range(3))
        v, distance = torch.zeros_like(drive[0]), torch.empty_like(drive[0])
        for t in range(len(drive)):
            x = torch.addcmul(drive[t], beta, v, out=before[t])
            if t:
                sent = spikes[t - 1] if keep is None else spikes[t - 1] * keep
                links.add_to(x, sent)
            torch.div(x, threshold, out=distance).sub_(1)
            s = torch.ge(distance, 0, out=spikes[t])
            v = torch.addcmul(x, s, threshold, value=-1, out=after[t])
        ctx.save_for_backward(before, spikes, after, w, beta, threshold)
        ctx.keep, ctx.slope, ctx.places = keep, slope, places
        ctx.mark_non_differentiable(after)
        return spikes, after

    @staticmethod
    def backward(ctx: object, grad: Tensor, _: Tensor) -> tuple:
        before, spikes, after, w, beta, threshold = ctx.saved_tensors
        links = links_of(w, ctx.places)
        slopes = _slopes(before, threshold, ctx.slope)
        back = grad * slopes  # becomes the gradient of the potential before reset
        if ctx.keep is not None:
            slopes *= ctx.keep
        for t in range(len(back) - 2, -1, -1):
            back[t].addcmul_(links.back(back[t + 1]), slopes[t]).addcmul_(back[t + 1], beta)
        sent = spikes if ctx.keep is None else spikes * ctx.keep
        w_grad = links.weight_grad(sent[:-1], back[1:])
        beta_grad = (after[:-1] * back[1:]).sum((0, 1))
        return back, w_grad, beta_grad, None, None, None, None


def run_lif(
    drive: Tensor,
    w: Tensor,
    beta: Tensor,
    threshold: Tensor,
    keep: Tensor | None = None,
    slope: float = 4.0,
    places: Synapses | None = None,
) -> tuple[Tensor, Tensor]:
    """Spikes and potentials ``(T, B, N)`` of neurons that reset by subtraction and never rest.

    From ``v = 0``, with ``drive`` ``(T, B, N)`` and ``w`` ``(N, N)``, columns being targets::

        x(t) = beta v(t-1) + drive(t) + (keep * spikes(t-1)) w
        spikes(t) = x(t) >= threshold           v(t) = x(t) - threshold * spikes(t)

    Gradients reach ``drive``, ``w`` and ``beta`` through the spikes, with the surrogate of
    ``surrogate.spike`` and an undifferentiated reset; they equal autograd's over the same loop.
    With ``places``, ``w`` ``(M,)`` are the weights there, and products run along them.
    """
    return _Lif.apply(drive, w, beta, threshold, keep, slope, places)


class Rules(NamedTuple):
    """What neurons do beside leaking; ``None`` where no neuron does it.

    ``threshold``, ``refractory`` in steps, ``rho`` and ``jump``: ``(N,)``. ``keep`` ``(B, N)``:
    what a spike of a neuron counts on arrival. ``zero``: a spike resets to 0, else by subtraction.
    ``above``: a neuron fires above its threshold, else at it.
    """

    threshold: Tensor
    keep: Tensor | None = None
    refractory: Tensor | None = None
    rho: Tensor | None = None
    jump: Tensor | None = None
    zero: bool = False
    above: bool = False
    slope: float = 4.0

    def sent(self, spikes: Tensor) -> Tensor:
        """Spikes as they arrive."""
        return spikes if self.keep is None else spikes * self.keep

    def fires(self, v: Tensor) -> Tensor:
        """Who spikes at the potential ``v``."""
        distance = v / self.threshold - 1
        return distance > 0 if self.above else distance >= 0

    def reset(self, x: Tensor, s: Tensor, out: Tensor) -> Tensor:
        """Potentials ``x`` after the spikes ``s``."""
        if self.zero:
            return torch.mul(x, 1 - s, out=out)
        return torch.addcmul(x, s, self.threshold, value=-1, out=out)


class _Neurons(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: object,
        drive: Tensor,
        w: Tensor,
        beta: Tensor,
        alpha: Tensor | None,
        bias: Tensor | None,
        rules: Rules,
        places: Synapses | None,
    ) -> tuple[Tensor, Tensor]:
        links = links_of(w, places)
        over, spikes, after, currents = (torch.empty_like(drive) for _ in range(4))
        resting = torch.zeros_like(drive, dtype=torch.bool)
        v, u, b, rest = (torch.zeros_like(drive[0]) for _ in range(4))
        for t in range(len(drive)):
            x = torch.addcmul(drive[t], *((beta, v) if alpha is None else (alpha, u)))
            if t:
                links.add_to(x, rules.sent(spikes[t - 1]))
            if alpha is not None:
                u = currents[t].copy_(x)
                x = torch.addcmul(u + bias, beta, v)
            b = b if rules.rho is None else b * rules.rho
            s = spikes[t].copy_(rules.fires(torch.sub(x, b, out=over[t])))
            if rules.refractory is not None:
                held = torch.gt(rest, 0, out=resting[t])
                x = torch.where(held, v, x)
                rest = torch.where(held, rest - 1, s.masked_fill_(held, 0) * rules.refractory)
            v = rules.reset(x, s, after[t])
            b = b if rules.rho is None else torch.addcmul(b, s, rules.jump)
        ctx.save_for_backward(over, spikes, after, currents, resting, w, beta, alpha)
        ctx.rules, ctx.places = rules, places
        ctx.mark_non_differentiable(after)
        return spikes, after

    @staticmethod
    def backward(ctx: object, grad: Tensor, _: Tensor) -> tuple:
        over, spikes, after, currents, resting, w, beta, alpha = ctx.saved_tensors
        rules, links = ctx.rules, links_of(w, ctx.places)
        slopes = _slopes(over, rules.threshold, rules.slope)
        slopes.masked_fill_(resting, 0)
        back = torch.empty_like(grad)  # gradient of the potential before spike, reset and rest
        into = back if alpha is None else torch.empty_like(grad)  # of what arrives
        rise, held = torch.zeros_like(grad[0]), 0.0  # of the rise after a step; of held potentials
        for t in range(len(back) - 1, -1, -1):
            later = t + 1 < len(back)
            fires = grad[t] if rules.rho is None else torch.addcmul(grad[t], rise, rules.jump)
            fires = fires + rules.sent(links.back(into[t + 1])) if later else fires
            fires = torch.mul(fires, slopes[t], out=back[t])
            rise = rise if rules.rho is None else (rise - fires) * rules.rho
            if later and rules.refractory is None and not rules.zero:
                fires.addcmul_(back[t + 1], beta)
            elif later:
                through = back[t + 1] * beta + held
                through = through * (1 - spikes[t]) if rules.zero else through
                held = 0.0 if rules.refractory is None else through * resting[t]
                fires.add_(through - held)
            if alpha is not None:
                torch.add(back[t], alpha * into[t + 1] if later else 0.0, out=into[t])
        w_grad = links.weight_grad(rules.sent(spikes)[:-1], into[1:])
        beta_grad = (after[:-1] * back[1:]).sum((0, 1))
        if alpha is None:
            return into, w_grad, beta_grad, None, None, None, None
        alpha_grad = (currents[:-1] * into[1:]).sum((0, 1))
        return into, w_grad, beta_grad, alpha_grad, back.sum((0, 1)), None, None


def run_neurons(
    drive: Tensor,
    w: Tensor,
    beta: Tensor,
    rules: Rules,
    alpha: Tensor | None = None,
    bias: Tensor | None = None,
    places: Synapses | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`run_lif` of neurons of any kind: what :meth:`SpikingModel.step` computes.

    ``alpha`` ``(N,)`` is the decay of the synaptic current; with it, ``bias`` ``(N,)`` is added to
    the potential and is not part of ``drive``. From ``v = u = b = 0`` and ``rest = 0``::

        u(t) = alpha u(t-1) + drive(t) + (keep * spikes(t-1)) w
        x(t) = beta v(t-1) + u(t) + bias
        spikes(t) = x(t) >= threshold + rho b(t-1), or > with ``above``
        v(t) = x(t) - threshold * spikes(t), or x(t) (1 - spikes(t)) with ``zero``
        b(t) = rho b(t-1) + jump * spikes(t)

    A neuron that has spiked holds ``v`` and stays silent for ``refractory`` steps. No gradient
    reaches the rules.
    """
    return _Neurons.apply(drive, w, beta, alpha, bias, rules, places)


class _Readouts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, arriving: Tensor, beta: Tensor, bias: Tensor) -> Tensor:
        v, given = torch.empty_like(arriving), arriving + bias
        v[0] = bias
        for t in range(len(v) - 1):
            torch.addcmul(given[t], beta, v[t], out=v[t + 1])
        ctx.save_for_backward(v, beta)
        return v

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> tuple:
        v, beta = ctx.saved_tensors
        back = grad.clone()
        for t in range(len(back) - 2, -1, -1):
            back[t].add_(back[t + 1] * beta)
        into = torch.cat([back[1:], torch.zeros_like(back[:1])])
        return into, _last_first(back[1:] * v[:-1]), _last_first(back)


def _last_first(parts: Tensor) -> Tensor:
    """Sum of ``(T, B, O)`` over samples, then steps from the last: rounded as autograd's."""
    total = parts.new_zeros(parts.shape[2])
    for part in parts.flip(0):
        total += part.sum(0)
    return total


def run_readouts(arriving: Tensor, beta: Tensor, bias: Tensor) -> Tensor:
    """Potentials ``(T, B, O)`` of leaky readouts, ``arriving`` ``(T, B, O)`` taking a step::

    v(0) = bias          v(t) = beta v(t-1) + arriving(t-1) + bias
    """
    return _Readouts.apply(arriving, beta, bias)
