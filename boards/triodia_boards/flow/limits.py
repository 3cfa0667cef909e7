"""Check that a machine fits a board, and choose how to build it."""

from dataclasses import replace

from triodia_hw.compile.options import QUEUES, Options
from triodia_hw.cost.resources import block_rams, multipliers, single_port_rams
from triodia_hw.errors import ContractError, TriodiaError
from triodia_hw.machine.params import MachineParams

from ..board import Board

__all__ = ["LINK_BLOCKS", "DoesNotFit", "check_fit"]

# Block RAMs of the link: two buffers, and on an iCE40 what an ECP5 has in distributed RAM.
LINK_BLOCKS = {"ecp5": 2, "ice40": 3, "gowin": 2, "xilinx": 2}

_WORKING = ("state", "sums_0", "sums_1")  # the state takes the fewest look-up tables
_GRAIN = 256  # synapse words: the smallest block of memory
_PARTS = 4  # adders per product without a multiplier, two levels per cycle


class DoesNotFit(TriodiaError, ValueError):
    """The machine needs more of a resource than the board has."""


def check_fit(p: MachineParams, board: Board, *, parity: bool = False) -> Options:
    """Choose options with which the machine and its link fit ``board``.

    Working memories, and queues on families without distributed RAM, go to block RAM while it
    lasts. Large single-port memory holds the synapses where the board has it. ``parity`` costs one
    block RAM per memory in block RAM. Raises :class:`DoesNotFit` if the machine exceeds the board;
    the message says what would help and names the nearest machine that fits.
    """
    if board.single_port and parity:
        raise DoesNotFit(
            f"{board.name} keeps synapses in memory that starts with random words, where parity "
            "says nothing; build without it or take another board"
        )
    try:
        return _choose(p, board, parity)
    except DoesNotFit as error:
        raise DoesNotFit(f"{error}; {_nearest(p, board, parity)}") from None


def _nearest(p: MachineParams, board: Board, parity: bool) -> str:
    """Most synapse words that fit with the same neurons, on as many PEs or fewer."""
    lanes, total = p.lanes, p.lanes * p.synapse_words
    while lanes:
        low, high = 0, -(-total // (lanes * _GRAIN))  # in grains a lane; low fits, high may
        while low < high:
            middle = (low + high + 1) // 2
            try:
                _choose(replace(p, lanes=lanes, synapse_words=middle * _GRAIN), board, parity)
                low = middle
            except (DoesNotFit, ContractError):
                high = middle - 1
        if low:
            words, lane = min(total, low * lanes * _GRAIN), "lanes" if lanes > 1 else "lane"
            return f"the nearest that fits holds {words} synapse words on {lanes} {lane}"
        lanes //= 2
    return f"no machine of {p.neurons} neurons like this one fits it"


def _choose(p: MachineParams, board: Board, parity: bool) -> Options:
    options = _multiplying(p, board, Options(family=board.family, parity=parity))
    if board.single_port:
        options = replace(options, single_port=("synapses",))
        need = single_port_rams(p, options)
        if need > board.single_port:
            raise DoesNotFit(
                f"{board.name} has {board.single_port} large memories and the machine needs {need} "
                f"for {p.lanes * p.synapse_words} synapse words on {p.lanes} lanes; "
                "prune further or take a larger board"
            )
    for choice in _orders(options):
        need = LINK_BLOCKS[board.family] + block_rams(p, choice)
        if need <= board.blocks:
            return _with_queues(p, board, choice)
    raise DoesNotFit(
        f"{board.name} has {board.blocks} block RAMs and the machine needs {need} for "
        f"{p.neurons} neurons and {p.lanes * p.synapse_words} synapse words on {p.lanes} lanes; "
        "prune further, use fewer lanes or weight bits, or take a larger board"
    )


def _multiplying(p: MachineParams, board: Board, options: Options) -> Options:
    """Build products from adders if the board has too few multipliers."""
    need = multipliers(p, board.multiplier_bits)
    if need <= board.multipliers:
        return options
    if board.family == "ice40":
        return replace(options, multiplier_parts=_PARTS)
    raise DoesNotFit(
        f"{board.name} has {board.multipliers} multipliers and the machine needs "
        f"{need} for {p.lanes} lanes; use fewer lanes or take a larger board"
    )


def _orders(options: Options) -> list[Options]:
    """Ways to build, best first; later ones take fewer block RAMs and more logic."""
    if options.blocks.small == "logic":  # no look-up table can be written
        return [options]
    return [replace(options, distributed=_WORKING[:k]) for k in range(len(_WORKING) + 1)]


def _with_queues(p: MachineParams, board: Board, options: Options) -> Options:
    """Put queues that would cost hundreds of registers into the remaining block RAM."""
    if options.blocks.small == "logic":
        for name in QUEUES:
            choice = replace(options, queues=(*options.queues, name))
            if LINK_BLOCKS[board.family] + block_rams(p, choice) <= board.blocks:
                options = choice
    return options
