"""Clock and area of the machine alone, by open place-and-route."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.probe import measure
from triodia_hw.machine.params import MachineParams

__all__ = ["CASES", "ClockCase", "clock_row"]

_COUNTS = ("lut4", "luts", "registers", "blocks", "single_port", "multipliers")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ClockCase:
    """A machine of given capacity on the FPGA of a board."""

    board: str
    lanes: int
    neurons: int
    synapses: int
    state_bits: int
    gap_bits: int
    row_words: int
    rows_per_pointer: int

    @property
    def params(self) -> MachineParams:
        """Gap-coded synapses of 8 bits, graded inputs of 8 bits."""
        return MachineParams(
            inputs=12,
            neurons=self.neurons,
            lanes=self.lanes,
            synapse_words=self.synapses // self.lanes,
            state_bits=self.state_bits,
            accumulator_bits=20,
            gap_bits=self.gap_bits,
            row_words=self.row_words,
            rows_per_pointer=self.rows_per_pointer,
        )


CASES = (
    ClockCase("ulx3s-25f", 8, 512, 1 << 15, 18, 5, 64, 2),
    ClockCase("icebreaker", 2, 256, 1 << 16, 16, 7, 128, 2),
    ClockCase("hx8k-evb", 2, 128, 1 << 11, 16, 6, 63, 1),
    ClockCase("ulx3s-85f", 16, 1024, 1 << 17, 18, 5, 31, 4),
    ClockCase("ulx3s-85f", 32, 1024, 1 << 16, 18, 5, 31, 4),
)


def clock_row(case: ClockCase, seeds: list[int], progress: Progress) -> dict:
    """Fmax over placement ``seeds``, with nextpnr's default effort, and what the machine takes."""
    board, start, found = BOARDS[case.board], time.monotonic(), []
    # Of the machine alone: without the link's blocks.
    options = check_fit(
        case.params, replace(board, blocks=board.blocks + LINK_BLOCKS[board.family])
    )
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="triodia-clock-") as folder:
            report = measure(case.params, board, Path(folder), options=options, seed=seed)
        found.append(report)
        progress(f"{case.board}, {case.lanes} lanes, seed {seed}: {report['fmax_mhz']} MHz")
    return {
        "board": case.board,
        "lanes": case.lanes,
        "neurons": case.neurons,
        "synapses": case.synapses,
        "distributed": list(options.distributed),
        "queues": list(options.queues),
        **{k: found[0][k] for k in _COUNTS},
        "lut4_per_lane": round(found[0]["lut4"] / case.lanes, 1),
        "seeds": seeds,
        "fmax_mhz": [report["fmax_mhz"] for report in found],
        "fmax_min": min(report["fmax_mhz"] for report in found),
        "fmax_median": median(report["fmax_mhz"] for report in found),
        "seconds": round(time.monotonic() - start),
    }
