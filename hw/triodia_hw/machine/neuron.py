"""The integer contract: what one time step of the machine computes. Plain Python and numpy.

``docs/contract.md`` says the same in prose, with a worked example. The reference
(:mod:`triodia_hw.machine.reference`) and the gateware (:mod:`triodia_hw.gateware`) both follow this
module; neither is tuned to the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import ContractError
from .fields import Fields, present
from .params import MachineParams

__all__ = ["LIF", "NEURON", "NeuronParams", "State", "decay", "saturate"]


def saturate(x: np.ndarray | int, bits: int) -> np.ndarray:
    """``x`` clipped to the range of a signed integer of ``bits`` bits."""
    return np.clip(x, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def decay(x: np.ndarray | int, c: np.ndarray | int, k: int) -> np.ndarray:
    """``x * c / 2**k`` rounded toward zero, so that a silent state reaches exactly 0.

    ``0 <= c <= 2**k``; ``c == 2**k`` is no leak. All integers, exact.
    """
    product = np.asarray(x, np.int64) * np.asarray(c, np.int64)
    return (product + np.where(product < 0, (1 << k) - 1, 0)) >> k


@dataclass(frozen=True, kw_only=True)
class NeuronParams:
    """Per-neuron integers, one array of length ``neurons`` each (int64; the flags bool).

    ``alpha`` counts only with ``synaptic``, ``rho`` and ``jump`` only with ``adaptive`` (None: all
    0), ``reset_value`` only with reset ``"value"``, ``bias`` and ``refractory`` only where their
    widths are not 0. ``spiking`` neurons fire; ``readout`` neurons never do, and their ``v`` is an
    output of every step.
    """

    threshold: np.ndarray
    beta: np.ndarray
    alpha: np.ndarray
    reset_value: np.ndarray
    refractory: np.ndarray
    bias: np.ndarray
    spiking: np.ndarray
    readout: np.ndarray
    rho: np.ndarray | None = None
    jump: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("rho", "jump"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(np.shape(self.threshold), np.int64))

    def check(self, p: MachineParams) -> None:
        """Raise :class:`ContractError` unless every value fits its field in ``p``."""
        low, high = p.state_range
        bias_limit = 1 << max(p.bias_bits - 1, 0)
        bounds = {
            "threshold": (1, high),
            "beta": (0, 1 << p.leak_bits),
            "alpha": (0, 1 << p.leak_bits),
            "rho": (0, (1 << p.leak_bits) if p.adaptive else 0),
            "jump": (0, high if p.adaptive else 0),
            "reset_value": (low, high),
            "refractory": (0, (1 << p.refractory_bits) - 1),
            "bias": (-bias_limit, bias_limit - 1) if p.bias_bits else (0, 0),
        }
        for field in fields(self):
            values = getattr(self, field.name)
            if values.shape != (p.neurons,):
                raise ContractError(
                    f"{field.name} must have {p.neurons} values, not shape {values.shape}"
                )
            least, greatest = bounds.get(field.name, (0, 1))
            bad = np.flatnonzero((values < least) | (values > greatest))
            if bad.size:
                i = int(bad[0])
                raise ContractError(
                    f"{field.name} of neuron {i} must be in {least}..{greatest}, not {values[i]}"
                )
        both = np.flatnonzero(self.spiking & self.readout)
        if both.size:
            raise ContractError(f"neuron {int(both[0])} must not be both spiking and a readout")


@dataclass(frozen=True)
class State:
    """Potential ``v``, synaptic current ``u``, refractory steps left ``r`` and adaptation ``b``.

    Without ``b`` it is 0.
    """

    v: np.ndarray
    u: np.ndarray
    r: np.ndarray
    b: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.b is None:
            object.__setattr__(self, "b", np.zeros_like(self.v))

    @classmethod
    def zero(cls, neurons: int) -> "State":
        """State of a machine after reset, and after the last step of a sequence."""
        return cls(*(np.zeros(neurons, np.int64) for _ in range(4)))


@dataclass(frozen=True)
class LIF:
    """Leaky integrate-and-fire: one object that computes, trains and makes its hardware.

    With ``adaptive``, a neuron's spikes raise its threshold for a while (ALIF).

    All that is particular to a neuron model is here: what it stores, its step in integers and in
    floating point, its multipliers, and its gateware. Another model is another class like this.
    """

    def parameters(self, p: MachineParams) -> Fields:
        """Constants of a neuron, as they lie in its memory word."""
        return present([
            ("threshold", p.state_bits, True),
            ("beta", p.leak_bits + 1, False),
            ("alpha", p.leak_bits + 1 if p.synaptic else 0, False),
            ("rho", p.leak_bits + 1 if p.adaptive else 0, False),
            ("jump", p.state_bits - 1 if p.adaptive else 0, False),
            ("reset_value", p.state_bits if p.reset == "value" else 0, True),
            ("refractory", p.refractory_bits, False),
            ("bias", p.bias_bits, True),
            ("spiking", 1, False),
            ("readout", 1, False),
        ])

    def state(self, p: MachineParams) -> Fields:
        """What a neuron keeps from step to step, as it lies in its memory word."""
        return present([
            ("v", p.state_bits, True),
            ("u", p.state_bits if p.synaptic else 0, True),
            ("r", p.refractory_bits, False),
            ("b", p.state_bits - 1 if p.adaptive else 0, False),
        ])

    def multipliers(self, p: MachineParams) -> int:
        """Products of ``state_bits`` by ``leak_bits + 1`` that a step takes: one for each decay."""
        return 1 + p.synaptic + p.adaptive

    def step(
        self, p: MachineParams, n: NeuronParams, state: State, a: np.ndarray
    ) -> tuple[State, np.ndarray]:
        """Advance all neurons by one step; return the next state and which spiked (bool).

        ``a`` ``(neurons,)`` is the exact sum of ``weight * payload`` over this step's events::

            u' = saturate(decay(u, alpha) + a)          with synaptic, else a
            b* = decay(b, rho)                          with adaptive, else 0
            if r > 0:  r' = r - 1, v' = v, no spike
            else:      v* = saturate(decay(v, beta) + u' + bias)
                       spike = spiking and v* >= threshold + b*   (> where p.fires is "above")
                       v' = v* - threshold or reset_value on a spike, else v*
                       r' = refractory on a spike, else 0
            b' = saturate(b* + jump) on a spike, else b*

        The adaptation is that of Bellec et al. 2018 (arXiv 1803.09574); like Bellec et al. 2020, a
        spike takes the threshold alone from the potential.
        """
        u = saturate(decay(state.u, n.alpha, p.leak_bits) + a, p.state_bits) if p.synaptic else a
        candidate = saturate(decay(state.v, n.beta, p.leak_bits) + u + n.bias, p.state_bits)
        resting = state.r > 0
        b = decay(state.b, n.rho, p.leak_bits) if p.adaptive else state.b  # always 0
        level = n.threshold + b
        fires = candidate >= level if p.fires == "at" else candidate > level
        spike = n.spiking & ~resting & fires
        after = candidate - n.threshold if p.reset == "subtract" else n.reset_value
        v = np.where(resting, state.v, np.where(spike, after, candidate))
        r = np.where(resting, state.r - 1, np.where(spike, n.refractory, 0))
        if p.adaptive:
            b = np.where(spike, saturate(b + n.jump, p.state_bits), b)
        return State(v, u if p.synaptic else np.zeros_like(u), r, b), spike

    def step_float(
        self, xp: ModuleType, c: Mapping[str, Any], state: tuple, a: Any, spike: Callable
    ) -> tuple[tuple, Any]:
        """The same step in floating point, without saturation, for numpy or torch as ``xp``.

        ``state`` is ``(v, u, rest, b)``, arrays ``(..., neurons)``. ``c`` has ``alpha`` (None
        without synaptic current), ``rho`` and ``jump`` (None without adaptation), ``beta``,
        ``bias``, ``threshold``, ``refractory`` (None if no neuron ever rests) and ``reset``
        ("subtract" or "zero"). ``spike(v)`` returns who spikes at the threshold, twice: with its
        gradient, and without. Returns the next state and the spikes with their gradient.
        """
        v, u, rest, b = state
        u = a if c["alpha"] is None else c["alpha"] * u + a
        candidate = c["beta"] * v + u + c["bias"]
        b = b if c["rho"] is None else c["rho"] * b
        s, fired = spike(candidate if c["rho"] is None else candidate - b)
        if c["refractory"] is not None:  # a resting neuron holds its potential and does not spike
            resting, silent = rest > 0, xp.zeros_like(s)
            s, fired = xp.where(resting, silent, s), xp.where(resting, silent, fired)
            candidate = xp.where(resting, v, candidate)
            rest = xp.where(resting, rest - 1, fired * c["refractory"])
        if c["rho"] is not None:
            b = b + s * c["jump"]
        # The reset is not differentiated (Zenke & Vogels 2021): its gradient hides the spike's.
        if c["reset"] == "subtract":
            after = candidate - fired * c["threshold"]
        else:
            after = candidate * (1 - fired)
        return (after, u, rest, b), s

    def create(self, p: MachineParams, units: object = None) -> object:
        """The gateware of :meth:`step`: :class:`triodia_hw.gateware.neuron.NeuronUpdate`."""
        gateware = import_module("triodia_hw.gateware.neuron")  # images need no hardware language
        return gateware.NeuronUpdate(p, units)


NEURON = LIF()
