"""Prediction with a frozen recurrent part: ridge readout, one step ahead and running free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from triodia.network.network import Network
from triodia.network.random import random_mask
from triodia.tasks.series import Series
from triodia_hw.errors import TriodiaError

__all__ = [
    "DRIVE",
    "EchoState",
    "ForecastSettings",
    "SpikingReservoir",
    "forecast",
    "random_inputs",
]

DRIVE = 4.0  # a neuron's settled potential, in thresholds, divided by its input


@dataclass(frozen=True, kw_only=True)
class ForecastSettings:
    """Options of ``forecast``; the same for every method compared.

    Parameters
    ----------
    substeps : time steps of the network per sample of the series.
    input_gain : standard deviation of a neuron's input for standardised series.
    input_density : fraction of the neurons that each input reaches.
    bias : standard deviation of a constant input, so that neurons differ in working point.
    tau_out : time constant of the readout's spike trace, network steps.
    potentials : the readout also sees each neuron's potential, averaged like the trace.
    squares : the readout also sees the square of each state (Pathak et al. 2018 square half).
    washout : samples before fitting or scoring starts.
    windows, horizon : number of free runs, and their length in Lyapunov times.
    ridge : penalties to try; the best on the last fifth of the training part is used.
    tuning_horizon : length of the free runs that choose the penalty.
    noise : standard deviation of noise added to inputs while the readout is fitted.
    """

    substeps: int = 10
    input_gain: float = 1.0
    input_density: float = 0.5
    bias: float = 0.6
    tau_out: float = 16.0
    potentials: bool = False
    squares: bool = False
    washout: int = 100
    windows: int = 12
    horizon: float = 6.0
    ridge: Sequence[float] = (1e-2, 1.0, 100.0, 1e4)
    tuning_horizon: float = 6.0
    noise: float = 0.0


class _Reservoir(Protocol):
    def reset(self, batch: int) -> None: ...
    def step(self, x: np.ndarray) -> np.ndarray: ...


def random_inputs(
    neurons: int, inputs: int, seed: int, s: ForecastSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw input mask ``(N, I)``, weights ``(I, N)`` and constant input ``(N,)``."""
    rng = np.random.default_rng([seed, 12])
    mask = random_mask((neurons, inputs), s.input_density, rng)
    weights = rng.standard_normal(mask.shape) * mask
    w_in = (s.input_gain / np.sqrt(s.input_density * inputs) * weights).T
    return mask, w_in, s.bias * rng.standard_normal(neurons)


