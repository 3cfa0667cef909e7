"""What the noise rule's score is made of: paths, time constants, weights and degrees."""

import numpy as np

from ..network.network import Network

__all__ = ["what_the_rule_sees"]


def what_the_rule_sees(net: Network, a: np.ndarray, covariance: np.ndarray) -> dict[str, float]:
    """How much of the score ``|A_ij| (C_ii + C_jj -+ 2 C_ij)`` comes from where.

    ``path_share``: median over synapses of ``2 |C_ij| / (C_ii + C_jj)``; 0 means that the rule
    takes no notice of the paths between two neurons. ``explained_by_*``: share of the variance of
    the logarithm of the score that a linear fit explains, on the logarithms of both time
    constants, of ``|w|``, or of the degrees of both neurons.
    """
    target, source = np.nonzero(net.mask_rec & (np.abs(a) > 0))
    if target.size < 3:
        return {}
    own, size = np.diag(covariance), np.abs(a[target, source])
    both = own[target] + own[source]
    shared = covariance[target, source]
    score = np.log(np.maximum(size * (both - 2 * np.sign(a[target, source]) * shared), 1e-300))
    log_tau = np.log(net.tau_mem.astype(np.float64))
    log_degree = np.log(np.maximum(net.mask_rec.sum(0) + net.mask_rec.sum(1), 1))
    weight = np.log(np.maximum(np.abs(net.w_rec[target, source]).astype(np.float64), 1e-300))
    return {
        "path_share": float(np.median(2 * np.abs(shared) / both)),
        "explained_by_tau": _explained(score, log_tau[target], log_tau[source]),
        "explained_by_weight": _explained(score, weight),
        "explained_by_degree": _explained(score, log_degree[target], log_degree[source]),
    }


def _explained(y: np.ndarray, *columns: np.ndarray) -> float:
    """R squared of a least-squares fit of ``y`` on the columns and a constant."""
    if np.ptp(y) == 0:
        return 0.0
    x = np.stack([np.ones(y.size), *columns], axis=1)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(max(0.0, 1 - residual.var() / y.var()))
