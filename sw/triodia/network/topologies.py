"""Random networks with structure: clusters joined as a small world (CHRSNN), or by bridges."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..ranges import check_finite
from .network import Network
from .random import balanced_weights, new_network

__all__ = ["bridged_network", "clustered_network", "small_world_mask"]


def small_world_mask(
    neurons: int, density: float, rewire: float, rng: np.random.Generator
) -> np.ndarray:
    """Directed Watts-Strogatz graph (Nature 1998) as ``[target, source]``, no self connections.

    On a ring, every neuron receives from its ``round(density * (N - 1))`` nearest neighbours; each
    of these synapses then takes, with probability ``rewire``, a source drawn from all that are not
    among the neuron's sources yet.
    """
    degree = max(1, round(density * (neurons - 1)))
    steps = np.arange(1, degree + 1)
    offsets = np.where(steps % 2, -1, 1) * ((steps + 1) // 2)  # -1, 1, -2, 2, ...
    mask = np.zeros((neurons, neurons), bool)
    for target in range(neurons):
        near = (target + offsets) % neurons
        kept = near[rng.random(degree) >= rewire]
        free = np.setdiff1d(np.arange(neurons), [*kept, target])
        mask[target, kept] = True
        mask[target, rng.choice(free, degree - kept.size, replace=False)] = True
    return mask


def clustered_network(
    neurons: int,
    seed: int,
    *,
    clusters: int = 5,
    density: float = 0.2,
    rewire: float = 0.1,
    tau_mean: float = 8.0,
    tau_spread: float = 4.0,
    tau_shape: float = 3.0,
    gain: float = 1.0,
    **options: object,
) -> Network:
    """Clustered heterogeneous network (CHRSNN): arcs of a small-world ring, a ``tau`` law each.

    Clusters are contiguous arcs of equal size. Cluster ``k`` draws ``tau_mem`` from a gamma
    distribution of shape ``tau_shape``; the means are a geometric series around ``tau_mean`` whose
    last is ``tau_spread`` times the first, in random order. ``options`` are ``new_network``'s.
    """
    if not 1 <= clusters <= neurons:
        raise TriodiaError(f"clusters must be in 1..{neurons}, not {clusters!r}")
    if not (0 < density <= 1 and 0 <= rewire <= 1 and tau_spread >= 1):
        raise TriodiaError("density and rewire must be in 0..1, tau_spread 1 or more")
    check_finite({"tau_spread": tau_spread})
    base = new_network(neurons, seed, tau_mean=tau_mean, tau_shape=tau_shape, gain=gain, **options)
    rng = np.random.default_rng([seed, 6])
    cluster = np.arange(neurons) * clusters // neurons
    means = np.geomspace(tau_spread**-0.5, tau_spread**0.5, clusters) * tau_mean
    means = rng.permutation(means if clusters > 1 else np.array([tau_mean]))
    tau = np.maximum(1.0, rng.gamma(tau_shape, means[cluster] / tau_shape))
    mask = small_world_mask(neurons, density, rewire, rng)
    weights = balanced_weights(mask, base.sign, gain, rng)
    net = replace(base, w_rec=weights, mask_rec=mask, tau_mem=tau, cluster=cluster, provenance=())
    drawn = {"clusters": clusters, "density": density, "rewire": rewire, "tau_mean": tau_mean}
    drawn |= {"tau_spread": tau_spread, "tau_shape": tau_shape, "gain": gain, **options}
    return net.with_provenance(command="new", kind="clustered", neurons=neurons, seed=seed, **drawn)


def bridged_network(
    seed: int,
    *,
    sizes: Sequence[int] = (100, 20, 20, 20),
    density: float = 0.6,
    bridges: int = 60,
    gain: float = 1.0,
    **options: object,
) -> Network:
    """Unequal, dense clusters joined by few synapses: a graph with bottlenecks.

    Clusters have ``sizes`` neurons and are dense inside (``density``); ``bridges`` synapses join
    neurons of different clusters, drawn evenly from all such pairs. Moore & Chaudhuri 2020 test
    their rule on 2,700 and 3 x 100 neurons, density 0.6 and 5,000 bridges. ``cluster`` numbers
    the clusters. ``options`` are ``new_network``'s.
    """
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    base = new_network(len(cluster), seed, gain=gain, **options)
    rng = np.random.default_rng([seed, 19])
    inside = cluster[:, None] == cluster
    between = np.flatnonzero(~inside)
    if not (0 < density <= 1 and 1 <= bridges <= len(between)):
        limits = f"density must be in 0..1 and bridges in 1..{len(between)}"
        raise TriodiaError(f"{limits}, not {density!r}, {bridges!r}")
    mask = inside & (rng.random(inside.shape) < density) & ~np.eye(len(cluster), dtype=bool)
    mask.flat[rng.choice(between, bridges, replace=False)] = True
    weights = balanced_weights(mask, base.sign, gain, rng)
    net = replace(base, w_rec=weights, mask_rec=mask, cluster=cluster, provenance=())
    drawn = {"sizes": [*sizes], "density": density, "bridges": bridges, "gain": gain, **options}
    return net.with_provenance(command="new", kind="bridged", seed=seed, **drawn)
