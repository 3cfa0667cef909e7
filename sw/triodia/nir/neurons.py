"""The neurons of NIR in time steps: decays, gains, thresholds."""

from dataclasses import dataclass

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from .graph import CLAMP, READOUTS

__all__ = ["RULES", "Population", "decay_of_tau", "late_subtraction", "population", "tau_of_decay"]

# Export: the first two.
RULES = ("euler", "exponential", "exponential-euler-gain", "euler-jump", "euler-whole")
# Time constants, in steps, of a potential that is gone after a step and of one that stays:
# exp(-1 / tau) is 0 and 1 in float32, and so are the integers of an image.
_GONE, _STAYS = 0.005, 1e30


@dataclass(frozen=True)
class Population:
    """Neurons of one node as they are stepped; all arrays ``(neurons,)`` float64.

    With ``S`` the sum that arrives, ``u = alpha u + gain S`` and ``v = beta v + u + bias``;
    ``alpha`` is 0 without a synaptic current. ``threshold`` is None for readouts. The potential is
    counted from ``v_reset``. ``resets_first``: a reset comes before the leak of its step, also
    where it comes a step after the spike.
    """

    name: str
    kind: str
    alpha: np.ndarray
    beta: np.ndarray
    gain: np.ndarray
    bias: np.ndarray
    threshold: np.ndarray | None
    shifted: bool
    current: bool
    resets_first: bool = False

    @property
    def size(self) -> int:
        """Neurons."""
        return self.beta.size


def decay_of_tau(tau: np.ndarray, dt: float, rule: str) -> np.ndarray:
    """What is left after ``dt``: ``1 - dt / tau`` (all of Euler's), else ``exp(-dt / tau)``."""
    return 1 - dt / tau if rule.startswith("euler") else np.exp(-dt / tau)


def tau_of_decay(decay: np.ndarray) -> np.ndarray:
    """Time constants in steps, ``-1 / ln(decay)``, of decays in 0..1."""
    with np.errstate(divide="ignore"):
        tau = -1 / np.log(decay)
    return np.clip(np.where(decay >= 1, _STAYS, tau), _GONE, _STAYS)


def population(
    name: str, node: nir.NIRNode, size: int, *, dt: float, rule: str, reset: str
) -> Population:
    """Neurons of ``node`` with a step of ``dt`` seconds.

    LIF ``tau v' = v_leak - v + R S`` becomes ``v = beta v + (1 - beta) (v_leak + R S)``; CubaLIF
    ``tau_syn I' = -I + w_in S`` becomes ``I = alpha I + (1 - alpha) w_in S`` in front of that, the
    new current in the same step; IF and I ``v' = R S`` become ``v = v + dt R S``. The rule
    "exponential-euler-gain", Rockpool's, is ``v = beta v + (dt / tau) R S``, and for CubaLIF
    ``I = alpha (I + S)``, ``v = beta v + I``. By "euler-jump", norse's, the current of a CubaLIF
    is ``I = alpha I + w_in S``. By "euler-whole", spyx's, all gains are 1, whatever the node says,
    and with a current the reset comes first.
    """

    def value(key: str) -> np.ndarray:
        flat = np.ravel(np.asarray(getattr(node, key), np.float64))
        if flat.size not in (1, size):
            raise TriodiaError(f"{key} of node {name!r} must have {size} values, not {flat.size}")
        return np.broadcast_to(flat, (size,))

    def decay(key: str) -> np.ndarray:
        return _decay(name, key, value(key), dt, rule)

    alpha = zero = np.zeros(size)
    current = isinstance(node, (nir.CubaLIF, nir.CubaLI))
    if isinstance(node, (nir.IF, nir.I)):
        beta, leak = zero + 1, zero
        gain = zero + 1 if rule == "euler-whole" else dt * value("r")
    else:
        key = "tau_mem" if current else "tau"
        beta = decay(key)
        gain, leak = _membrane_gain(value("r"), value(key), beta, dt, rule), value("v_leak")
    if current:
        alpha = decay("tau_syn")
        gain = gain * _current_gain(value("w_in"), value("tau_syn"), alpha, dt, rule)
    threshold, low = None, zero
    if not isinstance(node, READOUTS):
        low = value("v_reset")
        threshold = value("v_threshold") - low
        _check_firing(name, threshold, low, reset)
    bias = (1 - beta) * (leak - low)
    kind, shifted = type(node).__name__, bool(low.any())
    first = current and rule == "euler-whole"
    return Population(name, kind, alpha, beta, gain, bias, threshold, shifted, current, first)


def _membrane_gain(
    r: np.ndarray, tau: np.ndarray, beta: np.ndarray, dt: float, rule: str
) -> np.ndarray:
    """What a unit of input adds to the potential in its step."""
    if rule == "euler-whole":
        return np.ones_like(beta)
    if rule != "exponential-euler-gain":
        return (1 - beta) * r
    gain = dt / tau * r
    # Rockpool 3.1 writes r = tau beta / dt, though its neurons add the input as it is.
    return np.where(np.isclose(gain, beta, rtol=1e-5), 1.0, gain)


def _current_gain(
    w_in: np.ndarray, tau: np.ndarray, alpha: np.ndarray, dt: float, rule: str
) -> np.ndarray:
    """What a unit of input adds to the synaptic current in its step."""
    if rule == "euler-whole":
        return np.ones_like(alpha)
    if rule == "euler-jump":
        return w_in
    if rule != "exponential-euler-gain":
        return (1 - alpha) * w_in
    # Rockpool 3.1 writes no w_in, which is 1 then; the current decays in the step that it enters.
    return np.where(w_in == 1, alpha, dt / tau * w_in)


def _decay(name: str, key: str, tau: np.ndarray, dt: float, rule: str) -> np.ndarray:
    if np.any(tau <= 0):
        raise TriodiaError(
            f"{key} of node {name!r} must be above 0, not {tau.min():g}; a decay above 1 is"
            f" exported so, {CLAMP}"
        )
    decay = decay_of_tau(tau, dt, rule)
    if np.any(decay < -1e-6):
        raise TriodiaError(
            f"{key} of node {name!r} is {tau.min():g} s, below the step of {dt:g} s: give the"
            " --dt that its exporter took (docs/nir.md), or if it is that, --discretization"
            " exponential"
        )
    return np.where(decay < 1e-7, 0.0, decay)


def late_subtraction(cells: Population) -> np.ndarray:
    """Weights onto themselves by which neurons that subtract at once do so a step later.

    ``v* = beta (v - threshold s) + w s`` is ``beta v - threshold s`` for
    ``w = -(1 - beta) threshold``, where ``s`` was the spike of the step before. Where weights enter
    a synaptic current, ``-alpha w`` a step later takes out what the current keeps of it. None are
    needed where the reset comes before the leak.
    """
    return -(1 - cells.beta) * cells.threshold * (not cells.resets_first)


def _check_firing(name: str, threshold: np.ndarray, low: np.ndarray, reset: str) -> None:
    if reset.startswith("subtract") and low.any():
        raise TriodiaError(
            f"v_reset of node {name!r} must be 0 when spikes subtract the threshold;"
            " use --reset zero, which resets to v_reset"
        )
    if np.any(threshold <= 0):
        raise TriodiaError(
            f"v_threshold of node {name!r} must be above v_reset, by {threshold.min():g} it is not;"
            " such a neuron would spike in every step"
        )
