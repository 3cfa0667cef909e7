"""Step II: prune neurons by weighted betweenness centrality."""

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .sampling import keep_count

__all__ = [
    "betweenness",
    "connected",
    "degree",
    "most_central",
    "prune_by_betweenness",
    "prune_neurons",
    "strength",
]


def betweenness(net: Network) -> np.ndarray:
    """Shortest paths through each neuron, ``(N,)``; a synapse has length ``1 / |w|``.

    Directed, not normalised, endpoints not counted (Brandes 2001). Synapses of weight 0 are left
    out.
    """
    import networkit as nk  # takes over a second, and not every pruning needs it

    target, source = (np.ascontiguousarray(i) for i in np.nonzero(net.w_rec))
    length = 1 / np.abs(net.w_rec[target, source].astype(np.float64))
    graph = nk.GraphFromCoo((length, (source, target)), n=net.neurons, weighted=True, directed=True)
    return np.array(nk.centrality.Betweenness(graph).run().scores())


def connected(net: Network) -> np.ndarray:
    """Neurons of the largest weakly connected part, ascending."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, part = connected_components(csr_array(net.mask_rec), directed=True, connection="weak")
    return np.flatnonzero(part == np.bincount(part).argmax())


def strength(net: Network) -> np.ndarray:
    """Summed ``|w|`` of the synapses from and to each neuron, ``(N,)``."""
    return np.abs(net.w_rec).sum(axis=0) + np.abs(net.w_rec).sum(axis=1)


def degree(net: Network) -> np.ndarray:
    """Synapses from and to each neuron, ``(N,)``."""
    return net.mask_rec.sum(axis=0) + net.mask_rec.sum(axis=1)


def most_central(net: Network, score: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` neurons of highest ``score``, ascending; equal scores go by strength."""
    return np.sort(np.lexsort((strength(net), score))[net.neurons - count :])


def _most_central_of_layers(net: Network, score: np.ndarray, keep: float) -> np.ndarray:
    """The fraction ``keep`` of each layer's neurons, those of highest ``score``, ascending.

    Across layers scores say little: no shortest path leads through a first or a last layer.
    """
    order = np.lexsort((strength(net), score))
    parts = [order[net.layer[order] == k] for k in range(net.depth)]
    return np.sort(np.concatenate([p[len(p) - keep_count(len(p), keep) :] for p in parts]))


def prune_neurons(net: Network, keep: float, score: np.ndarray) -> tuple[Network, dict]:
    """Keep the fraction ``keep`` of neurons of highest ``score``, then their connected part.

    Equal scores (many are 0 when few paths exist) are ordered by summed ``|w|``. With ``keep`` 1
    every neuron stays, connected or not. Of a layered network every layer keeps that fraction.

    Raises
    ------
    TriodiaError
        If a layer would have no neuron left.
    """
    if net.depth > 1:
        central = _most_central_of_layers(net, score, keep)
    else:
        central = most_central(net, score, keep_count(net.neurons, keep))
    left = net.subnetwork(central)
    joined = connected(left) if keep < 1 else np.arange(left.neurons)
    pruned = left.subnetwork(joined)
    if net.depth > 1 and (pruned.depth < net.depth or min(pruned.layers) == 0):
        raise TriodiaError(
            f"Keeping the fraction {keep:g} of the neurons leaves a layer without any that is"
            f" joined to the rest; keep more neurons, or more synapses."
        )
    return pruned, {
        "step": "II",
        "neurons_before": net.neurons,
        "neurons_after": pruned.neurons,
        "kept": central[joined].tolist(),
        "unreachable": left.neurons - pruned.neurons,
        "synapses_before": net.synapses,
        "synapses_after": pruned.synapses,
    }


def prune_by_betweenness(net: Network, keep: float) -> tuple[Network, dict]:
    """Step II: drop the neurons of lowest betweenness."""
    score = betweenness(net)
    pruned, report = prune_neurons(net, keep, score)
    return pruned, report | {"zero_betweenness": int((score == 0).sum())}
