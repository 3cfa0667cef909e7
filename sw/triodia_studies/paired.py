"""Methods against random choice at equal counts: paired differences with an interval."""

import numpy as np
from scipy.stats import t

__all__ = ["against_random"]


def against_random(
    choices: list[dict], results: list[dict], key: str, comparisons: int, *means: str
) -> list[dict]:
    """A row per case and method: the mean of ``key`` and its paired difference to "random".

    A case is all that ``choices`` has but method and seed. ``interval`` is half of the 95 %
    interval of the mean difference (Student's t, Bonferroni over ``comparisons``); ``counts``
    says whether it leaves 0 out. Without "random" in a case there are no differences. ``means``
    are further results to average.
    """
    groups: dict[tuple, dict[str, list[dict]]] = {}
    for one, result in zip(choices, results, strict=True):
        case = tuple((k, v) for k, v in one.items() if k not in ("method", "seed"))
        groups.setdefault(case, {}).setdefault(one["method"], []).append(result)
    rows = []
    for case, by_method in groups.items():
        for method, found in by_method.items():
            scores = np.array([result[key] for result in found])
            row = {**dict(case), "method": method, "seeds": len(found), key: _round(scores)}
            row |= {name: _round([result[name] for result in found]) for name in means}
            if "random" in by_method:
                base = np.array([result[key] for result in by_method["random"]])
                row |= _difference(scores - base, comparisons)
            rows.append(row)
    return rows


def _difference(apart: np.ndarray, comparisons: int) -> dict:
    count = len(apart)
    if count < 2:
        return {"over_random": _round(apart)}
    quantile = t.ppf(1 - 0.025 / comparisons, count - 1)
    half = float(quantile * apart.std(ddof=1) / np.sqrt(count))
    counts = bool(abs(apart.mean()) > half)
    return {"over_random": _round(apart), "interval": round(half, 4), "counts": counts}


def _round(values: np.ndarray | list[float]) -> float:
    return round(float(np.mean(values)), 4)
