"""Search the best design for a board: train few networks fully, then place and route.

All networks are first trained for a few epochs and quantized for all machines, so memory and cycles
come from real images. For the best metric, successive halving follows (Jamieson & Talwalkar 2016):
the better third trains three times as long, and so on. For the least latency with a metric floor,
bisection along the latency trains networks fully, one by one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from triodia_boards.catalog import get_board
from triodia_hw.errors import TriodiaError

from ..ranges import check_finite
from .chain import explore
from .grid import Cell, grid
from .rows import Row
from .runner import Progress
from .stages import NATIVE
from .store import Store

__all__ = ["AXES", "Goal", "fit_board"]

# Default search space.
AXES = {
    "neurons": (64, 128, 256),
    "synapses": (1.0, 0.5, 0.25, 0.12, 0.06),
    "weight_bits": (8, 4),
    "lanes": (1, 2, 4, 8),
}
_NETWORK = ("neurons", "synapses")
_THIRD = 3
_FIRST_EPOCHS = 4
_TRIES = 3  # most designs placed and routed until one meets the goal
# MHz before place-and-route, below what machines that fit have reached (docs/performance.md).
_CLOCK = {"ecp5": 100.0, "ice40": 40.0}
# Expected seconds: of an epoch, of quantizing one network for all machines, of a build.
_EPOCH, _MACHINES, _BUILD = 0.15, 12.0, 140.0


@dataclass(frozen=True)
class Goal:
    """Maximise the metric; or minimise the latency where the metric is at least ``floor``.

    ``ceiling``: microseconds per sample, at most. Raises :class:`TriodiaError` if both are given,
    or one cannot be held.
    """

    floor: float | None = None
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if self.floor is not None and self.ceiling is not None:
            raise TriodiaError("ask for a metric floor or a latency ceiling, not for both")
        check_finite({"metric floor": self.floor, "latency ceiling": self.ceiling})
        if self.ceiling is not None and self.ceiling < 0:
            raise TriodiaError(f"latency ceiling must be 0 µs or more, not {self.ceiling:g}")

    def holds(self, row: Row) -> bool:
        """Whether ``row`` fits its board and meets the limit."""
        if not row.fits:
            return False
        if self.floor is not None:
            return row.metric_integer >= self.floor
        return self.ceiling is None or _latency(row) <= self.ceiling

    def key(self, row: Row) -> tuple:
        """Sort key, greater is better; rows that miss the limit come last, nearest first."""
        holds, metric, latency = self.holds(row), row.metric_integer, -_latency(row)
        if not row.fits:
            return (-1, -row.blocks_model)
        if self.floor is not None:
            return (int(holds), latency if holds else metric, metric)
        if self.ceiling is not None and not holds:
            return (0, latency)
        return (1, metric, latency)


def _latency(row: Row) -> float:
    """Microseconds per sample; before place-and-route at a conservative clock."""
    if row.us_per_sample is not None:
        return row.us_per_sample
    return row.cycles_per_sample / _CLOCK[get_board(row.board).family]


def fit_board(
    common: Mapping[str, object],
    axes: Mapping[str, Sequence],
    goal: Goal,
    store: Store,
    *,
    workers: int,
    scheduler: str | None,
    progress: Progress,
) -> dict:
    """Search ``axes`` for the best design for ``goal`` on a board, and build it.

    ``common``: the other choices, board and epochs of a full training among them. Returns
    ``chosen`` (a row, built and co-simulated), ``given_up`` (rows that were built before it and
    did not hold), ``designs`` (all rows of the last rung that each reached), ``rungs``,
    ``epochs_spent``, ``epochs_of_grid`` and ``sentence``.

    Raises
    ------
    TriodiaError
        If no design fits or none holds the limit: the message names the nearest.
    """
    how = {"workers": workers, "scheduler": scheduler, "progress": progress}
    search = _Search(dict(common), axes, goal, store, how)
    networks = {_network(asdict(cell)) for cell in grid(common, axes)}
    search.rounds = _rounds(len(networks), search.whole, goal)
    first = search.rung(min(_FIRST_EPOCHS, search.whole), None)
    rows = search.bisect(first) if goal.floor is not None else search.halve(first)
    *given_up, chosen = _confirm(rows, goal, store, **how | {"progress": search.progress()})
    result = {"chosen": chosen, "designs": list(search.seen.values()), "rungs": search.rungs}
    result["given_up"] = given_up
    result["epochs_spent"] = sum(rung["epochs"] * rung["networks"] for rung in search.rungs)
    result["epochs_of_grid"] = search.whole * len(networks)
    return result | {"sentence": _sentence(result)}


@dataclass
class _Search:
    """Rungs of a search; ``seen`` has each design at its longest training so far."""

    common: dict
    axes: Mapping[str, Sequence]
    goal: Goal
    store: Store
    how: dict
    seen: dict[tuple, Row] = field(default_factory=dict)
    rungs: list[dict] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)  # expected shares of the work

    def progress(self) -> Progress:
        """Progress of the next round as a part of the whole search."""
        update, total = self.how["progress"], sum(self.rounds)
        place = min(len(self.rungs), len(self.rounds) - 1)
        before, mine = sum(self.rounds[:place]), self.rounds[place]
        name = f"round {place + 1} of {len(self.rounds)}"

        def inner(done: int, whole: int, remark: str = "") -> None:
            share = (before + mine * done / whole) / total
            update(round(100 * share), 100, f"{name}: {remark}")

        return inner

    @property
    def whole(self) -> int:
        """Epochs of a full training."""
        return Cell(**self.common).epochs

    def rung(self, epochs: int, networks: set[tuple] | None) -> list[Row]:
        """All machines of ``networks`` (default: of all), trained for ``epochs``."""
        cells = grid({**self.common, "epochs": epochs}, self.axes)
        cells = [c for c in cells if networks is None or _network(asdict(c)) in networks]
        rows = _run(cells, self.store, **self.how | {"progress": self.progress()})
        self.seen |= {tuple(row.choices[name] for name in AXES): row for row in rows}
        count = len({_network(row.choices) for row in rows})
        self.rungs.append({"epochs": epochs, "networks": count, "designs": len(rows)})
        if networks is None and not any(row.fits for row in rows):
            raise TriodiaError(_nothing_fits(rows))
        return rows

    def halve(self, rows: list[Row]) -> list[Row]:
        """Train the better third of the networks three times as long, until one is complete."""
        epochs = rows[0].choices["epochs"]
        while epochs < self.whole:
            order = _ranked(rows, self.goal)
            left = order[: math.ceil(len(order) / _THIRD)]
            epochs = self.whole if len(left) == 1 else min(self.whole, epochs * _THIRD)
            rows = self.rung(epochs, set(left))
        return rows

    def bisect(self, rows: list[Row]) -> list[Row]:
        """Bisect for the fastest network that reaches the floor; assumes slower ones reach more."""
        order = _ranked(rows, Goal(ceiling=0.0))  # none holds that: the fastest first
        low, high, trained = 0, len(order) - 1, []
        while low <= high:
            middle = (low + high) // 2
            now = self.rung(self.whole, {order[middle]})
            trained += now
            if any(self.goal.holds(row) for row in now):
                high = middle - 1
            else:
                low = middle + 1
        return trained


def _rounds(networks: int, whole: int, goal: Goal) -> list[float]:
    """Expected seconds of the rounds of a search, place-and-route the last of them."""
    epochs = min(_FIRST_EPOCHS, whole)
    rounds = [networks * (epochs * _EPOCH + _MACHINES)]
    if goal.floor is not None:
        count = math.ceil(math.log2(networks + 1))
        return [*rounds, *[whole * _EPOCH + _MACHINES] * count, _BUILD]
    while epochs < whole:
        networks = math.ceil(networks / _THIRD)
        epochs = whole if networks == 1 else min(whole, epochs * _THIRD)
        rounds.append(networks * (epochs * _EPOCH + _MACHINES))
    return [*rounds, _BUILD]


def _run(cells: Sequence[Cell], store: Store, build: bool = False, **how: object) -> list[Row]:
    confirm = len(cells) if build else 0
    return explore(cells, store, confirm=confirm, simulator=NATIVE, build=build, **how).rows


def _network(choices: Mapping[str, object]) -> tuple:
    return tuple(choices[name] for name in _NETWORK)


def _ranked(rows: Sequence[Row], goal: Goal) -> list[tuple]:
    """Networks by their best machine, the best first; of those that fit somewhere."""
    best = {}
    for row in sorted(rows, key=goal.key):
        if row.fits:
            best[_network(row.choices)] = goal.key(row)
    return sorted(best, key=best.get, reverse=True)


def _confirm(rows: Sequence[Row], goal: Goal, store: Store, **how: object) -> list[Row]:
    """Build and co-simulate the best design, or the next if it misses the limit; return all built.

    Logic is not known before synthesis and grows with the number of PEs. If it exceeds the FPGA,
    the next design has fewer PEs.
    """
    order = sorted(rows, key=goal.key, reverse=True)
    left, tried = [row for row in order if goal.holds(row)], []
    while left and len(tried) < _TRIES:
        (built,) = _run([Cell(**left[0].choices)], store, build=True, **how)
        tried.append(built)
        if goal.holds(built):
            return tried
        lanes = math.inf if built.fits else built.choices["lanes"]
        left = [row for row in left[1:] if row.choices["lanes"] < lanes]
    raise TriodiaError(_not_reached(tried or [row for row in order if row.fits][:1], goal))


def _nothing_fits(rows: Sequence[Row]) -> str:
    nearest = min(rows, key=lambda row: (row.blocks_model, row.synapses_stored))
    return (
        f"no design fits; the nearest is {_words(nearest.choices)}: {nearest.reason}; "
        "ask for fewer neurons or synapses"
    )


def _not_reached(rows: Sequence[Row], goal: Goal) -> str:
    row = max(rows, key=goal.key)
    limit = (
        f"a metric of at least {goal.floor:g}"
        if goal.floor is not None
        else f"at most {goal.ceiling:g} µs per sample"
        if goal.ceiling is not None
        else "the board"
    )
    return (
        f"no design found holds {limit}; the nearest is {_words(row.choices)} with "
        f"{row.metric_integer:.3f} and {_latency(row):.1f} µs per sample"
    )


def _words(choices: Mapping[str, object]) -> str:
    return (
        f"{choices['neurons']} neurons with {choices['synapses']:g} of their synapses, "
        f"{choices['weight_bits']} bits, {choices['lanes']} lanes"
    ) + (f", delays of up to {choices['max_delay']} steps" if choices["max_delay"] else "")


def _sentence(result: dict) -> str:
    """Sentence on the choice, its limit, and the cost of the search."""
    row, designs = result["chosen"], result["designs"]
    misfits = [d for d in designs if not d.fits]
    better = [d for d in misfits if d.metric_integer > row.metric_integer]
    why = (
        f"{len(misfits)} of {len(designs)} designs do not fit, "
        f"{len(better)} of them with a better metric when they were left"
        if misfits
        else "the memories of all designs fit"
    )
    if large := [r.choices["lanes"] for r in result["given_up"] if not r.fits]:
        why += f"; with {' and '.join(map(str, large))} lanes it takes more logic than there is"
    if slow := sum(r.fits for r in result["given_up"]):
        why += f"; {slow} better designs were slower than asked for once placed"
    return (
        f"{_words(row.choices)}: {row.metric_integer:.1%} on the test set, "
        f"{row.us_per_sample:.1f} µs per sample at {row.fmax_mhz:.0f} MHz, "
        f"{row.blocks} block RAMs; {why}. The search trained {result['epochs_spent']} epochs, "
        f"the whole grid would have taken {result['epochs_of_grid']}."
    )
