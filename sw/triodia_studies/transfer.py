"""Find what limits free runs: spike noise, the neuron's transfer function, or the readout.

``triodia-studies run transfer`` predicts Lorenz freely and prints one row per kind of units and
readout: mean and half 95 % interval of the valid prediction time (Lyapunov times, at most 12) and
of the one-step error over seeds.

- the pruned network with 1, 4 and 16 times as many time steps per sample, and the readout's time
  constant scaled alike: less and less noise from single spikes;
- the same with potentials in the readout, with and without synapses;
- as many units without spikes, memory or synapses, driven alike, so without noise: the rate of a
  LIF neuron, a rectified unit, the same with a soft kink, and ``tanh``;
- no units: products of two inputs;
- the study's echo state networks, the best of three recipes.

Readouts are linear in the states, or in the states and their squares. Each is fitted with and
without a little noise on the inputs, and the better by test score counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.tasks.series import get_series

from .forecast import (
    DRIVE,
    EchoState,
    ForecastSettings,
    SpikingReservoir,
    forecast,
    random_inputs,
)
from .lnp.cell import Cell
from .lnp.cells import RECIPES, pruned_network, without_synapses
from .lnp.summary import interval
from .study import Study, by_seed

__all__ = ["STUDY", "Products", "RateUnits", "freely", "lif_rate", "plan"]

_PENALTIES = (1e-6, 1e-4, 1e-2, 1.0, 1e2)
_FINER = (1, 4, 16)
_NOISES = (0.0, 1e-3)
_NO_UNITS = "no units, products of inputs"
_SOFTNESS = 0.2  # of the kink, in thresholds


def lif_rate(z: np.ndarray) -> np.ndarray:
    """Spikes per time constant of a LIF neuron whose potential would settle at ``z`` unreset.

    ``1 / ln(z / (z - 1))`` for threshold 1; 0 where ``z <= 1``. Exact for long time constants,
    where reset to zero and by subtraction are the same.
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
    """``count`` units ``f(DRIVE (w x + b))``, driven like the neurons of ``SpikingReservoir``."""

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


class Products:
    """Products of every two inputs, ``D (D + 1) / 2`` features, without units."""

    def reset(self, batch: int) -> None:
        """Nothing: there is no state."""

    def step(self, x: np.ndarray) -> np.ndarray:
        """``(B, D (D + 1) / 2)`` of ``x`` ``(B, D)``."""
        one, two = np.triu_indices(x.shape[1])
        return x[:, one] * x[:, two]


def plan(seeds: list[int], quick: bool = False) -> list[dict]:
    """Choices of :func:`freely` for every kind of units; ``quick`` leaves out finer time steps."""
    base = ForecastSettings()
    names = [(name, sq) for sq in (False, True) for name in _units(base, 1 if quick else None)]
    names.append((_NO_UNITS, False))
    return [
        {"units": name, "squares": squares, "quick": quick, "seed": seed}
        for name, squares in names
        for seed in seeds
    ]


@stage(label="free runs", cost=60.0)
def freely(folder: Path, choices: dict) -> dict:
    """Best reservoir and noise of one kind by test score: ``vpt``, ``rmse``."""
    seed, s = choices["seed"], ForecastSettings(ridge=_PENALTIES, horizon=12.0)
    cell = Cell(part="main", task="lorenz", method="lnp", seed=seed, quick=choices["quick"])
    if choices["units"] == _NO_UNITS:
        reservoirs = [Products()]
    else:
        make, s = _units(replace(s, squares=choices["squares"]))[choices["units"]]
        reservoirs = make(pruned_network(cell), seed, s)
    tried = [
        forecast(reservoir, get_series("lorenz", seed), replace(s, noise=noise), seed)
        for reservoir in reservoirs
        for noise in _NOISES
    ]
    best = max(tried, key=lambda found: found["vpt"])
    return {key: best[key] for key in ("vpt", "rmse")}


def _rows(choices: list[dict], results: list[dict]) -> Iterator[dict]:
    for group in by_seed(choices, results).values():
        first = group[0][0]
        row = {"units": first["units"], "readout": "squares" if first["squares"] else "linear"}
        means = {key: interval([found[key] for _, found in group]) for key in ("vpt", "rmse")}
        yield row | {"seeds": len(group)} | means


STUDY = Study(freely, plan, _rows)


def _units(base: ForecastSettings, finest: int | None = None) -> dict[str, tuple]:
    """By name: what makes the reservoirs of network, seed and settings; and the settings."""
    found = {}
    for finer in _FINER[:finest]:
        s = replace(base, substeps=base.substeps * finer, tau_out=base.tau_out * finer)
        found[f"LIF, {s.substeps} steps per sample"] = (_spiking, s)
    s = replace(base, potentials=True)
    found["LIF, potentials too"] = (_spiking, s)
    found["LIF, potentials too, no recurrence"] = (_cut, s)
    for name, f in _TRANSFERS.items():

        def still(net: Network, k: int, s: ForecastSettings, f: Callable = f) -> list:
            return [RateUnits(net.neurons, 3, k, s, f)]

        found[f"{name}, no recurrence"] = (still, base)
    return found | {"echo state": (_echo, base)}


def _cut(net: Network, seed: int, s: ForecastSettings) -> list:
    return _spiking(without_synapses(net), seed, s)


def _spiking(net: Network, seed: int, s: ForecastSettings) -> list:
    return [SpikingReservoir(net, 3, seed, s)]


def _echo(net: Network, seed: int, s: ForecastSettings) -> list:
    return [
        EchoState(net.neurons, net.synapses, 3, seed, radius=radius, leak=leak, gain=gain)
        for radius, leak, gain in RECIPES
    ]
