"""Check that a machine fits a board, and choose how to build it."""

from dataclasses import dataclass, replace

from triodia_hw.compile.options import QUEUES, Options
from triodia_hw.cost.logic import logic
from triodia_hw.cost.resources import block_rams, multipliers, single_port_rams
from triodia_hw.errors import ContractError, TriodiaError
from triodia_hw.machine.params import MachineParams

from ..board import Board
from ..catalog import BOARDS

__all__ = [
    "LINK_BLOCKS",
    "DoesNotFit",
    "Needs",
    "check_fit",
    "check_logic",
    "check_sdram",
    "needs",
]

# Block RAMs of the link: two buffers, and without distributed RAM what an ECP5 has there.
LINK_BLOCKS = {"ecp5": 2, "ice40": 3, "gowin": 2, "gw5a": 3, "xilinx": 2}

_WORKING = ("state", "sums_0", "sums_1")  # the state takes the fewest look-up tables
_GRAIN = 256  # synapse words: the smallest block of memory
_ADDING = ("ice40", "gw5a")  # families that have parts without multipliers
_PARTS = 4  # adders per product without a multiplier, two levels per cycle
_FULL = 0.98  # of the logic, beyond which the tools rarely find a placement
_DOUBT = 2.0  # errors by which a machine must exceed a board to be refused unbuilt
_NAMES = {"luts": "look-up tables", "registers": "flip-flops"}


class DoesNotFit(TriodiaError, ValueError):
    """The machine needs more of a ``resource`` than the board has: "memory", "multipliers" or
    "logic"; ``options`` are those by which it needs least, where they are known."""

    def __init__(self, message: str, resource: str = "", options: Options | None = None) -> None:
        super().__init__(message)
        self.resource, self.options = resource, options


@dataclass(frozen=True)
class Needs:
    """What a machine with its link needs; ``luts`` and ``registers`` are foretold."""

    blocks: int
    single_port: int
    multipliers: int
    luts: int
    registers: int

    def percent(self, board: Board) -> dict[str, float]:
        """Share of each resource of ``board``, in percent; resources it lacks are left out."""
        have = {name: getattr(board, name) for name in self.__dataclass_fields__}
        return {k: round(100 * getattr(self, k) / n, 1) for k, n in have.items() if n}


def needs(p: MachineParams, board: Board, options: Options) -> Needs:
    """What a machine of ``p`` built with ``options`` needs on ``board``."""
    foretold = logic(p, options)
    adders = options.multiplier_parts > 1
    return Needs(
        blocks=LINK_BLOCKS[board.family] + block_rams(p, options),
        single_port=single_port_rams(p, options),
        multipliers=0 if adders else multipliers(p, board.multiplier_bits),
        luts=foretold.luts,
        registers=foretold.registers,
    )


def check_fit(
    p: MachineParams,
    board: Board,
    *,
    parity: bool = False,
    surely: bool = False,
    advice: bool = True,
) -> Options:
    """Choose options with which the machine and its link fit ``board``.

    Working memories, and queues on families without distributed RAM, go to block RAM while it
    lasts. Large single-port memory holds the synapses where the board has it. ``parity`` costs one
    block RAM per memory in block RAM. Logic is foretold (:mod:`triodia_hw.cost.logic`): a machine
    is refused if it exceeds the board even with twice the model's error in its favour, or,
    ``surely``, unless it fits with the error against it.

    Raises
    ------
    DoesNotFit
        The message says what would help (unless not ``advice``), all of it true for this machine.
    """
    if p.external:
        check_sdram(board)
        if parity:
            raise DoesNotFit(
                "synapses in SDRAM cannot have parity: their words fill the memory; build without "
                "it, or quantize with `--synapses chip`"
            )
    if board.single_port and parity:
        raise DoesNotFit(
            f"{board.name} keeps synapses in memory that starts with random words, where parity "
            "says nothing; build without it or take another board"
        )
    try:
        return _choose(p, board, parity, surely)
    except DoesNotFit as error:
        if not advice:
            raise
        message = f"{error}; {_advice(p, board, parity)}"
        raise DoesNotFit(message, error.resource, error.options) from None


def check_sdram(board: Board) -> None:
    """Raise :class:`DoesNotFit` if ``board`` has no SDRAM."""
    if board.sdram is None:
        have = ", ".join(name for name, one in BOARDS.items() if one.sdram)
        raise DoesNotFit(
            f"{board.name} has no SDRAM for the synapses; take one of {have}, or quantize with "
            "`--synapses chip`",
            "memory",
        )


