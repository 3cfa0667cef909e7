"""Our own machine in the comparison: complete, its network loadable, with one PE or several."""

from dataclasses import replace
from pathlib import Path

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.probe import measure
from triodia_hw.errors import CheckFailed
from triodia_sim.native import cosimulate_native

from .peer import Speed
from .placing import BOARD
from .workload import Workload

__all__ = ["place_ours", "run_ours"]

_KEYS = ("lut4", "luts", "registers", "blocks", "multipliers", "fmax_mhz")


def place_ours(workload: Workload, folder: Path, seed: int) -> dict[str, int | float]:
    """The figures of :func:`.placing.place` for the machine of ``workload.image``, without link."""
    board, p = BOARDS[BOARD], workload.image.params
    room = replace(board, blocks=board.blocks + LINK_BLOCKS[board.family])
    found = measure(p, board, folder, options=check_fit(p, room), seed=seed)
    return {key: found[key] for key in _KEYS}


def run_ours(workload: Workload, folder: Path) -> Speed:
    """Play the exported Verilog; every word it puts out is compared with the reference.

    Raises
    ------
    CheckFailed
        If a word differs, or the machine counts other operations than the network has.
    CosimError
        If Verilator, make or g++ is missing.
    """
    result = cosimulate_native(workload.image, workload.sequences, folder, more=False)
    counted = result.counters["operations"]
    if result.mismatches or counted != workload.operations:
        raise CheckFailed(
            f"our machine differs from its reference: {result.mismatches} words, {counted} "
            f"operations of {workload.operations}"
        )
    return Speed(result.steps, result.cycles, counted, result.spikes)
