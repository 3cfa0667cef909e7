"""Measures of a network between steps: spectrum, localisation, connectivity, margin."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from ..network.network import Network
from .products import EXACT
from .spectrum import network_spectrum

__all__ = [
    "WHOLE",
    "Measures",
    "algebraic_connectivity",
    "localisation",
    "measure",
    "spectral_error",
    "stability_margin",
]

WHOLE = EXACT  # neurons up to which all exponents and eigenvalues are taken
_LARGEST = 1500  # neurons up to which all eigenvectors are: their time grows with the cube


@dataclass(frozen=True)
class Measures:
    """Measures of one network; ``report()`` gives them as JSON.

    Parameters
    ----------
    neurons, synapses : counts.
    exponents : ``(k,)`` Lyapunov exponents per step of the driven network, descending; all, or the
        leading tenth if the network before pruning had more than 600 neurons.
    localisation : see ``localisation``.
    connectivity : see ``algebraic_connectivity``.
    margin : see ``stability_margin``.
    """

    neurons: int
    synapses: int
    exponents: np.ndarray
    localisation: float
    connectivity: float
    margin: float

    def report(self) -> dict:
        """JSON values, the spectrum as its 0, 10, ... 100 % quantiles, descending."""
        quantiles = np.quantile(self.exponents, np.linspace(1, 0, 11))
        return {
            "neurons": self.neurons,
            "synapses": self.synapses,
            "spectrum_quantiles": [float(value) for value in quantiles],
            "largest_exponent": float(self.exponents[0]),
            "localisation": self.localisation,
            "mean_ipr": self.localisation / self.neurons,
            "algebraic_connectivity": self.connectivity,
            "stability_margin": self.margin,
        }


def localisation(net: Network) -> float:
    """``N`` times the mean inverse participation ratio of the eigenvectors of ``w_rec``.

    ``IPR(v) = sum |v_i|^4 / (sum |v_i|^2)^2`` is 1 for a vector on one neuron and ``1 / N`` for one
    spread evenly; times ``N``, networks of different size compare: 1 is even, about 2 complex
    Gaussian, ``N`` fully localised. All eigenvectors count equally. Without synapses it is ``N``.
    Of more than 1,500 neurons, a fixed random sample of 1,500 is used.
    """
    if net.neurons > _LARGEST:
        chosen = np.random.default_rng(8).permutation(net.neurons)[:_LARGEST]
        net = net.subnetwork(np.sort(chosen))
    if not net.w_rec.any():
        return float(net.neurons)
    _, vectors = np.linalg.eig(net.w_rec.astype(np.float64))
    power = np.abs(vectors) ** 2
    return float(net.neurons * ((power**2).sum(0) / power.sum(0) ** 2).mean())


def algebraic_connectivity(net: Network) -> float:
    """Second smallest eigenvalue of the Laplacian of the undirected graph (Fiedler 1973).

    Two neurons are joined if a synapse exists in either direction; each such pair counts 1. The
    result is 0 if the graph is disconnected.
    """
    if net.neurons < 2:
        return 0.0
    joined = (net.mask_rec | net.mask_rec.T).astype(np.float64)
    np.fill_diagonal(joined, 0)
    laplacian = np.diag(joined.sum(1)) - joined
    found = eigh(laplacian, eigvals_only=True, subset_by_index=[1, 1], overwrite_a=True)
    return max(0.0, float(found[0]))


def stability_margin(net: Network, scale: float) -> float:
    """``-max Re eig(-D + scale * W)``, ``D = diag(1 / tau_mem)``: distance from instability.

    ``scale`` comes from the network before pruning, so that margins of its steps compare.
    Beyond 600 neurons by Arnoldi iteration (ARPACK), NaN if that does not converge.
    """
    leak = 1 / net.tau_mem.astype(np.float64)
    a = scale * net.w_rec.astype(np.float64) - np.diag(leak)
    if net.neurons <= WHOLE:
        return -float(np.linalg.eigvals(a).real.max())
    start = np.random.default_rng(0).standard_normal(net.neurons)
    try:
        found = eigs(csr_array(a), k=1, which="LR", v0=start, ncv=60, return_eigenvectors=False)
    except ArpackNoConvergence:
        return float("nan")
    return -float(found.real.max())


def measure(net: Network, scale: float, *, whole: bool = True, seed: int = 0) -> Measures:
    """Measure ``net``; without ``whole`` only the leading tenth of the spectrum.

    Spectra average 100 steps after 50 transient ones.
    """
    leading = None if whole else max(1, net.neurons * (1 if net.tau_syn is None else 2) // 10)
    found = network_spectrum(net, seed=seed, steps=100, leading=leading, fast=not whole)
    return Measures(
        net.neurons,
        net.synapses,
        found.exponents,
        localisation(net),
        algebraic_connectivity(net),
        stability_margin(net, scale),
    )


def spectral_error(exponents: np.ndarray, reference: np.ndarray) -> float:
    """Distance of two spectra over the mean ``|lambda|`` of the reference.

    The distance is Wasserstein's of order 1, the mean difference of equal quantiles (101 of them),
    so that networks of different size compare.
    """
    at = np.linspace(0, 1, 101)
    apart = np.abs(np.quantile(exponents, at) - np.quantile(reference, at)).mean()
    return float(apart / np.abs(reference).mean())
