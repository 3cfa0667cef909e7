"""Control methods with exactly the neuron and synapse counts of another method."""

from dataclasses import replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..network.random import balanced_weights, new_network
from .pipeline import prune
from .sampling import keep_probabilities, largest, sample
from .step1 import NoiseOptions, noise_prune
from .step2 import betweenness, degree, most_central, strength

__all__ = ["CONTROLS", "activity_like", "born_sparse", "control_like", "random_like"]

CONTROLS = ("random", "weight-sampling", "noise-weights", "magnitude", "born-sparse")
CONTROLS += ("slow", "lnp-degree")  # ours


def random_like(net: Network, neurons: int, synapses: int, seed: int) -> tuple[Network, dict]:
    """Keep a random part of ``net`` with exactly ``neurons`` and ``synapses``.

    Draws neurons, then synapses among them, uniformly; weights and time constants stay.
    """
    if not 1 <= neurons <= net.neurons:
        raise TriodiaError(f"neurons must be in 1..{net.neurons}, not {neurons!r}")
    rng = np.random.default_rng([seed, 5])
    part = net.subnetwork(np.sort(rng.permutation(net.neurons)[:neurons]))
    if not 0 <= synapses <= part.synapses:
        raise TriodiaError(f"synapses must be in 0..{part.synapses}, not {synapses!r}")
    pruned = _thinned(part, largest(rng.random(part.synapses), synapses))
    report = {"command": "prune", "method": "random-like", "seed": seed}
    report |= {"before": net.counts(), "after": pruned.counts()}
    return pruned.with_provenance(**report), report


def _thinned(net: Network, chosen: np.ndarray) -> Network:
    """Keep the ``chosen`` synapses of ``net``; one bool per synapse, in row order."""
    mask = np.zeros_like(net.mask_rec)
    mask[net.mask_rec] = chosen
    return replace(net, w_rec=net.w_rec * mask, mask_rec=mask)


def born_sparse(net: Network, neurons: int, synapses: int, seed: int) -> Network:
    """Make a new random network with these counts: new graph, weights and time constants.

    Excitation, inhibition and gain are balanced for the sparse graph, as ``new_network`` does for a
    dense one. Time constants are drawn from ``net``'s, so both have the same distribution.
    """
    if not 0 <= synapses <= neurons * (neurons - 1):
        raise TriodiaError(f"synapses must be in 0..{neurons * (neurons - 1)}, not {synapses!r}")
    rng = np.random.default_rng([seed, 10])
    base = new_network(neurons, seed)
    places = np.flatnonzero(~np.eye(neurons, dtype=bool))
    mask = np.zeros((neurons, neurons), bool)
    mask.flat[rng.permutation(places)[:synapses]] = True
    gain = float(np.sqrt((net.w_rec.astype(np.float64) ** 2).sum() / net.neurons))
    weights = balanced_weights(mask, base.sign, gain, rng)
    tau = rng.choice(net.tau_mem, neurons, replace=False)
    return replace(base, w_rec=weights, mask_rec=mask, tau_mem=tau)


def control_like(
    kind: str, net: Network, neurons: int, synapses: int, seed: int, keep: float = 0.5
) -> Network:
    """Prune ``net`` by the control ``kind`` to exactly ``neurons`` and ``synapses``.

    "random" draws both uniformly; "born-sparse" is ``born_sparse``. The others first choose neurons
    as ``prune`` does in step II, on the graph after their own step I (``keep``). They then choose
    exactly ``synapses`` among all synapses of ``net`` between these neurons: "weight-sampling" and
    "slow" in proportion to ``|w|``, "magnitude" the largest, "lnp-degree" by the noise rule,
    "noise-weights" by the noise rule on ``W``. Weights and time constants stay.

    Raises
    ------
    TriodiaError
        If ``net`` has fewer synapses between the chosen neurons.
    """
    if kind not in CONTROLS:
        raise TriodiaError(f"control must be one of {', '.join(CONTROLS)}, not {kind!r}")
    if kind == "random":
        return random_like(net, neurons, synapses, seed)[0]
    if kind == "born-sparse":
        return born_sparse(net, neurons, synapses, seed)
    method = "lnp" if kind == "noise-weights" else kind
    options = {"edges": "weights"} if kind == "noise-weights" else {}
    thin, _ = prune(net, method=method, synapses=keep, seed=seed, steps=("I",), **options)
    scores = {"magnitude": strength, "slow": lambda n: n.tau_mem, "lnp-degree": degree}
    score = scores.get(kind, betweenness)(thin)
    part = net.subnetwork(most_central(thin, score, neurons))
    if synapses > part.synapses:
        raise TriodiaError(f"synapses must be in 0..{part.synapses}, not {synapses!r}")
    share = synapses / part.synapses
    if kind in ("noise-weights", "lnp-degree"):
        return noise_prune(part, share, seed, NoiseOptions(**options))[0]
    size = np.abs(part.w_rec[part.mask_rec]).astype(np.float64)
    if kind == "magnitude":
        return _thinned(part, largest(size, synapses))
    rng = np.random.default_rng([seed, 11])
    return _thinned(part, sample(keep_probabilities(size, share), rng))


def activity_like(net: Network, rates: np.ndarray, neurons: int, synapses: int) -> Network:
    """Activity pruning (AP) of a trained dense network, to exactly these counts.

    ``rates`` ``(N,)``: mean spikes per step of each neuron on the training samples. Drops the
    neurons that spike least, and keeps the synapses of largest ``|w|`` times the source's rate.
    Train the result again.
    """
    keep = np.sort(np.argsort(-rates, kind="stable")[:neurons])
    part = net.subnetwork(keep)
    if synapses > part.synapses:
        raise TriodiaError(f"synapses must be in 0..{part.synapses}, not {synapses!r}")
    carried = (np.abs(part.w_rec) * (rates[keep] + 1e-9))[part.mask_rec]
    return _thinned(part, largest(carried, synapses))
