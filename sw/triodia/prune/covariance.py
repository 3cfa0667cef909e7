"""Stationary covariance of a linear noisy system: the Lyapunov equation."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackError, eigs, eigsh

from triodia_hw.errors import TriodiaError

from .products import EXACT, Product

__all__ = ["decay_rates", "largest_eigenvalue", "stationary_covariance"]

_TOLERANCE = 1e-6  # moves no synapse across the cut that was tried (docs/lnp.md, "Speed")
_SINGLE = 1e-5  # float32 gives no more
_BASIS = 24  # most float32 matrices of the Krylov space at once: 100 MB each at 5,000 neurons


def largest_eigenvalue(symmetric: np.ndarray) -> float:
    """Largest eigenvalue of a symmetric matrix; beyond 600 rows by Lanczos iteration (ARPACK)."""
    if len(symmetric) > EXACT:
        start = np.random.default_rng(0).standard_normal(len(symmetric))
        try:
            found = eigsh(symmetric, k=1, which="LA", v0=start, return_eigenvectors=False)
            return float(found[0])
        except ArpackError:
            pass
    return float(np.linalg.eigvalsh(symmetric)[-1])


def decay_rates(a: np.ndarray) -> tuple[float, float]:
    """Largest real part and largest modulus of the eigenvalues of ``a``.

    Beyond 600 rows by Arnoldi iteration (ARPACK); all eigenvalues if that does not converge.
    """
    if len(a) > EXACT:
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

    Up to 600 rows by squared Smith iteration (Smith 1968): a Cayley transform turns the equation
    into ``C = P C P^T + R``, whose series is summed by doubling. float64; the shift is the
    geometric mean of the extreme decay rates, so that slow and fast modes converge alike. Pass
    ``decay_rates(a)`` as ``rates`` if it is known.

    Beyond, by GMRES (Saad & Schultz 1986) on ``C = (A' C + C A'^T + sigma^2 I) / (d_i + d_j)``,
    with ``A'`` off the diagonal and ``d`` minus the diagonal: products with a sparse matrix instead
    of dense ones. float32, to ``1e-6`` of the covariance that the neurons would have alone (or
    ``1e-5`` of what the coupling adds to it, where that is more). If that does not converge,
    Smith's iteration takes over.

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
    if len(a) > EXACT and (c := _iterated(a, sigma)) is not None:
        return c
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


def _iterated(a: np.ndarray, sigma: float) -> np.ndarray | None:
    """The covariance by GMRES; None if it does not converge."""
    leak = -np.diag(a)
    if leak.min() <= 0:
        return None
    product = Product((a + np.diag(leak)).astype(np.float32))
    rates = (leak[:, None] + leak).astype(np.float32)

    def carried(c: np.ndarray) -> np.ndarray:
        """``(A' C + C A'^T) / (d_i + d_j)`` of a symmetric ``c``."""
        half = product(c)
        return (half + half.T) / rates

    alone = np.diag(sigma**2 / (2 * leak))
    start = carried(alone)
    error = np.sqrt(_inner(start, start))
    if error == 0:
        return alone
    tolerance = _TOLERANCE * np.linalg.norm(alone) / error
    change = _gmres(lambda v: v - carried(v), start / np.float32(error), max(tolerance, _SINGLE))
    return None if change is None else alone + error * change


def _inner(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of ``a * b``, of float32 matrices: rows in float32, their sums in float64.

    In float32 alone 25 million terms lose so much that GMRES stands still at 6e-5.
    """
    return float(np.einsum("ij,ij->i", a, b).sum(dtype=np.float64))


def _gmres(
    apply: Callable[[np.ndarray], np.ndarray], right: np.ndarray, tolerance: float
) -> np.ndarray | None:
    """``x`` with ``apply(x)`` close to ``right``, of norm 1, both ``(N, N)`` float32.

    Ends at a residual of ``tolerance``; None if 24 products do not reach it.
    """
    basis, h = [right], np.zeros((_BASIS + 1, _BASIS))
    for k in range(_BASIS):
        v = apply(basis[k])
        for i, other in enumerate(basis):
            h[i, k] = _inner(other, v)
            v -= np.float32(h[i, k]) * other
        h[k + 1, k] = np.sqrt(_inner(v, v))
        target = np.eye(k + 2)[0]
        part = h[: k + 2, : k + 1]
        weights = np.linalg.lstsq(part, target, rcond=None)[0]
        if np.linalg.norm(part @ weights - target) <= tolerance:
            return sum(np.float32(w) * v for w, v in zip(weights, basis, strict=True))
        basis.append(v / np.float32(h[k + 1, k]))
    return None
