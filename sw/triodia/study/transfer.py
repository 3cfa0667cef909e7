"""What limits a free run: spikes' noise, or what a neuron makes of its input?

``python -m triodia.study.transfer [SEEDS]`` predicts Lorenz freely, as the study does, and prints
one JSON line a kind of units: mean and half 95 % interval of the valid prediction time (Lyapunov
times, at most 6) and of the one-step error, seeds 0, 1, ...

- the network that LNP leaves, with 1, 4 and 16 times as many time steps a sample, and the readout's
  time constant as many times longer: less and less noise of single spikes;
- as many units that do not spike, have no memory and no synapses between them, with the same
  drive, so no noise at all: the rate of a LIF neuron, a rectified one, the same with a soft kink,
  and ``tanh``;
- the study's echo state network.

Every one with and without a little noise on the inputs while the readout is fitted, the better by
its own test score, as the study's echo state networks have it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ..data.series import get_series
from ..forecast import DRIVE, ForecastSettings, SpikingReservoir, forecast, random_inputs
from .cells import compute, pruned_network
from .plan import Cell
from .summary import interval

__all__ = ["RateUnits", "kinds", "lif_rate"]

_PENALTIES = (1e-6, 1e-4, 1e-2, 1.0, 1e2)
_FINER = (1, 4, 16)
_NOISES = (0.0, 1e-3)
_SOFTNESS = 0.2  # of the kink, in thresholds


def lif_rate(z: np.ndarray) -> np.ndarray:
    """Spikes a time constant of a LIF neuron whose potential, unreset, would settle at ``z``.

    ``1 / ln(z / (z - 1))``, thresholds of 1, 0 where ``z <= 1``; exact where the time constant is
    long: reset to zero and by subtraction are then the same.
    """
    above = np.maximum(z, 1 + 1e-12)
    return np.where(z > 1, 1 / np.log(above / (above - 1)), 0.0)


_TRANSFERS = {
    "LIF rate": lif_rate,
    "rectified": lambda z: np.maximum(z - 1, 0),
    "rectified, soft": lambda z: _SOFTNESS * np.logaddexp(0, (z - 1) / _SOFTNESS),
    "tanh": lambda z: np.tanh(z - 1),
}


class RateUnits:
    """``count`` units ``f(DRIVE (w x + b))``, driven as the neurons of ``SpikingReservoir`` are."""

    def __init__(
        self, count: int, inputs: int, seed: int, s: ForecastSettings, f: Callable
    ) -> None:
        _, self.w_in, self.bias = random_inputs(count, inputs, seed, s)
        self.f = f

    def reset(self, batch: int) -> None:
        """Nothing: there is no state."""

    def step(self, x: np.ndarray) -> np.ndarray:
        """``(B, count)`` of ``x`` ``(B, inputs)``."""
        return self.f(DRIVE * (x @ self.w_in + self.bias))


def kinds(seeds: int, quick: bool = False) -> Iterator[dict]:
    """One row a kind of units; ``quick`` leaves out finer time steps."""
    base = ForecastSettings(ridge=_PENALTIES)
    cells = [
        Cell(part="main", task="lorenz", method="lnp", seed=s, quick=quick) for s in range(seeds)
    ]
    nets = [pruned_network(cell) for cell in cells]
    for finer in _FINER[: 1 if quick else None]:
        s = replace(base, substeps=base.substeps * finer, tau_out=base.tau_out * finer)
        made = [SpikingReservoir(net, 3, k, s) for k, net in enumerate(nets)]
        yield _row(f"LIF, {s.substeps} steps a sample", made, s)
    for name, transfer in _TRANSFERS.items():
        made = [RateUnits(net.neurons, 3, k, base, transfer) for k, net in enumerate(nets)]
        yield _row(f"{name}, no recurrence", made, base)
    yield _summary("echo state", [compute(replace(cell, method="esn")) for cell in cells])


def _row(name: str, reservoirs: list, s: ForecastSettings) -> dict:
    best = []
    for k, reservoir in enumerate(reservoirs):
        series = get_series("lorenz", k)
        tried = [forecast(reservoir, series, replace(s, noise=noise), k) for noise in _NOISES]
        best.append(max(tried, key=lambda found: found["vpt"]))
    return _summary(name, best)


def _summary(name: str, found: list[dict]) -> dict:
    means = {key: interval([f[key] for f in found]) for key in ("vpt", "rmse")}
    return {"units": name, "seeds": len(found)} | means


if __name__ == "__main__":
    for line in kinds(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(json.dumps(line), flush=True)
