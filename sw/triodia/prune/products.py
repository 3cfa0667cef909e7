"""Products of a sparse matrix with a dense one, by whichever way is faster."""

from functools import cache
from importlib import import_module

import numpy as np
from scipy.sparse import csr_array

__all__ = ["EXACT", "Product"]

# Neurons up to which LNP computes in float64 and with dense matrices throughout. Beyond, the costly
# parts are in float32 and sparse (docs/lnp.md, "Speed").
EXACT = 600
_SPARSE = 0.2  # density from which a BLAS is faster, dense: 0.24 at 1,000 to 5,000 neurons


class Product:
    """``product(q, scale)`` is ``W diag(scale) q`` for ``q`` ``(N, K)``, in the type of ``w``.

    ``w`` ``(N, N)`` is multiplied as a sparse matrix where at most a fifth of it is not 0 and numba
    is at hand. ``scale`` ``(N,)`` is 1 by default.
    """

    def __init__(self, w: np.ndarray) -> None:
        self.w, self.rows = w, None
        if np.count_nonzero(w) <= _SPARSE * w.size and _compiled():
            self.rows = csr_array(w)

    def __call__(self, q: np.ndarray, scale: np.ndarray | None = None) -> np.ndarray:
        scale = np.ones(len(q)) if scale is None else scale
        scale, q = scale.astype(self.w.dtype), np.ascontiguousarray(q, self.w.dtype)
        if self.rows is None:
            return self.w @ (scale[:, None] * q)
        from .kernel import multiply  # numba is slow to import

        rows, out = self.rows, np.empty((len(self.w), q.shape[1]), self.w.dtype)
        multiply(rows.indptr, rows.indices, rows.data, scale, q, out)
        return out


@cache
def _compiled() -> bool:
    """Whether numba is there, and finds a folder to keep what it compiles in."""
    try:
        import_module("triodia.prune.kernel")
    except (ImportError, RuntimeError):
        return False
    return True
