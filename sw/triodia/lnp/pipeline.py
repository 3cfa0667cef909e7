"""Pruning from a dense random network to a sparse one: LNP and its controls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from time import perf_counter

import numpy as np

from ..errors import TriodiaError
from ..network import Network
from .sampling import keep_count, keep_probabilities, sample
from .step1 import NoiseOptions, noise_prune
from .step2 import prune_by_betweenness, prune_neurons

__all__ = ["METHODS", "STEPS", "prune", "random_like"]

STEPS = ("I", "II", "III", "IV")
METHODS = ("lnp", "random", "magnitude", "weight-sampling", "none")


@dataclass(frozen=True)
class _Job:
    method: str
    synapses: float
    nodes: float
    seed: int
    options: NoiseOptions


def prune(
    net: Network,
    *,
    method: str = "lnp",
    synapses: float = 0.5,
    nodes: float = 0.43,
    seed: int = 0,
    steps: Sequence[str] = ("I", "II"),
    **options: object,
) -> tuple[Network, dict]:
    """Prune the recurrent graph; no task and no data are used.

    Step I keeps the fraction ``synapses`` of the synapses, step II the fraction ``nodes`` of the
    neurons with all synapses between them. By method, the criterion of a synapse and a neuron:

    ================ =================================== ================================
    lnp              noise rule on the Lyapunov matrix   betweenness, length ``1 / |w|``
    weight-sampling  sampled in proportion to ``|w|``    as lnp
    magnitude        largest ``|w|``                     largest sum of ``|w|`` in and out
    random           uniform                             uniform
    none             everything stays                    everything stays
    ================ =================================== ================================

    ``options`` are the fields of ``NoiseOptions``. The report has the counts before and after and
    one entry a step. Steps III and IV are not implemented and are refused.
    """
    unknown = set(options) - {f.name for f in fields(NoiseOptions)}
    if unknown:
        known = ", ".join(f.name for f in fields(NoiseOptions))
        raise TriodiaError(f"pruning options must be among {known}, not {min(unknown)!r}")
    if method not in METHODS:
        raise TriodiaError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    _check_steps(steps)
    job = _Job(method, synapses, nodes, seed, NoiseOptions(**options))
    report = {"command": "prune", "method": method, "seed": seed, "steps": list(steps)}
    report |= {"synapses_kept": synapses, "nodes_kept": nodes, "before": net.counts()}
    pruned, done = net, []
    for name in steps if method != "none" else ():
        start = perf_counter()
        pruned, entry = _PASSES[name](pruned, job)
        done.append(entry | {"seconds": perf_counter() - start})
    report |= {"after": pruned.counts(), "passes": done}
    # Times stay out of the file, so that the same command gives the same bytes.
    passes = [{k: v for k, v in entry.items() if k != "seconds"} for entry in done]
    return pruned.with_provenance(**(report | {"passes": passes})), report


def _check_steps(steps: Sequence[str]) -> None:
    for name in steps:
        if name not in STEPS:
            raise TriodiaError(f"steps must be among {', '.join(STEPS)}, not {name!r}")
        if name not in _PASSES:
            raise TriodiaError(f"step {name} is not implemented yet; ask for steps I and II")
    if list(steps) != sorted(set(steps), key=STEPS.index):
        raise TriodiaError(f"steps must be in order and each at most once, not {' '.join(steps)}")


def _step1(net: Network, job: _Job) -> tuple[Network, dict]:
    if job.method == "lnp":
        return noise_prune(net, job.synapses, job.seed, job.options)
    rng = np.random.default_rng([job.seed, 3])
    size = np.abs(net.w_rec[net.mask_rec])
    count = keep_count(size.size, job.synapses)
    if job.method == "weight-sampling":
        chosen = sample(keep_probabilities(size.astype(np.float64), job.synapses), rng)
    else:
        score = size if job.method == "magnitude" else rng.random(size.size)
        chosen = np.zeros(size.size, bool)
        chosen[np.argsort(-score, kind="stable")[:count]] = True
    mask = np.zeros_like(net.mask_rec)
    mask[net.mask_rec] = chosen
    pruned = replace(net, w_rec=net.w_rec * mask, mask_rec=mask)
    return pruned, {"step": "I", "synapses_before": net.synapses, "synapses_after": pruned.synapses}


def _step2(net: Network, job: _Job) -> tuple[Network, dict]:
    if job.method in ("lnp", "weight-sampling"):
        return prune_by_betweenness(net, job.nodes)
    if job.method == "magnitude":
        score = np.abs(net.w_rec).sum(axis=0) + np.abs(net.w_rec).sum(axis=1)
    else:
        score = np.random.default_rng([job.seed, 4]).random(net.neurons)
    return prune_neurons(net, job.nodes, score)


_PASSES: dict[str, Callable[[Network, _Job], tuple[Network, dict]]] = {"I": _step1, "II": _step2}


def random_like(net: Network, neurons: int, synapses: int, seed: int) -> tuple[Network, dict]:
    """Random control of exactly ``neurons`` and ``synapses``: a random part of ``net``.

    Neurons first, then synapses among them, both uniform; weights and time constants stay.
    """
    if not 1 <= neurons <= net.neurons:
        raise TriodiaError(f"neurons must be in 1..{net.neurons}, not {neurons!r}")
    rng = np.random.default_rng([seed, 5])
    part = net.subnetwork(np.sort(rng.permutation(net.neurons)[:neurons]))
    if not 0 <= synapses <= part.synapses:
        raise TriodiaError(f"synapses must be in 0..{part.synapses}, not {synapses!r}")
    chosen = np.zeros(part.synapses, bool)
    chosen[rng.permutation(part.synapses)[:synapses]] = True
    mask = np.zeros_like(part.mask_rec)
    mask[part.mask_rec] = chosen
    pruned = replace(part, w_rec=part.w_rec * mask, mask_rec=mask)
    report = {"command": "prune", "method": "random-like", "seed": seed}
    report |= {"before": net.counts(), "after": pruned.counts()}
    return pruned.with_provenance(**report), report
