"""How many PEs: the fewest that meet a latency, or those of the fastest machine on a board."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from triodia_boards.board import Board
from triodia_boards.flow.limits import DoesNotFit, check_fit
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image

from ..network.network import Network
from ..tasks.catalog import TaskData
from .inference import input_events
from .quantize import QuantizeOptions, quantize

__all__ = ["CLOCKS", "LANES", "Choice", "Sized", "choose", "fastest_for", "smallest_for"]

LANES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
# MHz at which machines that nobody placed are compared; builds reach about as much
CLOCKS = {"ecp5": 100.0, "xilinx": 100.0, "gowin": 27.0, "gw5a": 50.0, "ice40": 20.0}
_SAMPLES = 10  # test samples whose cycles are counted, evenly spread
_WORTH = 0.95  # more PEs must save a twentieth of the cycles

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sized:
    """A machine of ``lanes`` PEs, and its cycles and SOPs per sample by the exact model."""

    image: Image
    lanes: int
    cycles: float
    operations: float


@dataclass(frozen=True)
class Choice:
    """A number of PEs, and a sentence that says why."""

    lanes: int
    reason: str


def choose(
    net: Network,
    data: TaskData,
    options: QuantizeOptions,
    lanes: int | None,
    board: Board | None,
    latency: float | None,
    progress: Progress = lambda *_: None,
) -> Choice:
    """PEs for a network: ``lanes`` if given, else by ``latency`` (microseconds per sample at the
    family's usual clock, :data:`CLOCKS`), else the fastest machine that fits ``board``.

    Raises
    ------
    TriodiaError
        If no machine meets the latency, or none fits the board.
    """
    if lanes is not None:
        found, reason = _as_asked(net, data, replace(options, lanes=lanes), latency)
    elif latency is not None:
        found, reason = _by_latency(net, data, options, latency, progress)
    else:
        found = fastest_for(net, data, options, board, progress=progress)
        reason = f"the fastest machine that fits {board.name}: {_time(found, options)}"
    if board is not None:
        check_fit(found.image.params, board)
    return Choice(found.lanes, f"{_pes(found.lanes)}, {reason}.")


def _as_asked(
    net: Network, data: TaskData, options: QuantizeOptions, latency: float | None
) -> tuple[Sized, str]:
    found = _sized(net, data, options, _SAMPLES)
    reason = f"as asked: {_time(found, options)}"
    if latency is not None and found.cycles > latency * CLOCKS[options.family]:
        reason += f", more than the {latency:g} µs that were asked for"
    return found, reason


def _by_latency(
    net: Network, data: TaskData, options: QuantizeOptions, latency: float, progress: Progress
) -> tuple[Sized, str]:
    clock = CLOCKS[options.family]
    found, less = smallest_for(net, data, options, latency * clock, progress=progress)
    if found.cycles > latency * clock:
        raise TriodiaError(
            f"`--latency` {latency:g} µs cannot be met: the fastest machine has"
            f" {_pes(found.lanes)} and takes {_time(found, options)}."
            " Prune further, or allow more time."
        )
    beside = f" ({_pes(less.lanes)}: {less.cycles / clock:.1f} µs)" if less else ""
    return found, f"the fewest that meet {latency:g} µs: {_time(found, options)}{beside}"


def _pes(lanes: int) -> str:
    return "1 PE" if lanes == 1 else f"{lanes} PEs"


def _time(found: Sized, options: QuantizeOptions) -> str:
    clock = CLOCKS[options.family]
    return f"{found.cycles / clock:.1f} µs per sample at {clock:g} MHz"


def _sized(net: Network, data: TaskData, options: QuantizeOptions, samples: int) -> Sized:
    image = quantize(net, data, options)
    sequences = input_events(image, data.x_test, data.len_test, limit=samples)
    cycles = float(step_cycles(image, sequences)[-1]) / len(sequences)
    work = sum(int(step.loads.sum()) for step in work_of(image, sequences)) / len(sequences)
    return Sized(image, options.lanes, round(cycles, 1), work)


def smallest_for(
    net: Network,
    data: TaskData,
    options: QuantizeOptions,
    most: float,
    *,
    samples: int = _SAMPLES,
    progress: Progress = lambda *_: None,
) -> tuple[Sized, Sized | None]:
    """The machine of fewest PEs that takes at most ``most`` cycles per sample.

    Over ``samples`` test samples, evenly spread. If even 32 PEs are too slow, the fastest machine.
    Beside it the largest smaller one that was tried, and is too slow; ``None`` if there is none.
    ``options.lanes`` is ignored.
    """
    found: list[Sized] = []
    for done, lanes in enumerate(LANES):
        progress(done, len(LANES))
        if found and found[0].operations > most * lanes and lanes < LANES[-1]:
            continue  # a PE takes a cycle for each of its operations
        found.append(_sized(net, data, replace(options, lanes=lanes), samples))
        if found[-1].cycles <= most or lanes >= net.neurons:
            break
    progress(len(LANES), len(LANES))
    chosen = found[-1] if found[-1].cycles <= most else min(found, key=lambda s: s.cycles)
    smaller = [s for s in found if s.lanes < chosen.lanes]
    return chosen, smaller[-1] if smaller else None


def fastest_for(
    net: Network,
    data: TaskData,
    options: QuantizeOptions,
    board: Board,
    *,
    samples: int = _SAMPLES,
    progress: Progress = lambda *_: None,
) -> Sized:
    """The fastest machine that fits ``board``: more PEs count only if they save 5 % of the cycles.

    Raises
    ------
    DoesNotFit
        If no number of PEs fits; the message is that of one PE.
    """
    best, refused = None, None
    tried = LANES[: 1 + sum(n < net.neurons for n in LANES)]
    for done, lanes in enumerate(tried):
        progress(done, len(tried))
        one = _sized(net, data, replace(options, lanes=lanes), samples)
        try:
            check_fit(one.image.params, board, advice=refused is None)
        except DoesNotFit as error:
            refused = refused or error
            continue
        if best is None or one.cycles < _WORTH * best.cycles:
            best = one
    progress(len(tried), len(tried))
    if best is None:
        raise refused
    return best
