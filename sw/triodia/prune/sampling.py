"""Sampling with given keep probabilities and an exact count."""

import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = ["highest", "keep_count", "keep_probabilities", "largest", "sample"]


def keep_count(total: int, keep: float) -> int:
    """Number of items that a fraction ``keep`` of ``total`` is; at least 1."""
    if not 0 < keep <= 1:
        raise TriodiaError(f"the fraction kept must be above 0 and at most 1, not {keep!r}")
    return max(1, round(keep * total))


def keep_probabilities(
    score: np.ndarray, keep: float, group: np.ndarray | None = None
) -> np.ndarray:
    """``min(1, rho * score)`` with ``rho`` such that they sum to a fraction ``keep`` of all.

    ``score`` is ``(M,)``, at least 0. ``rho`` is found by bisection on its logarithm; with
    ``group`` ``(M,)``, for each group.
    """
    if group is not None:
        whole = np.zeros(score.size)
        for mine in _groups(group):
            whole[mine] = keep_probabilities(score[mine], keep)
        return whole
    count = keep_count(score.size, keep)
    if not np.all(np.isfinite(score)) or np.any(score < 0):
        raise TriodiaError("scores must be finite and 0 or more")
    positive = int((score > 0).sum())
    if count > positive:
        raise TriodiaError(
            f"the fraction kept must be at most {positive / score.size:.4f}: the"
            " other synapses have score 0"
        )
    low, high = np.log(1e-3 / score.max()), np.log(1e3 / score[score > 0].min())
    for _ in range(100):
        middle = (low + high) / 2
        total = np.minimum(1, np.exp(middle) * score).sum()
        low, high = (middle, high) if total < count else (low, middle)
    return np.minimum(1, np.exp(high) * score)


def sample(
    probability: np.ndarray, rng: np.random.Generator, group: np.ndarray | None = None
) -> np.ndarray:
    """Choose exactly ``round(sum p)`` items with inclusion probabilities close to ``p``; bool.

    Pareto sampling (Rosén 1997): the smallest ``u (1 - p) / (p (1 - u))`` are taken, so ``p = 1``
    is always in and ``p = 0`` never. An exact count makes networks and their controls comparable.
    With ``group`` ``(M,)``, each group is sampled by itself.
    """
    if group is not None:
        whole = np.zeros(probability.shape, bool)
        for mine in _groups(group):
            whole[mine] = sample(probability[mine], rng)
        return whole
    u = rng.random(probability.shape)
    with np.errstate(divide="ignore"):
        rank = u * (1 - probability) / (probability * (1 - u))
    chosen = np.zeros(probability.shape, bool)
    chosen[np.argsort(rank, kind="stable")[: round(float(probability.sum()))]] = True
    return chosen


def highest(score: np.ndarray, keep: float, group: np.ndarray | None = None) -> np.ndarray:
    """The fraction ``keep`` of the items ``(M,)`` of highest ``score``; bool, ties by order.

    With ``group`` ``(M,)``, that fraction of each group.
    """
    chosen = np.zeros(score.size, bool)
    for mine in [np.arange(score.size)] if group is None else _groups(group):
        chosen[mine] = largest(score[mine], keep_count(mine.size, keep))
    return chosen


def largest(score: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` items ``(M,)`` of highest ``score``; bool, ties by order."""
    chosen = np.zeros(score.size, bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def _groups(group: np.ndarray) -> list[np.ndarray]:
    """Indices of the items of each group."""
    return [np.flatnonzero(group == value) for value in np.unique(group)]
