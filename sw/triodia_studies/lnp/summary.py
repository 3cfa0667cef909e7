"""Statistics over seeds: means with intervals, and paired differences with tests."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import t, ttest_rel

from .cell import TASKS

__all__ = ["Group", "grouped", "interval", "paired", "percent", "points", "verdict"]

Group = dict[int, float]  # value by seed


def grouped(
    records: Sequence[dict], key: Callable[[dict], tuple], field: str | None = None
) -> dict[tuple, Group]:
    """Values by seed, by ``key`` of the cell; ``field`` of the result, or the task's metric."""
    groups: dict[tuple, Group] = defaultdict(dict)
    for record in records:
        if "result" in record:
            cell = record["cell"]
            name = field or TASKS[cell["task"]][0]
            if name in record["result"]:
                groups[key(cell)][cell["seed"]] = record["result"][name]
    return dict(groups)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval (Student's t over seeds); NaN for one value."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, float("nan")
    error = np.std(values, ddof=1) / np.sqrt(count)
    return mean, float(t.ppf(0.975, count - 1) * error)


def percent(values: Sequence[float]) -> str:
    """Mean and half width of its 95 % interval as text; one value has no interval."""
    mean, half = interval(values)
    return f"{mean:.1%} ± {half:.1%}" if len(values) > 1 else f"{mean:.1%}"


def paired(one: Group, other: Group) -> dict | None:
    """Difference ``one - other`` over the seeds both have; None for fewer than two.

    ``mean`` with ``half``, the 95 % half width, and ``p`` of the paired t test.
    """
    seeds = sorted(one.keys() & other.keys())
    if len(seeds) < 2:
        return None
    a, b = np.array([one[s] for s in seeds]), np.array([other[s] for s in seeds])
    mean, half = interval(a - b)
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
