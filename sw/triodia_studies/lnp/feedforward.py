"""The study's network without recurrence, drawn as its published results drew it."""

from dataclasses import replace

import numpy as np

from triodia.network.draws import balanced_weights
from triodia.network.network import Network
from triodia.network.random import new_network

__all__ = ["feedforward_network"]


def feedforward_network(neurons: int, seed: int) -> Network:
    """Three equal layers, synapses only from each layer to the next, half of those possible.

    Users make layers with ``new_network(layers=...)``, whose feed-forward weights are stronger.
    """
    base = new_network(neurons, seed)
    rng = np.random.default_rng([seed, 7])
    layer = np.arange(neurons) * 3 // neurons
    mask = (layer[:, None] == layer + 1) & (rng.random((neurons, neurons)) < 0.5)
    weights = balanced_weights(mask, base.sign, 1.0, rng)
    net = replace(base, w_rec=weights, mask_rec=mask, cluster=layer, provenance=())
    drawn = {"layers": 3, "density": 0.5}
    return net.with_provenance(command="new", kind="layered", neurons=neurons, seed=seed, **drawn)
