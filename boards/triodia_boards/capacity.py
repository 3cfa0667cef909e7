"""Capacity of a board, computed with the machine's models of memory and logic."""

from dataclasses import dataclass, replace

from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.sdram import WORD_BITS, WORDS
from triodia_hw.errors import ContractError
from triodia_hw.machine.params import MachineParams

from .board import Board
from .catalog import BOARDS
from .flow.limits import DoesNotFit, check_fit, needs

__all__ = ["Capacity", "capacity", "sdram_words", "smallest_board"]


@dataclass(frozen=True)
class Capacity:
    """The largest machine for a board; ``synapses`` counts words, fillers included.

    ``percent`` : share of each of the board's resources that it takes. ``limit`` : of which
    resource more words would need too much: "memory", "multipliers" or "logic".
    """

    board: str
    lanes: int
    neurons: int
    synapses: int
    percent: dict[str, float]
    limit: str


def capacity(board: Board, neurons: int, *, lanes: int, weight_bits: int = 8) -> Capacity:
    """Most synapse words for ``neurons`` on ``board`` with ``lanes`` PEs; 0 if not even one fits.

    Assumes 16 graded inputs, 5-bit gaps, 18-bit state (16 on an iCE40) and 22-bit sums. Bisects in
    steps of 512 words per PE, the least a block RAM of this width holds. Logic must fit even with
    its model's error against it.
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
    low, high, limit = 0, 1 << 11, "memory"
    while high - low > 1:
        middle = (low + high) // 2
        try:
            check_fit(replace(p, synapse_words=512 * middle), board, surely=True, advice=False)
            low = middle
        except DoesNotFit as error:
            high, limit = middle, error.resource
    if not low:
        return Capacity(board.name, lanes, neurons, 0, {}, limit)
    p = replace(p, synapse_words=512 * low)
    percent = needs(p, board, check_fit(p, board, surely=True)).percent(board)
    return Capacity(board.name, lanes, neurons, lanes * 512 * low, percent, limit)


def sdram_words(board: Board, neurons: int, *, weight_bits: int = 8) -> int:
    """Synapse words in the SDRAM of ``board`` for ``neurons`` on one PE; 0 if it has none or the
    rest of the machine does not fit."""
    try:
        p = MachineParams(
            inputs=16,
            neurons=neurons,
            lanes=1,
            weight_bits=weight_bits,
            gap_bits=max(1, min(14, WORD_BITS - weight_bits)),
            state_bits=FAMILIES[board.family].state_bits,
            accumulator_bits=28,
            row_words=neurons,
            synapse_words=WORDS,
            external=True,
        )
        check_fit(p, board, surely=True, advice=False)
    except (ContractError, DoesNotFit):
        return 0
    return WORDS


def smallest_board(p: MachineParams, family: str) -> tuple[str, dict[str, float]] | None:
    """Name of the smallest shipped board of ``family`` that a machine of ``p`` surely fits, and
    the share of each of its resources that it takes, in percent. None if there is none."""
    boards = [board for board in BOARDS.values() if board.family == family]
    for board in sorted(boards, key=lambda board: (board.luts, board.blocks)):
        try:
            options = check_fit(p, board, surely=True, advice=False)
        except DoesNotFit:
            continue
        return board.name, needs(p, board, options).percent(board)
    return None
