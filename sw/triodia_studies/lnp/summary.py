"""Statistics over seeds: means with intervals, and paired differences with tests."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import t, ttest_rel

from .cell import TASKS

__all__ = [
    "Group",
    "difference",
    "grouped",
    "interval",
    "matching",
    "mean_text",
    "paired",
    "percent",
    "points",
    "verdict",
]

Group = dict[int, float]  # value by seed
_SEEDS = 5  # of a full study; fewer are said


def grouped(
    records: Iterable[dict], names: str, field: str | None = None, **where: object
) -> dict[tuple, Group]:
    """Values by seed, by the choices ``names`` of the cell.

    ``field`` of the result, else the task's metric. ``where``: values of other choices, or tuples
    of those allowed.
    """
    groups: dict[tuple, Group] = defaultdict(dict)
    for record in matching(records, **where):
        cell, result = record["cell"], record.get("result", {})
        name = field or TASKS[cell["task"]][0]
        if name in result:
            groups[tuple(cell[n] for n in names.split())][cell["seed"]] = result[name]
    return dict(groups)


def matching(records: Iterable[dict], **where: object) -> list[dict]:
    """Records whose cells have these values, or one of these tuples of values."""
    allowed = {k: v if isinstance(v, tuple) else (v,) for k, v in where.items()}
    return [r for r in records if all(r["cell"][k] in v for k, v in allowed.items())]


def interval(values: Sequence[float], comparisons: int = 1) -> tuple[float, float]:
    """Mean and half width of its 95 % interval (Student's t over seeds); NaN for one value.

    With several ``comparisons``, the interval is widened for all of them (Bonferroni).
    """
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, float("nan")
    error = np.std(values, ddof=1) / np.sqrt(count)
    return mean, float(t.ppf(1 - 0.025 / comparisons, count - 1) * error)


def percent(values: Sequence[float]) -> str:
    """Mean and half width of its 95 % interval as text; one value has no interval."""
    mean, half = interval(values)
    return f"{mean:.1%} ± {half:.1%}" if len(values) > 1 else f"{mean:.1%}"


def paired(one: Group, other: Group, comparisons: int = 1) -> dict | None:
    """Difference ``one - other`` over the seeds both have; None for fewer than two.

    ``mean`` with ``half``, the 95 % half width for so many ``comparisons``, and ``p`` of the paired
    t test of this one.
    """
    seeds = sorted(one.keys() & other.keys())
    if len(seeds) < 2:
        return None
    a, b = np.array([one[s] for s in seeds]), np.array([other[s] for s in seeds])
    mean, half = interval(a - b, comparisons)
    if half == 0:  # all differences are equal: the test has no error to divide by
        return {"seeds": len(seeds), "mean": mean, "half": 0.0, "p": float(mean == 0)}
    return {"seeds": len(seeds), "mean": mean, "half": half, "p": float(ttest_rel(a, b).pvalue)}


def points(difference: dict | None) -> str:
    """A difference of accuracies as text, with its verdict for the first one."""
    if difference is None:
        return "–"
    text = f"{100 * difference['mean']:+.1f} ± {100 * difference['half']:.1f} points"
    return f"{verdict(difference, True)}: {text} (p {difference['p']:.2g})"


def verdict(difference: dict | None, more_is_better: bool) -> str:
    """ "wins", "ties" or "loses": whether the 95 % interval of the difference excludes 0."""
    if difference is None:
        return "–"
    if not abs(difference["mean"]) > difference["half"]:
        return "ties"
    return "wins" if (difference["mean"] > 0) == more_is_better else "loses"


def mean_text(values: Group | None) -> str:
    """Mean ± half width of the 95 % interval as text; says so if it rests on few seeds."""
    if not values:
        return "–"
    mean, half = interval([*values.values()])
    spread = f" ± {half:.2g}" if len(values) > 1 else ""
    return f"{mean:.3g}{spread}{_few(len(values))}"


def difference(one: Group | None, other: Group | None, task: str, *, short: bool = False) -> str:
    """Verdict and paired difference ``one - other`` as text; ``short`` does not say few seeds."""
    change = paired(one or {}, other or {})
    if change is None:
        return "–"
    text = f"{change['mean']:+.2g} ± {change['half']:.2g} (p {change['p']:.2g})"
    few = "" if short else _few(change["seeds"])
    return f"{verdict(change, TASKS[task][1])}: {text}{few}"


def _few(seeds: int) -> str:
    return "" if seeds >= _SEEDS else f" ({seeds} seed{'s' if seeds > 1 else ''})"
