"""Capacity of a board, computed with the machine's memory model."""

from dataclasses import dataclass, replace

from triodia_hw.compile.family import FAMILIES
from triodia_hw.machine.params import MachineParams

from .board import Board
from .flow.limits import DoesNotFit, check_fit

__all__ = ["Capacity", "capacity"]


@dataclass(frozen=True)
class Capacity:
    """The largest machine for a board; ``synapses`` counts words, fillers included."""

    board: str
    lanes: int
    neurons: int
    synapses: int
    blocks: int


def capacity(board: Board, neurons: int, *, lanes: int, weight_bits: int = 8) -> Capacity | None:
    """Most synapse words for ``neurons`` on ``board`` with ``lanes`` PEs; None if they do not fit.

    Assumes 16 graded inputs, 5-bit gaps, 18-bit state (16 on an iCE40) and 22-bit sums. Bisects in
    steps of 512 words per PE, the least a block RAM of this width holds.
    """
    p = MachineParams(
        inputs=16,
        neurons=neurons,
        lanes=lanes,
        weight_bits=weight_bits,
        gap_bits=5,
        state_bits=FAMILIES[board.family].state_bits,
        accumulator_bits=22,
        row_words=-(-neurons // lanes),
    )

    def fits(words: int) -> bool:
        try:
            check_fit(replace(p, synapse_words=512 * words), board)
        except DoesNotFit:
            return False
        return True

    if not fits(1):
        return None
    low, high = 1, 1 << 11
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return Capacity(board.name, lanes, neurons, lanes * 512 * low, board.blocks)
