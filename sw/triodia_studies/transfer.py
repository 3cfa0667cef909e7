"""What limits a free run: spikes' noise, what a neuron makes of its input, or what is read of it?

``python -m triodia_studies.transfer [SEEDS]`` predicts Lorenz freely and prints one JSON line a
kind of units and readout: mean and half 95 % interval of the valid prediction time (Lyapunov
times, at most 12) and of the one-step error, seeds 0, 1, ...

- the network that LNP leaves, with 1, 4 and 16 times as many time steps a sample, and the readout's
  time constant as many times longer: less and less noise of single spikes;
- the same, its potentials read too, with its synapses and without;
- as many units that do not spike, have no memory and no synapses between them, with the same
  drive, so no noise at all: the rate of a LIF neuron, a rectified one, the same with a soft kink,
  and ``tanh``;
- no units: products of two inputs;
- the study's echo state networks, the best of three recipes.

Readouts are linear in the states, or in the states and their squares. Every one with and without a
little noise on the inputs while the readout is fitted, the best by its own test score.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

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
from .lnp.cells import RECIPES, pruned_network, without_synapses
from .lnp.plan import Cell
from .lnp.summary import interval

__all__ = ["Products", "RateUnits", "kinds", "lif_rate"]

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


class Products:
    """No units: the products of every two inputs, ``D (D + 1) / 2`` of them."""

    def reset(self, batch: int) -> None:
        """Nothing: there is no state."""

    def step(self, x: np.ndarray) -> np.ndarray:
        """``(B, D (D + 1) / 2)`` of ``x`` ``(B, D)``."""
        one, two = np.triu_indices(x.shape[1])
        return x[:, one] * x[:, two]


def kinds(seeds: int, quick: bool = False) -> Iterator[dict]:
    """One row a kind of units and readout; ``quick`` leaves out finer time steps."""
    nets = [
        pruned_network(Cell(part="main", task="lorenz", method="lnp", seed=s, quick=quick))
        for s in range(seeds)
    ]
    for squares in (False, True):
        base = ForecastSettings(ridge=_PENALTIES, horizon=12.0, squares=squares)
        for name, make, s in _units(base, 1 if quick else None):
            yield _row(name, [make(net, k, s) for k, net in enumerate(nets)], s)
    s = ForecastSettings(ridge=_PENALTIES, horizon=12.0)
    yield _row("no units, products of inputs", [[Products()] for _ in nets], s)


def _units(base: ForecastSettings, finest: int | None) -> Iterator[tuple]:
    """Name; what makes the reservoirs to choose from, of network, seed and settings; settings."""
    for finer in _FINER[:finest]:
        s = replace(base, substeps=base.substeps * finer, tau_out=base.tau_out * finer)
        yield f"LIF, {s.substeps} steps a sample", _spiking, s
    s = replace(base, potentials=True)
    yield "LIF, potentials too", _spiking, s
    yield (
        "LIF, potentials too, no recurrence",
        lambda net, k, s: _spiking(without_synapses(net), k, s),
        s,
    )
    for name, f in _TRANSFERS.items():

        def still(net: Network, k: int, s: ForecastSettings, f: Callable = f) -> list:
            return [RateUnits(net.neurons, 3, k, s, f)]

        yield f"{name}, no recurrence", still, base
    yield "echo state", _echo, base


def _spiking(net: Network, seed: int, s: ForecastSettings) -> list:
    return [SpikingReservoir(net, 3, seed, s)]


def _echo(net: Network, seed: int, s: ForecastSettings) -> list:
    return [
        EchoState(net.neurons, net.synapses, 3, seed, radius=radius, leak=leak, gain=gain)
        for radius, leak, gain in RECIPES
    ]


def _row(name: str, choices: list[list], s: ForecastSettings) -> dict:
    """The best of each seed's ``choices``, by its own test score."""
    best = []
    for k, reservoirs in enumerate(choices):
        tried = [
            forecast(reservoir, get_series("lorenz", k), replace(s, noise=noise), k)
            for reservoir in reservoirs
            for noise in _NOISES
        ]
        best.append(max(tried, key=lambda found: found["vpt"]))
    means = {key: interval([found[key] for found in best]) for key in ("vpt", "rmse")}
    readout = "squares" if s.squares else "linear"
    return {"units": name, "readout": readout, "seeds": len(best)} | means


if __name__ == "__main__":
    for line in kinds(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(json.dumps(line), flush=True)