class SpikingReservoir:
    """A network driven by a series; its state is the leaky trace of each neuron's spikes.

    ``step(x)`` takes ``(B, D)`` and returns ``(B, N)`` traces ``r <- exp(-1/tau_out) r + s`` after
    ``substeps`` steps of the contract's neuron; with ``potentials`` ``(B, 2 N)``, followed by the
    traces of ``v``. Neurons must reset by subtraction, without synaptic current, refractory
    period and adaptation, and no synapse may wait. ``spikes`` counts ``(N,)`` spikes and ``steps``
    the steps, both summed over the batch.
    """

    def __init__(self, net: Network, inputs: int, seed: int, s: ForecastSettings) -> None:
        plain = net.tau_syn is None and net.reset == "subtract" and not net.adaptive
        if not plain or net.refractory.any():
            raise TriodiaError(
                "forecasting takes neurons that reset by subtraction, never rest and do not adapt"
            )
        if net.delays:
            raise TriodiaError(
                f"forecasting takes no delays, and synapses of this network wait up to"
                f" {net.delays[-1]} steps; make it without `--max-delay`"
            )
        self.mask_in, self.w_in, bias = random_inputs(net.neurons, inputs, seed, s)
        self.w = np.ascontiguousarray(net.w_rec.T.astype(np.float64))
        self.bias = net.bias + bias
        self.beta = np.exp(-1 / net.tau_mem.astype(np.float64))
        # Slow neurons would sum more of the same input: drive by what a step can change.
        self.leak = 1 - self.beta
        self.decay, self.substeps = np.exp(-1 / s.tau_out), s.substeps
        self.potentials = s.potentials
        self.threshold, self.net = net.threshold.astype(np.float64), net
        self.reset(1)

    def reset(self, batch: int) -> None:
        """All state 0, counters too."""
        shape = (batch, self.net.neurons)
        self.v, self.s, self.r, self.p = (np.zeros(shape) for _ in range(4))
        self.spikes, self.steps = np.zeros(self.net.neurons), 0

    def step(self, x: np.ndarray) -> np.ndarray:
        drive = (x @ self.w_in + self.bias) * self.leak * DRIVE
        for _ in range(self.substeps):
            self.r = self.decay * self.r + self.s
            if self.potentials:
                self.p = self.decay * self.p + self.v
            v = self.beta * self.v + drive + self.s @ self.w
            self.s = (v >= self.threshold).astype(np.float64)
            self.v = v - self.s * self.threshold
            self.spikes += self.s.sum(0)
        self.steps += self.substeps * len(x)
        seen = np.hstack([self.r, self.p]) if self.potentials else self.r
        return seen * (1 - self.decay)

    def operations(self) -> float:
        """Synaptic operations of the recurrent part per sample of the series."""
        sent = float(self.spikes @ self.net.mask_rec.sum(0))
        return sent / max(self.steps / self.substeps, 1)


class EchoState:
    """Leaky-tanh echo state network (Jaeger 2001) with given units and recurrent synapses.

    ``h <- (1 - a) h + a tanh(W h + W_in x + b)``; ``W`` is uniformly random on a random graph and
    scaled to ``radius``. The caller chooses leak and radius.
    """

    def __init__(
        self,
        units: int,
        synapses: int,
        inputs: int,
        seed: int,
        *,
        radius: float = 0.9,
        leak: float = 0.5,
        gain: float = 0.5,
    ) -> None:
        rng = np.random.default_rng([seed, 13])
        w = np.zeros(units * units)
        w[rng.permutation(w.size)[:synapses]] = rng.standard_normal(synapses)
        w = w.reshape(units, units)
        greatest = np.abs(np.linalg.eigvals(w)).max()
        self.w = (w * (radius / greatest if greatest > 0 else 0.0)).T
        self.w_in = gain * rng.standard_normal((inputs, units))
        self.bias, self.leak = 0.2 * rng.standard_normal(units), leak
        self.reset(1)

    def reset(self, batch: int) -> None:
        """All state 0."""
        self.h = np.zeros((batch, len(self.bias)))

    def step(self, x: np.ndarray) -> np.ndarray:
        new = np.tanh(self.h @ self.w + x @ self.w_in + self.bias)
        self.h = (1 - self.leak) * self.h + self.leak * new
        return self.h


def forecast(reservoir: _Reservoir, series: Series, s: ForecastSettings, seed: int = 0) -> dict:
    """Fit a ridge readout of ``[state, x, 1]`` to the next change of ``x``, and score it.

    With ``s.squares`` the readout uses ``[state, state ** 2, x, 1]``. ``rmse`` is the one-step
    error on the test part, in standard deviations of the training part; ``persistence`` is the
    error of predicting no change. For a flow, ``vpt`` is the mean valid prediction time in Lyapunov
    times: until the error's norm exceeds 0.4 of the root mean square norm of the test part (Pathak
    et al. 2018), at most ``horizon``. The same measure on the last fifth of the training part
    chooses the ridge penalty.
    """
    rng = np.random.default_rng([seed, 14])
    x = series.train
    noisy = x + s.noise * rng.standard_normal(x.shape)
    states = _run(reservoir, noisy, s)
    penalty = _best_penalty(reservoir, series, states, noisy, s)
    w = _fit(states[s.washout : -1], x[s.washout :], noisy[s.washout :], penalty)
    tested = _run(reservoir, series.test, s)
    still = np.sqrt(np.mean(np.diff(series.test[s.washout :], axis=0) ** 2))
    report = {"rmse": _rmse(tested[s.washout :], series.test[s.washout :], w)}
    report |= {"persistence": float(still), "ridge": penalty}
    if isinstance(reservoir, SpikingReservoir):
        report |= {"sops": reservoir.operations()}
        report |= {"rate": float(reservoir.spikes.mean() / reservoir.steps)}
    if series.lyapunov_time is not None:
        report |= {"vpt": float(_vpt(reservoir, w, series.test, series, s).mean())}
    return report


