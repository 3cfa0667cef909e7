"""Stationary covariance of a linear noisy system: the Lyapunov equation."""

import numpy as np

from ..errors import TriodiaError

__all__ = ["stationary_covariance"]


def stationary_covariance(a: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """``C`` with ``A C + C A^T + sigma^2 I = 0``, the covariance of ``dx = A x dt + sigma dW``.

    Squared Smith iteration (Smith 1968): a Cayley transform turns the equation into
    ``C = P C P^T + R``, whose series is summed by doubling. float64; the shift is the geometric
    mean of the extreme decay rates, so that slow and fast modes converge alike.

    Raises
    ------
    TriodiaError
        If an eigenvalue of ``A`` has a real part of 0 or more: no stationary state exists.
    """
    a = np.asarray(a, np.float64)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not np.all(np.isfinite(a)):
        raise ValueError(f"A must be a finite square matrix, not of shape {a.shape}")
    eigenvalues = np.linalg.eigvals(a)
    if eigenvalues.real.max() >= 0:
        raise TriodiaError(
            f"A must be stable, not with spectral abscissa {eigenvalues.real.max():.3g};"
            " scale the coupling down"
        )
    shift = np.sqrt(np.abs(eigenvalues).max() * -eigenvalues.real.max())
    identity = np.eye(len(a))
    inverse = np.linalg.inv(a - shift * identity)
    p = identity + 2 * shift * inverse
    c = 2 * shift * sigma**2 * (inverse @ inverse.T)
    for _ in range(60):  # P^(2^60): beyond float64 for every A that passed above
        change = p @ c @ p.T
        c = c + change
        if np.abs(change).max() <= 1e-15 * np.abs(c).max():
            break
        p = p @ p
    return (c + c.T) / 2
