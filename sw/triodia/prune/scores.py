"""Scores of synapses that need no data: the highest stay."""

import numpy as np

from ..network.network import Network
from .sampling import highest
from .spectrum import mean_square_slopes

__all__ = ["jacobian_score", "synflow_mask"]

_ROUNDS = 100  # of SynFlow, as its authors run it
_WALKS = 20  # steps that SynFlow's signal takes through the recurrent graph


def jacobian_score(net: Network, seed: int) -> np.ndarray:
    """How much a synapse adds to the mean squared singular value of the Jacobian, ``(N, N)``.

    The Jacobian spectrum criterion for recurrent networks (Zhang & Stadie 2019, arXiv 1912.00120):
    ``|w d chi / d w|`` with ``chi`` the mean squared singular value. For our step,
    ``J = diag(beta) + W diag(s')``, that is ``w_ij^2 <s'_j^2>`` up to a factor, with the surrogate
    derivative ``s'`` averaged over a noise-driven run.
    """
    return net.w_rec.astype(np.float64) ** 2 * mean_square_slopes(net, seed)


def _flow(size: np.ndarray, scale: float) -> np.ndarray:
    """``|w| dR/d|w|`` for ``R = sum_t 1' (|W| / scale)^t 1``, the synaptic flow, ``(N, N)``."""
    n, w = len(size), size / scale
    forward, backward = [np.ones(n)], [np.ones(n)]
    for _ in range(_WALKS - 1):
        forward.append(w @ forward[-1])
        backward.append(w.T @ backward[-1])
    ahead = np.cumsum(backward, axis=0)[::-1]  # walks of any length that are left after a synapse
    return w * sum(np.outer(later, before) for later, before in zip(ahead, forward, strict=True))


def synflow_mask(net: Network, keep: float, group: np.ndarray | None = None) -> np.ndarray:
    """Keep the fraction ``keep`` by SynFlow (Tanaka et al. 2020, arXiv 2006.05467), ``(N, N)``.

    100 rounds, each cutting to ``keep^(k / 100)`` by the synaptic flow of what is left. The signal
    starts on every neuron and walks up to 20 steps through the recurrent graph of ``|w|``.
    ``group``: as in :func:`~.sampling.highest`.
    """
    mask = net.mask_rec.copy()
    size = np.abs(net.w_rec).astype(np.float64)
    for k in range(1, _ROUNDS + 1):
        left = size * mask
        scale = left.sum() / net.neurons or 1.0  # mean row sum: walks neither grow nor fade much
        score = np.where(mask, _flow(left, scale), -1.0)
        mask = np.zeros_like(mask)
        mask[net.mask_rec] = highest(score[net.mask_rec], keep ** (k / _ROUNDS), group)
    return mask