def _best_penalty(
    reservoir: _Reservoir,
    series: Series,
    states: np.ndarray,
    noisy: np.ndarray,
    s: ForecastSettings,
) -> float:
    """Best of ``s.ridge``, fitted on four fifths of the training part, scored on the last."""
    x, start = series.train, s.washout
    cut = int(0.8 * len(x))
    tuned = replace(s, horizon=s.tuning_horizon, windows=max(4, s.windows // 2))

    def score(penalty: float) -> float:
        w = _fit(states[start : cut - 1], x[start:cut], noisy[start:cut], penalty)
        if series.lyapunov_time is None:
            return _rmse(states[cut:], x[cut:], w)
        return -_vpt(reservoir, w, x[cut:], series, tuned).mean()

    return min(s.ridge, key=score)


def _step(reservoir: _Reservoir, x: np.ndarray, s: ForecastSettings) -> np.ndarray:
    """Advance by ``x``; return the readout's view of the state."""
    state = reservoir.step(x)
    return np.hstack([state, state**2]) if s.squares else state


def _run(reservoir: _Reservoir, x: np.ndarray, s: ForecastSettings) -> np.ndarray:
    reservoir.reset(1)
    return np.array([_step(reservoir, row[None], s)[0].copy() for row in x])


def _features(states: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.hstack([states, x, np.ones((len(x), 1))])


def _fit(states: np.ndarray, x: np.ndarray, seen: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge weights ``(F, D)`` from ``[state(t), seen(t), 1]`` to ``x(t + 1) - seen(t)``."""
    f = _features(states, seen[:-1])
    gram = f.T @ f + 1e-3 * penalty * np.eye(f.shape[1])
    return np.linalg.solve(gram, f.T @ (x[1:] - seen[:-1]))


def _rmse(states: np.ndarray, x: np.ndarray, w: np.ndarray) -> float:
    guess = x[:-1] + _features(states[:-1], x[:-1]) @ w
    return float(np.sqrt(np.mean((guess - x[1:]) ** 2)))


def _vpt(
    reservoir: _Reservoir,
    w: np.ndarray,
    x: np.ndarray,
    series: Series,
    s: ForecastSettings,
) -> np.ndarray:
    """Valid prediction time in Lyapunov times of ``s.windows`` windows spread over ``x``."""
    length = int(s.horizon * series.lyapunov_time)
    length = min(length, len(x) - s.washout - 2)
    starts = np.linspace(0, len(x) - s.washout - length - 1, s.windows).astype(int)
    size = np.sqrt(np.mean((x**2).sum(1)))
    reservoir.reset(s.windows)
    for k in range(s.washout):
        state = _step(reservoir, x[starts + k], s)
    now, alive, steps = x[starts + s.washout - 1], np.ones(s.windows, bool), np.zeros(s.windows)
    for k in range(length):
        now = np.clip(now + _features(state, now) @ w, -5, 5)  # a blow-up is wrong, not inf
        alive &= np.linalg.norm(now - x[starts + s.washout + k], axis=1) / size <= 0.4
        steps += alive
        if not alive.any():
            break
        state = _step(reservoir, now, s)
    return steps / series.lyapunov_time
