"""The network as a differentiable model: the machine's time step, in floating point."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from triodia_hw.machine.neuron import NEURON

from ..network.network import Network
from .bptt import Rules, run_lif, run_neurons, run_readouts
from .delays import LearnedDelays, arriving_late, by_delay, delayed_sum
from .grid import FINE, first_steps, on_grid, settled_step, snapped
from .links import Synapses, pays
from .state import State, Trace
from .surrogate import spike

__all__ = ["SpikingModel"]


# trainable values, and which part of the network each belongs to
_WEIGHTS = {"w_in": "head", "w_rec": "net", "w_out": "head", "bias": "net", "bias_out": "head"}
_MATRICES = ("w_in", "w_rec", "w_out")
_TAUS = {"tau_mem": "net", "tau_out": "head", "tau_syn": "net"}


class SpikingModel(nn.Module):
    """Trainable copy of a trained-for-a-task ``Network``.

    One step, for inputs ``x(t)`` and spikes ``s(t - 1)``::

        a = w_in x(t) + w_rec s(t - 1)          a_out = w_out s(t - 1)
        u = exp(-1 / tau_syn) u + a             (u = a without synaptic current)
        refractory: rest -= 1, v held, no spike
        otherwise:  v* = exp(-1 / tau_mem) v + u + bias,
                    spike = v* >= threshold  (v* > threshold where neurons fire above it),
                    on a spike v = v* - threshold (or 0) and rest = refractory
        adaptive neurons: b = exp(-1 / tau_adapt) b, spike = v* >= threshold + b,
                    then on a spike b = b + jump
        u_out = exp(-1 / tau_syn_out) u_out + a_out       (a_out without)
        v_out = exp(-1 / tau_out) v_out + u_out + bias_out

    A spike that waits ``d`` steps at its synapse arrives as ``s(t - 1 - d)``, an input as
    ``x(t - d)``.

    Adaptation is not trained: ``tau_adapt`` and ``jump`` stay; so do delays, unless
    ``learn_delays`` says otherwise. State is 0 before the first step.
    The class is the argmax of ``v_out`` summed over valid steps.

    ``sparse``: hold and multiply recurrent weights along the synapses only, ``w_rec`` ``(M,)``
    (:class:`.links.Synapses`); results are equal up to rounding. By default where that is faster
    (:func:`.links.pays`). On a GPU products stay dense.
    """

    def __init__(self, net: Network, *, slope: float = 4.0, sparse: bool | None = None) -> None:
        super().__init__()
        head = net.trained()
        self.net, self.slope = net, slope
        for name, part in _WEIGHTS.items():
            value = getattr(head if part == "head" else net, name)
            setattr(self, name, nn.Parameter(_tensor(value)))
        for name, part in _TAUS.items():
            tau = getattr(head if part == "head" else net, name)
            value = None if tau is None else nn.Parameter(_tensor(np.log(tau)))
            setattr(self, f"log_{name}", value)
        for name in ("mask_rec", "threshold", "refractory"):
            self.register_buffer(name, _tensor(getattr(net, name)))
        for name in ("mask_in", "mask_out"):
            self.register_buffer(name, _tensor(getattr(head, name)))
        alpha_out = None if head.tau_syn_out is None else _tensor(np.exp(-1 / head.tau_syn_out))
        self.register_buffer("alpha_out", alpha_out)  # imported, not trained
        rho = _tensor(np.exp(-1 / net.tau_adapt)) if net.adaptive else None
        self.register_buffer("rho", rho)
        self.register_buffer("jump", _tensor(net.jump) if net.adaptive else None)
        self.any_rest = bool((net.refractory > 0).any())
        simple = net.tau_syn is None and net.reset == "subtract" and not net.adaptive
        self.default = simple and not self.any_rest and net.fires == "at"
        self.written_out = head.tau_syn_out is None
        self.delays, self.learned = net.delays, None
        self.synapses = None
        sparse = pays(net) if sparse is None else sparse
        if sparse and self.written_out and not self.delays:
            self.synapses = Synapses(net)
            self.w_rec = nn.Parameter(self.synapses.values(self.w_rec.detach()))
        for name, part in (("delay_in", head), ("delay_rec", net), ("delay_out", head)):
            delay = getattr(part, name)
            self.register_buffer(name, None if delay is None else torch.tensor(delay))
        self.grid_bits, self.log_grid, self.log_grid_out = 0, None, None
        # whether to keep the recurrent weights with their gradient, off the graph too; and those
        self.watch, self.seen = False, None

    def make_dense(self) -> None:
        """Hold all ``N^2`` recurrent weights from now on; call it before there is an optimiser."""
        if self.synapses is not None:
            self.w_rec = nn.Parameter(self._matrix().detach())
            self.synapses = None

    def _matrix(self) -> Tensor:
        """Recurrent weights ``(N, N)``."""
        return self.w_rec if self.synapses is None else self.synapses.matrix(self.w_rec)

    def set_grid(self, bits: int) -> None:
        """Round weights to ``bits`` from now on: a step for each neuron, one for all readouts.

        0 leaves weights as they are. Steps are parameters, to be learned with the weights.
        """
        if not bits or bits == self.grid_bits:
            return
        self.make_dense()
        self.grid_bits = bits
        w, mask = self._rows()
        out = [part.detach().reshape(1, -1) for part in (self.w_out, self.mask_out)]
        self.log_grid = nn.Parameter(first_steps(w.detach(), mask, bits).log())
        self.log_grid_out = nn.Parameter(first_steps(*out, bits).log())

    def learn_delays(self, longest: int) -> None:
        """Let recurrent synapses learn how long they wait, 0..``longest`` steps.

        They start from the network's delays, or from even draws. 0 learns none.
        """
        if longest:
            self.make_dense()
            drawn, given = torch.rand_like(self.w_rec.detach()) * longest, self.delay_rec
            first = drawn if given is None else given.to(drawn.dtype).clamp(0, longest)
            self.learned = LearnedDelays(first, longest)
            self.delays = tuple(sorted({*self.delays, *range(1, longest + 1)}))

    def grid_steps(self) -> list[Tensor]:
        """Parameters of the grid; none without one."""
        return [self.log_grid, self.log_grid_out] if self.grid_bits else []

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Weights into each neuron, ``(N, I + N)``, and the graph of them."""
        return torch.cat([self.w_in, self._matrix()], 1), torch.cat(
            [self.mask_in, self.mask_rec], 1
        )

    def _weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """``w_in``, ``w_rec`` and ``w_out``, 0 off the graph, on the grid if there is one."""
        w, mask = self._rows()
        out = self.w_out
        if self.grid_bits:
            w = on_grid(w, self.log_grid.exp()[:, None], self.grid_bits)
            flat = on_grid(out.reshape(1, -1), self.log_grid_out.exp()[:, None], self.grid_bits)
            out = flat.reshape(out.shape)
        w_in, w_rec = (w * mask).split([self.w_in.shape[1], self.net.neurons], 1)
        if self.watch and torch.is_grad_enabled():
            w_rec.retain_grad()
            self.seen = w_rec
        return w_in, w_rec, out * self.mask_out

    def _along(self) -> tuple[Tensor, Tensor, Tensor]:
        """:meth:`_weights` with the recurrent ones along the synapses."""
        return self.w_in * self.mask_in, self.w_rec, self.w_out * self.mask_out

    def constants(self, *, along: bool = False) -> dict[str, Tensor | str | None]:
        """Masked weights, decays and the neurons' constants: the same over the steps of a run.

        ``along``: recurrent weights ``(M,)`` along the synapses; else ``(N, N)``.
        """

        def decay(log_tau: Tensor | None) -> Tensor | None:
            return None if log_tau is None else torch.exp(-torch.exp(-log_tau))

        steps = (0, *self.delays)
        weights = self._along() if along else self._weights()
        given = zip(weights, (self.delay_in, self.delay_rec, self.delay_out), strict=True)
        parts = [by_delay(w, delay, steps) for w, delay in given]
        parts[1] = self.learned.parts(weights[1]) if self.learned else parts[1]
        w_in, w_rec, w_out = (part.pop(0) for part in parts)
        return {
            "w_in": w_in.T,
            "w_rec": w_rec if along else w_rec.T,
            "w_out": w_out.T,
            "late": [{d: w.T for d, w in part.items()} for part in parts],
            "alpha": decay(self.log_tau_syn),
            "beta": decay(self.log_tau_mem),
            "beta_out": decay(self.log_tau_out),
            "bias": self.bias,
            "threshold": self.threshold,
            "rho": self.rho,
            "jump": self.jump,
            "refractory": self.refractory if self.any_rest else None,
            "reset": self.net.reset,
        }

    def initial(self, batch: int) -> State:
        """All zero."""
        neurons = self.bias.new_zeros(batch, self.net.neurons)
        readouts = self.bias.new_zeros(batch, len(self.w_out))
        return State(neurons, neurons, neurons, neurons, readouts, readouts, neurons)

    def step(
        self, drive: Tensor, state: State, c: dict, sent: Tensor, late: tuple = (0, 0)
    ) -> State:
        """One time step; ``drive`` is what inputs add, ``sent`` the spikes of the step before.

        ``late``: what earlier spikes add to neurons and readouts.
        """
        a = drive + sent @ c["w_rec"] + late[0]
        before = (state.v, state.u, state.rest, state.b)
        (v, u, rest, b), s = NEURON.step_float(torch, c, before, a, self._fire)
        u_out = sent @ c["w_out"] + late[1]
        if self.alpha_out is not None:
            u_out = u_out + self.alpha_out * state.u_out
        v_out = c["beta_out"] * state.v_out + u_out + self.bias_out
        return State(v, u, rest, s, v_out, u_out, b)

    def _fire(self, v: Tensor) -> tuple[Tensor, Tensor]:
        s = spike(v / self.threshold - 1, self.slope, self.net.fires == "above")
        return s, s.detach()

    def forward(self, x: Tensor, lengths: Tensor, dropout: float = 0.0) -> Trace:
        """Run scaled inputs ``(B, T, I)`` of ``(B,)`` valid steps from rest.

        With ``dropout``, a random part of the neurons sends no spikes in a sample, and the others
        send more strongly (torch's global generator draws them).
        """
        along = self.synapses is not None and x.device.type == "cpu"
        c, state = self.constants(along=along), self.initial(len(x))
        drive = x @ c["w_in"] + delayed_sum(x, c["late"][0])
        keep = nn.functional.dropout(torch.ones_like(state.v), dropout) if dropout else None
        run = self._written_out if self.written_out and not self.delays else self._stepwise
        spikes, v, v_out = run(drive, state, c, keep)
        step = torch.arange(x.shape[1], device=x.device)
        valid = (step < lengths[:, None]).to(x.dtype)[..., None]
        return Trace(spikes * valid, v, v_out * valid)

    def _stepwise(self, drive: Tensor, state: State, c: dict, keep: Tensor | None) -> list[Tensor]:
        states, past = [], []
        _, to_neurons, to_readouts = c["late"]
        for t in range(drive.shape[1]):
            sent = state.spikes if keep is None else state.spikes * keep
            late = arriving_late(past, to_neurons), arriving_late(past, to_readouts)
            past = [sent, *past][: max(self.delays, default=0)]
            state = self.step(drive[:, t], state, c, sent, late)
            states.append(state)
        return [torch.stack([getattr(s, part) for s in states], 1) for part in Trace._fields]

    def _written_out(
        self, drive: Tensor, state: State, c: dict, keep: Tensor | None
    ) -> list[Tensor]:
        """The same, faster, with the gradient written out: it cannot be differentiated again."""
        drive, w, beta = drive.transpose(0, 1), c["w_rec"], c["beta"]
        at = {"places": self.synapses if w.ndim == 1 else None}
        if self.default:
            rules = (self.threshold, keep, self.slope)
            spikes, v = run_lif(drive + self.bias, w, beta, *rules, **at)
        else:
            rest, rho, jump = c["refractory"], self.rho, self.jump
            kind = (self.net.reset == "zero", self.net.fires == "above", self.slope)
            rules = Rules(self.threshold, keep, rest, rho, jump, *kind)
            if c["alpha"] is None:
                spikes, v = run_neurons(drive + self.bias, w, beta, rules, **at)
            else:
                spikes, v = run_neurons(drive, w, beta, rules, c["alpha"], self.bias, **at)
        arriving = (spikes if keep is None else spikes * keep) @ c["w_out"]
        v_out = run_readouts(arriving, c["beta_out"], self.bias_out)
        return [part.transpose(0, 1) for part in (spikes, v, v_out)]

    def network(self) -> Network:
        """The trained values as a ``Network``; weights off the graph are exactly 0."""
        head = self.net.trained()
        with torch.no_grad():
            arrays = {
                name: _array(part) for name, part in zip(_MATRICES, self._weights(), strict=True)
            }
        arrays |= {"bias": _array(self.bias), "bias_out": _array(self.bias_out)}
        if self.grid_bits:
            arrays |= self._settled(arrays)
        values = {"net": {}, "head": {}}
        for name, part in _WEIGHTS.items():
            values[part][name] = arrays[name]
        for name, part in _TAUS.items():
            log_tau = getattr(self, f"log_{name}")
            values[part][name] = None if log_tau is None else np.exp(_array(log_tau))
        if self.grid_bits and self.rho is not None:
            part = settled_step(_array(self.log_grid.exp()), _array(self.threshold)) / FINE
            values["net"]["jump"] = np.rint(_array(self.jump) / part) * part
        values["net"] |= {"delay_rec": self.learned.whole()} if self.learned else {}
        values["net"]["mask_rec"] = _array(self.mask_rec) > 0  # sparse training may have moved it
        return replace(self.net, **values["net"], head=replace(head, **values["head"]))

    def _settled(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The same values, moved to the nearest that the machine holds exactly."""
        step = settled_step(_array(self.log_grid.exp()), _array(self.threshold))[:, None]
        out = _array(self.log_grid_out.exp()).astype(np.float64)
        mask = {"w_in": self.mask_in, "w_rec": self.mask_rec, "w_out": self.mask_out}
        raw = {"w_in": (self.w_in, step), "w_rec": (self.w_rec, step), "w_out": (self.w_out, out)}
        found = {
            name: snapped(_array(w), s, self.grid_bits) * _array(mask[name])
            for name, (w, s) in raw.items()
        }
        for name, s in (("bias", step[:, 0]), ("bias_out", out)):
            found[name] = np.rint(arrays[name] / (s / FINE)) * (s / FINE)
        return found


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(np.asarray(array, np.float32))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
