"""Step I by every method but the noise rule: which synapses stay."""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.catalog import Task, TaskData
from .graphs import GRAPHS, regraphed
from .sampling import highest, keep_count, keep_probabilities, sample
from .scores import jacobian_score, synflow_mask

__all__ = ["NEED_SAMPLES", "SCORED", "Samples", "keep_by", "shuffled"]

_SAMPLED = ("weight-sampling", "slow", "tau-sampling")
SCORED = ("random", "magnitude", "jacobian", "snip", "grasp", "activity")
NEED_SAMPLES = ("snip", "grasp", "activity", "iterative-magnitude")
_TAU_POWER = 0.4  # what the noise rule with its default options comes to (docs/lnp.md)


@dataclass(frozen=True)
class Samples:
    """What methods that look at data see: a task and its samples (training part)."""

    task: Task
    data: TaskData


def keep_by(
    method: str,
    net: Network,
    keep: float,
    seed: int,
    samples: Samples | None,
    *,
    by_layer: bool = False,
) -> Network:
    """Keep the fraction ``keep`` of the synapses of ``net`` by ``method``.

    ``by_layer``: that fraction of every block, the synapses from one layer to another.

    Raises
    ------
    TriodiaError
        If the method needs samples and there are none, or makes a new graph that knows no layers.
    """
    if method in NEED_SAMPLES and samples is None:
        raise TriodiaError(
            f"Method {method} looks at samples; pass `--task` or `--data`, or choose another."
        )
    group = net.blocks()[net.mask_rec] if by_layer else None
    if method in GRAPHS:
        if net.depth > 1:
            raise TriodiaError(
                f"Method {method} makes a new graph without layers, and the network has"
                f" {net.depth}; choose another, such as magnitude."
            )
        return regraphed(net, method, keep_count(net.synapses, keep), seed)
    if method == "iterative-magnitude":
        from .saliency import iterative_magnitude  # torch is slow to import

        return iterative_magnitude(net, keep, samples.task, samples.data, seed, group=group)
    if method == "synflow":
        return _masked(net, synflow_mask(net, keep, group))
    return _masked(net, _chosen(method, net, keep, seed, samples, group))


def _masked(net: Network, mask: np.ndarray) -> Network:
    return replace(net, w_rec=net.w_rec * mask, mask_rec=mask)


def _chosen(
    method: str,
    net: Network,
    keep: float,
    seed: int,
    samples: Samples | None,
    group: np.ndarray | None,
) -> np.ndarray:
    """Mask of the synapses that stay, by sampling or by the highest score."""
    rng = np.random.default_rng([seed, 3])
    size = np.abs(net.w_rec[net.mask_rec])
    if method in _SAMPLED:
        weight = size.astype(np.float64)
        if method == "tau-sampling":
            weight = (np.outer(net.tau_mem, net.tau_mem)[net.mask_rec]).astype(np.float64)
            weight **= _TAU_POWER
        chosen = sample(keep_probabilities(weight, keep, group), rng, group)
    else:
        chosen = highest(_score(method, net, seed, samples, rng), keep, group)
    mask = np.zeros_like(net.mask_rec)
    mask[net.mask_rec] = chosen
    return mask


def _score(
    method: str, net: Network, seed: int, samples: Samples | None, rng: np.random.Generator
) -> np.ndarray:
    """Score of each synapse, in row order."""
    if method == "magnitude":
        return np.abs(net.w_rec[net.mask_rec])
    if method == "jacobian":
        return jacobian_score(net, seed)[net.mask_rec]
    if method == "random":
        return rng.random(net.synapses)
    from .saliency import saliency  # torch is slow to import

    return saliency(method, net, samples.task, samples.data, seed)[net.mask_rec]


def shuffled(net: Network, whole: Network, seed: int, *, swaps: int = 10) -> Network:
    """A network of the same degrees as ``net``, whose synapses are those of ``whole`` elsewhere.

    Pairs of synapses ``a -> b``, ``c -> d`` become ``a -> d``, ``c -> b`` where ``whole`` has both
    (Maslov & Sneppen 2002), ``swaps`` tries per synapse.
    """
    rng, mask = np.random.default_rng([seed, 16]), net.mask_rec.copy()
    target, source = (index.copy() for index in np.nonzero(mask))
    for one, two in rng.integers(target.size, size=(swaps * target.size, 2)):
        b, a, d, c = target[one], source[one], target[two], source[two]
        free = not mask[d, a] and not mask[b, c]
        if free and whole.mask_rec[d, a] and whole.mask_rec[b, c]:
            mask[b, a] = mask[d, c] = False
            mask[d, a] = mask[b, c] = True
            target[one], target[two] = d, b
    return replace(net, w_rec=whole.w_rec * mask, mask_rec=mask)
