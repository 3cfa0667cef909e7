"""The literal reading of the Lyapunov matrix, for small networks: one spectrum per synapse."""

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .spectrum import network_spectrum

__all__ = ["literal_matrix"]

_LARGEST = 64


def literal_matrix(
    net: Network, *, floor: float = 0.05, seed: int = 0, steps: int = 200
) -> np.ndarray:
    """``L_ij``: harmonic mean of the whole spectrum of the sub-network of ``U_ij``, ``(N, N)``.

    ``edge_matrix`` spreads one spectrum over the neurons. This function cuts out the sub-network of
    the two neighbourhoods, runs it, and uses its own exponents. ``|lambda|`` has the same floor,
    the sign is the weight's, and entries off the graph are 0. It computes one spectrum per synapse,
    hence the limit of 64 neurons.
    """
    if net.neurons > _LARGEST:
        raise TriodiaError(f"neurons must be at most {_LARGEST} for this, not {net.neurons}")
    near = net.mask_rec | net.mask_rec.T | np.eye(net.neurons, dtype=bool)
    matrix, known = np.zeros(net.w_rec.shape), {}
    for i, j in zip(*np.nonzero(net.mask_rec), strict=True):
        union = near[i] | near[j]
        key = union.tobytes()
        if key not in known:
            part = net.subnetwork(np.flatnonzero(union))
            size = np.abs(network_spectrum(part, seed=seed, steps=steps).exponents)
            known[key] = 1 / np.mean(1 / np.maximum(size, floor * np.median(size)))
        matrix[i, j] = known[key] * np.sign(net.w_rec[i, j])
    return matrix
