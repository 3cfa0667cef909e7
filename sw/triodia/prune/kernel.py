"""A sparse matrix times a dense one, as a loop that numba compiles; see :mod:`.products`."""

import numba
import numpy as np

__all__ = ["multiply"]

_COLUMNS = 256  # of the dense matrix at once: its rows then come from the cache


@numba.njit(cache=True, nogil=True, fastmath=True)
def multiply(
    first: np.ndarray,
    column: np.ndarray,
    value: np.ndarray,
    scale: np.ndarray,
    q: np.ndarray,
    out: np.ndarray,
) -> None:
    """``out = W diag(scale) q``, ``W`` in rows (CSR): where each begins, ``column``, ``value``.

    ``first`` is ``(N + 1,)``; ``q`` ``(N, K)`` and ``out`` are C-ordered. Four synapses at a time,
    so that a sum is loaded and stored once for each four.
    """
    block = np.empty((len(q), _COLUMNS), q.dtype)
    for start in range(0, q.shape[1], _COLUMNS):
        end = min(q.shape[1], start + _COLUMNS)
        width = end - start
        for j in range(len(q)):
            for c in range(width):
                block[j, c] = scale[j] * q[j, start + c]
        for i in range(len(out)):
            total = out[i, start:end]
            total[:] = 0
            p, last = first[i], first[i + 1]
            while p + 4 <= last:
                w0, w1, w2, w3 = value[p], value[p + 1], value[p + 2], value[p + 3]
                q0, q1 = block[column[p], :width], block[column[p + 1], :width]
                q2, q3 = block[column[p + 2], :width], block[column[p + 3], :width]
                for c in range(width):
                    total[c] += w0 * q0[c] + w1 * q1[c] + w2 * q2[c] + w3 * q3[c]
                p += 4
            while p < last:
                w0, q0 = value[p], block[column[p], :width]
                for c in range(width):
                    total[c] += w0 * q0[c]
                p += 1
