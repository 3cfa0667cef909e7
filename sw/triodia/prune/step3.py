"""Step III: add synapses until the eigenvectors are as delocalised as they were."""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .measures import localisation

__all__ = ["CHOICES", "EdgeOptions", "add_edges", "candidate_scores"]

CHOICES = ("heterogeneity", "random", "localised")


@dataclass(frozen=True, kw_only=True)
class EdgeOptions:
    """Options of step III.

    Parameters
    ----------
    budget : most synapses to add, as a fraction of the present ones; any size.
    total : above 0, the fraction of the synapses before pruning to fill up to, whatever the
        localisation; ``budget`` and ``tolerance`` do not count then.
    tolerance : fraction by which localisation may stay above its goal.
    rounds : equal parts in which the budget is spent; the goal is checked after each.
    choice : "heterogeneity" (paper: largest growth of degree heterogeneity in the neighbourhood),
        "localised" (between neurons on which eigenvectors concentrate) or "random" (a control).
    """

    budget: float = 0.1
    total: float = 0.0
    tolerance: float = 0.02
    rounds: int = 5
    choice: str = "heterogeneity"

    def __post_init__(self) -> None:
        if not (self.budget >= 0 and self.tolerance >= 0 and self.rounds >= 1):
            raise TriodiaError("budget and tolerance must be 0 or more, rounds 1 or more")
        if not 0 <= self.total <= 1:
            raise TriodiaError(f"total must be in 0..1, not {self.total!r}")
        if self.choice not in CHOICES:
            raise TriodiaError(f"choice must be one of {', '.join(CHOICES)}, not {self.choice!r}")


def candidate_scores(
    net: Network, choice: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places where a synapse may be added, ``(N, N)`` bool, and their scores (highest first).

    Candidates join neurons within two hops of the undirected graph that have no synapse in that
    direction, in layers that are joined. "heterogeneity": with degree ``d_i`` and mean degree
    ``m_i`` of the neighbours of ``i``, ``H = sum_i (d_i - m_i)^2`` grows by
    ``2 (d_i - m_i) + 2 (d_j - m_j)`` to first order in the ends' own degrees. "localised": sum over
    eigenvectors of ``|v_i|^4``, of both ends.
    Ties are broken at random.
    """
    joined = net.mask_rec | net.mask_rec.T
    near = joined.astype(np.float32)
    places = (joined | ((near @ near) > 0)) & ~net.mask_rec & net.places()
    if choice == "heterogeneity":
        degree = near.sum(1)
        own = degree - near @ degree / np.maximum(degree, 1)
    elif choice == "localised":
        own = (np.abs(np.linalg.eig(net.w_rec.astype(np.float64))[1]) ** 4).sum(1)
    else:
        own = np.zeros(net.neurons)
    spread = max(float(np.abs(own).max()), 1e-12)
    return places, own[:, None] + own + 1e-6 * spread * rng.random(places.shape)


def add_edges(
    net: Network, reference: Network, seed: int, options: EdgeOptions
) -> tuple[Network, dict]:
    """Add synapses until ``N <IPR>`` is back at ``reference``'s level or the budget is spent.

    With ``total`` until there are as many as it says, or no place is left.

    ``reference`` is the network before pruning. A new weight is drawn from its weights of the
    source's sign. The result is the least localised network found, so the step never makes
    eigenvectors more localised; it may add nothing.
    """
    if options.total:
        return _filled(net, reference, seed, options)
    rng = np.random.default_rng([seed, 9])
    goal = localisation(reference) * (1 + options.tolerance)
    levels = [localisation(net)]
    met, best = [net], 0
    share = round(options.budget * net.synapses / options.rounds)
    for _ in range(options.rounds if share else 0):
        if levels[-1] <= goal:
            break
        met.append(_with_more(met[-1], reference, share, options.choice, rng))
        levels.append(localisation(met[-1]))
        best = int(np.argmin(levels))
    return met[best], {
        "step": "III",
        "choice": options.choice,
        "goal": goal,
        "reached": levels[best] <= goal,
        "localisation_by_round": levels,
        "synapses_before": net.synapses,
        "synapses_after": met[best].synapses,
        "synapses_added": met[best].synapses - net.synapses,
    }


def _filled(
    net: Network, reference: Network, seed: int, options: EdgeOptions
) -> tuple[Network, dict]:
    """``net`` with synapses up to ``total`` of those of ``reference``, in ``rounds`` parts."""
    rng = np.random.default_rng([seed, 9])
    wanted = round(options.total * reference.synapses)
    before = now = net
    for left in range(options.rounds, 0, -1):
        count = round((wanted - now.synapses) / left)
        if count > 0:
            now = _with_more(now, reference, count, options.choice, rng)
    return now, {
        "step": "III",
        "choice": options.choice,
        "total": wanted,
        "reached": now.synapses >= wanted,
        "synapses_before": before.synapses,
        "synapses_after": now.synapses,
        "synapses_added": now.synapses - before.synapses,
    }


def _with_more(
    net: Network, reference: Network, count: int, choice: str, rng: np.random.Generator
) -> Network:
    places, score = candidate_scores(net, choice, rng)
    flat = np.flatnonzero(places)
    order = np.argsort(-score.ravel()[flat], kind="stable")[:count]
    target, source = np.unravel_index(flat[order], places.shape)
    weights, mask = net.w_rec.copy(), net.mask_rec.copy()
    known = reference.w_rec[reference.mask_rec]
    for sign in (1, -1):
        sizes, here = np.abs(known[np.sign(known) == sign]), net.sign[source] == sign
        drawn = rng.choice(sizes if sizes.size else np.abs(known), here.sum())
        weights[target[here], source[here]] = sign * drawn
    mask[target, source] = True
    return replace(net, w_rec=weights, mask_rec=mask)
