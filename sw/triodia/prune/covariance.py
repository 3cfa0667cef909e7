"""Stationary covariance of a linear noisy system: the Lyapunov equation."""

import numpy as np
from scipy.sparse.linalg import ArpackError, eigs

from triodia_hw.errors import TriodiaError

__all__ = ["decay_rates", "stationary_covariance"]

_DENSE = 1500  # from here on, Arnoldi iteration finds the two eigenvalues faster than all of them


def decay_rates(a: np.ndarray) -> tuple[float, float]:
    """Largest real part and largest modulus of the eigenvalues of ``a``.

    Beyond 1,500 rows by Arnoldi iteration (ARPACK); all eigenvalues if that does not converge.
    """
    if len(a) > _DENSE:
        start = np.random.default_rng(0).standard_normal(len(a))
        options = {"k": 1, "v0": start, "ncv": 80, "return_eigenvectors": False}
        try:
            right, large = (eigs(a, which=which, **options)[0] for which in ("LR", "LM"))
            return float(right.real), float(abs(large))
        except ArpackError:
            pass
    eigenvalues = np.linalg.eigvals(a)
    return float(eigenvalues.real.max()), float(np.abs(eigenvalues).max())


def stationary_covariance(
    a: np.ndarray, sigma: float = 1.0, rates: tuple[float, float] | None = None
) -> np.ndarray:
    """``C`` with ``A C + C A^T + sigma^2 I = 0``, the covariance of ``dx = A x dt + sigma dW``.

    Squared Smith iteration (Smith 1968): a Cayley transform turns the equation into
    ``C = P C P^T + R``, whose series is summed by doubling. float64; the shift is the geometric
    mean of the extreme decay rates, so that slow and fast modes converge alike. Pass
    ``decay_rates(a)`` as ``rates`` if it is known.

    Raises
    ------
    TriodiaError
        If an eigenvalue of ``A`` has a real part of 0 or more: no stationary state exists.
    """
    a = np.asarray(a, np.float64)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not np.all(np.isfinite(a)):
        raise ValueError(f"A must be a finite square matrix, not of shape {a.shape}")
    abscissa, fastest = decay_rates(a) if rates is None else rates
    if abscissa >= 0:
        raise TriodiaError(
            f"A must be stable, not with spectral abscissa {abscissa:.3g}; scale the coupling down"
        )
    shift = np.sqrt(fastest * -abscissa)
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
