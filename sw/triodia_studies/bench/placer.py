"""How long the placer takes."""

import time

import numpy as np

from triodia_hw.compile.placement import place
from triodia_hw.machine.params import MachineParams

__all__ = ["placer_rows"]

_CASES = ((256, 8), (1000, 16), (2000, 16), (2000, 32))  # neurons, lanes
_INPUTS, _STEPS, _DENSITY, _RATE = 16, 500, 0.05, 0.05


def placer_rows(seed: int) -> list[dict]:
    """Seconds for random networks and recordings, one row a size."""
    return [_row(*case, seed) for case in _CASES]


def _row(neurons: int, lanes: int, seed: int) -> dict:
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
        "seconds": round(time.perf_counter() - start, 2),
    }
