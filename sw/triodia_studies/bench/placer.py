"""Benchmark the placer's run time."""

import time
from pathlib import Path

import numpy as np

from triodia.lab.stage import stage
from triodia_hw.compile.placement import place
from triodia_hw.machine.params import MachineParams

__all__ = ["placed", "plan"]

_CASES = ((256, 8), (1000, 16), (2000, 16), (2000, 32))  # neurons, lanes
_INPUTS, _STEPS, _DENSITY, _RATE = 16, 500, 0.05, 0.05


def plan(seed: int) -> list[dict]:
    """Choices of :func:`placed` for every size."""
    return [{"neurons": n, "lanes": lanes, "seed": seed} for n, lanes in _CASES]


@stage(label="placer", cost=3.0)
def placed(folder: Path, choices: dict) -> dict:
    """Seconds for a random network of ``neurons`` on ``lanes`` and a random recording."""
    neurons, lanes, seed = (choices[key] for key in ("neurons", "lanes", "seed"))
    rng, sources = np.random.default_rng(seed), _INPUTS + neurons
    source, target = np.nonzero(rng.random((sources, neurons)) < _DENSITY)
    row_start = np.searchsorted(source, np.arange(sources + 1))
    activity = (rng.random((_STEPS, sources)) < _RATE).astype(np.int64)
    p = MachineParams(inputs=_INPUTS, neurons=neurons, lanes=lanes)
    start = time.perf_counter()
    place(p, row_start, target, activity)
    return {
        "neurons": neurons,
        "lanes": lanes,
        "synapses": int(target.size),
        "steps": _STEPS,
        "placing": round(time.perf_counter() - start, 2),
    }