def check_logic(board: Board, *, luts: int, registers: int) -> None:
    """Raise :class:`DoesNotFit` if a synthesised design has more than ``board``.

    Counts of the netlist; what place-and-route adds to them is not known yet.
    """
    for name, need in (("luts", luts), ("registers", registers)):
        if need > getattr(board, name):
            raise DoesNotFit(
                f"{board.name} has {getattr(board, name)} {_NAMES[name]} and the synthesised "
                f"machine {need}; use fewer lanes or take a larger board",
                "logic",
            )


def _advice(p: MachineParams, board: Board, parity: bool) -> str:
    """What would make the machine fit, of what the user can change."""
    total = p.lanes * p.synapse_words
    found = []
    if 0 < (words := _most_words(p, board, parity)) < total:
        found.append(f"prune further, to {words} synapse words on {_lanes(p.lanes)}")
    for lanes in range(p.lanes - 1, 0, -1):
        if _holds(_with(p, lanes, -(-total // lanes)), board, parity):
            found.append(f"use {_lanes(lanes)}, on which the network fits")
            break
    else:
        fewer = [(_most_words(_with(p, n, 1), board, parity), n) for n in range(1, p.lanes)]
        words, lanes = max(fewer, default=(0, 0))
        if 0 < words < total and not found:
            found.append(f"prune further, to {words} synapse words on {_lanes(lanes)}")
    larger = [b for b in BOARDS.values() if b.luts > board.luts and _holds(p, b, parity)]
    if larger:
        found.append(f"take a larger board such as {min(larger, key=_size).name}")
    return ", or ".join(found) or "no supported board holds it on as many lanes or fewer"


def _lanes(count: int) -> str:
    return f"{count} lane{'s' * (count > 1)}"


def _size(board: Board) -> tuple[int, int]:
    return board.luts, board.blocks


def _with(p: MachineParams, lanes: int, words: int) -> MachineParams | None:
    """``p`` on other lanes with so many synapse words each; None if no machine is so."""
    try:
        return replace(p, lanes=lanes, synapse_words=words)
    except ContractError:
        return None


def _holds(p: MachineParams | None, board: Board, parity: bool) -> bool:
    try:
        return p is not None and bool(_choose(p, board, parity, True))
    except DoesNotFit:
        return False


def _most_words(p: MachineParams | None, board: Board, parity: bool) -> int:
    """Most synapse words of all lanes that fit with everything else as in ``p``; 0 if none."""
    if p is None:
        return 0
    low, high = 0, (1 << 20) // _GRAIN  # in grains a lane; low fits, high may
    while low < high:
        middle = (low + high + 1) // 2
        fits = _holds(_with(p, p.lanes, middle * _GRAIN), board, parity)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * _GRAIN * p.lanes


def _choose(p: MachineParams, board: Board, parity: bool, surely: bool) -> Options:
    options = _multiplying(p, board, Options(family=board.family, parity=parity))
    if board.single_port:
        options = replace(options, single_port=("synapses",))
        need = single_port_rams(p, options)
        if need > board.single_port:
            raise DoesNotFit(
                f"{board.name} has {board.single_port} large memories and the machine needs {need} "
                f"for {p.lanes * p.synapse_words} synapse words on {_lanes(p.lanes)}",
                "memory",
            )
    for choice in _orders(options):
        need = LINK_BLOCKS[board.family] + block_rams(p, choice)
        if need <= board.blocks:
            return _with_logic(p, board, _with_queues(p, board, choice), surely)
    raise DoesNotFit(
        f"{board.name} has {board.blocks} block RAMs and the machine needs {need} for "
        f"{p.neurons} neurons and {p.lanes * p.synapse_words} synapse words on {_lanes(p.lanes)}",
        "memory",
        choice,
    )


def _with_logic(p: MachineParams, board: Board, options: Options, surely: bool) -> Options:
    """``options`` if the logic foretold for them fits."""
    foretold = logic(p, options)
    for name, text in _NAMES.items():
        need, have, error = getattr(foretold, name), getattr(board, name), foretold.error[name]
        factor = (1 + error) / _FULL if surely else 1 - _DOUBT * error
        if need * factor > have:
            raise DoesNotFit(
                f"{board.name} has {have} {text} and the machine needs about {need} for "
                f"{p.neurons} neurons on {_lanes(p.lanes)}",
                "logic",
                options,
            )
    return options


def _multiplying(p: MachineParams, board: Board, options: Options) -> Options:
    """Build products from adders if the board has too few multipliers."""
    need = multipliers(p, board.multiplier_bits)
    if need <= board.multipliers:
        return options
    if board.family in _ADDING:
        return replace(options, multiplier_parts=_PARTS)
    raise DoesNotFit(
        f"{board.name} has {board.multipliers} multipliers and the machine needs "
        f"{need} for {_lanes(p.lanes)}",
        "multipliers",
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
