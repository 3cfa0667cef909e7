"""Methods against random choice at equal counts: paired differences with an interval."""

from .lnp.summary import Group, interval, paired, verdict

__all__ = ["against_random"]


def against_random(
    choices: list[dict], results: list[dict], key: str, comparisons: int, *means: str
) -> list[dict]:
    """A row per case and method: the mean of ``key`` and its paired difference to "random".

    A case is all that ``choices`` has but method and seed. ``interval`` is half of the 95 %
    interval of the mean difference (Student's t, Bonferroni over ``comparisons``); ``counts``
    says whether it leaves 0 out. Without "random" in a case, or with one seed, there are none.
    ``means`` are further results to average.
    """
    groups: dict[tuple, dict[str, dict[int, dict]]] = {}
    for one, result in zip(choices, results, strict=True):
        case = tuple((k, v) for k, v in one.items() if k not in ("method", "seed"))
        groups.setdefault(case, {}).setdefault(one["method"], {})[one["seed"]] = result
    rows = []
    for case, by_method in groups.items():
        base = _values(by_method.get("random", {}), key)
        for method, found in by_method.items():
            row = {**dict(case), "method": method, "seeds": len(found)}
            row |= {n: round(interval([*_values(found, n).values()])[0], 4) for n in (key, *means)}
            if apart := paired(_values(found, key), base, comparisons):
                row |= {"over_random": round(apart["mean"], 4), "interval": round(apart["half"], 4)}
                row |= {"counts": verdict(apart, True) != "ties"}
            rows.append(row)
    return rows


def _values(found: dict[int, dict], name: str) -> Group:
    return {seed: result[name] for seed, result in found.items()}
