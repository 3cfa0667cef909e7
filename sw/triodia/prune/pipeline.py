"""Prune a dense random network to a sparse one, by LNP or a control."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .criteria import NEED_SAMPLES, Samples, keep_by, shuffled
from .hardware import HardwareOptions, fit_lanes
from .measures import WHOLE, measure, spectral_error
from .options import choices
from .step1 import NoiseOptions, keep_matrix, noise_prune, stable_system
from .step2 import degree, prune_by_betweenness, prune_neurons, strength
from .step3 import EdgeOptions, add_edges
from .step4 import TimeOptions, tune_time_constants

__all__ = ["METHODS", "STEPS", "delays_seen", "prune"]

STEPS = ("I", "II", "III", "IV", "H")
METHODS = ("lnp", "lnp-degree", "lnp-shuffled", "random", "magnitude", "weight-sampling", "slow")
METHODS += ("tau-sampling", "snip", "grasp", "activity", "synflow", "jacobian")
METHODS += ("iterative-magnitude",)
METHODS += ("geohub", "erdos-renyi", "barabasi-albert", "none")
# Neurons up to which a BLAS of several threads takes longer than one: 37 s against 17 s at 500 on
# two cores, for steps I to IV. One thread also sums in the same order everywhere.
_ALONE = 1000
_NOISE_RULE = ("lnp", "lnp-degree", "lnp-shuffled")
_BY_STRENGTH = ("magnitude", "snip", "grasp", "activity", "synflow", "jacobian")
_BY_STRENGTH += ("iterative-magnitude",)


@dataclass(frozen=True)
class _Job:
    method: str
    synapses: float
    nodes: float
    seed: int
    noise: NoiseOptions
    edges: EdgeOptions
    times: TimeOptions
    hardware: HardwareOptions
    reference: Network  # before any step
    kept: np.ndarray  # neurons of the reference that are left
    samples: Samples | None  # for methods that look at data


def prune(
    net: Network,
    *,
    method: str = "lnp",
    synapses: float = 0.5,
    nodes: float = 1.0,
    seed: int = 0,
    steps: Sequence[str] = ("I", "II"),
    loops: int = 1,
    measured: bool = False,
    samples: Samples | None = None,
    **options: object,
) -> tuple[Network, dict]:
    """Prune the recurrent graph; most methods use no task and no data.

    Step I keeps the fraction ``synapses`` of the synapses, step II the fraction ``nodes`` of the
    neurons with all synapses between them. Criteria for synapses and neurons, by method:

    =================== ======================================== =============================
    lnp                 noise rule on the Lyapunov matrix        betweenness, length ``1 / |w|``
    lnp-degree          as lnp                                   most synapses left by step I
    lnp-shuffled        as lnp, then shuffled, same degrees      as lnp
    weight-sampling     sampled in proportion to ``|w|``         as lnp
    tau-sampling        in proportion to ``(tau_i tau_j)^0.4``   as lnp
    slow                as weight-sampling                       largest ``tau_mem``
    magnitude           largest ``|w|``                          largest sum of ``|w|``
    jacobian            :func:`~.scores.jacobian_score`          as magnitude
    synflow             :func:`~.scores.synflow_mask`            as magnitude
    snip, grasp         :func:`~.saliency.saliency`              as magnitude
    activity            :func:`~.saliency.saliency`              as magnitude
    iterative-magnitude :func:`~.saliency.iterative_magnitude`   as magnitude
    geohub              :func:`~.graphs.geohub`, a new graph     uniform
    barabasi-albert     :func:`~.graphs.barabasi_albert`         uniform
    erdos-renyi         :func:`~.graphs.erdos_renyi`             uniform
    random              uniform                                  uniform
    none                everything stays                         everything stays
    =================== ======================================== =============================

    In a layered network step II keeps that fraction of each layer, and no step joins layers that
    were not joined. ``by_layer`` keeps the same fraction of synapses from each layer to another.
    ``samples`` are for "snip", "grasp", "activity" and "iterative-magnitude", which look at data.

    Synapses that are kept keep their delays. Spectrum, noise rule and every other criterion but
    those that look at data take all synapses as if none waited (:func:`delays_seen`).

    With ``loops`` all steps run that many times, each time keeping the same fraction.

    Step III adds synapses until eigenvectors are delocalised, step IV searches time constants;
    both are the same for every method. Step H (ours) spreads synapses evenly over the PEs of a
    machine. ``options`` are the fields of ``NoiseOptions``, ``EdgeOptions``, ``TimeOptions`` and
    ``HardwareOptions``. The report has the counts before and after and one entry per step.
    ``measured`` adds ``before`` and ``after`` to each entry: spectrum, localisation, algebraic
    connectivity, stability margin, and spectral error against the given network.
    """
    chosen = choices(options)
    if method not in METHODS:
        raise TriodiaError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    _check_steps(steps)
    if not 1 <= loops <= 1000:
        raise TriodiaError(f"loops must be in 1..1000, not {loops!r}")
    everyone = np.arange(net.neurons)
    job = _Job(
        method, synapses, nodes, seed, *chosen, reference=net, kept=everyone, samples=samples
    )
    report = {"command": "prune", "method": method, "seed": seed, "steps": list(steps)}
    report |= {"synapses_kept": synapses, "nodes_kept": nodes, "before": net.counts()}
    report |= {"loops": loops} if loops > 1 else {}
    report |= {"delays_seen": delays_seen(method)} if net.delays else {}
    report |= {"options": {k: v for part in chosen for k, v in asdict(part).items()}}
    with threadpool_limits(1 if net.neurons <= _ALONE else None, user_api="blas"):
        pruned, done = _run(net, steps if method != "none" else (), job, measured, loops)
    report |= {"after": pruned.counts(), "passes": done}
    # Times stay out of the file, so that the same command gives the same bytes.
    passes = [{k: v for k, v in entry.items() if k != "seconds"} for entry in done]
    return pruned.with_provenance(**(report | {"passes": passes})), report


def delays_seen(method: str) -> bool:
    """Whether ``method`` runs the network with its delays; the others rank as if none waited."""
    return method in NEED_SAMPLES


def _run(
    net: Network, steps: Sequence[str], job: _Job, measured: bool, loops: int
) -> tuple[Network, list[dict]]:
    """Run the steps in order; time each and, if asked, measure before and after it."""
    view = _measurer(net, job.seed) if measured and steps else None
    before, done, whole = view(net) if view else None, [], job
    for k, name in ((k, name) for k in range(loops) for name in steps):
        job = replace(_part(whole, net, k, loops), kept=job.kept)
        start = perf_counter()
        net, entry = _PASSES[name](net, job)
        entry |= {"seconds": perf_counter() - start}
        job = replace(job, kept=job.kept[entry.get("kept", slice(None))])
        if view:
            after = view(net)
            entry |= {"before": before, "after": after}
            before = after
        done.append(entry)
    return net, done


def _part(whole: _Job, net: Network, k: int, loops: int) -> _Job:
    """What loop ``k`` of ``loops`` keeps of ``net``: the same fraction each, and as many in all."""
    if loops == 1:
        return whole
    root, reached = whole.synapses ** (1 / loops), (k + 1) / loops
    if whole.nodes == 1:  # else synapses go with their neurons too
        root = round(whole.reference.synapses * whole.synapses**reached) / max(net.synapses, 1)
    neurons = round(whole.reference.neurons * whole.nodes**reached)
    return replace(
        whole,
        synapses=min(1.0, root),
        nodes=min(1.0, neurons / net.neurons),
        seed=whole.seed + 1000 * k,
    )


def _measurer(reference: Network, seed: int) -> Callable[[Network], dict]:
    """Function that measures a network and its spectral error against ``reference``."""
    leak = 1 / reference.tau_mem.astype(np.float64)
    _, scale = stable_system(reference.w_rec.astype(np.float64), leak, 0.1)
    whole = reference.neurons <= WHOLE
    first = measure(reference, scale, whole=whole, seed=seed)

    def view(net: Network) -> dict:
        found = first if net is reference else measure(net, scale, whole=whole, seed=seed)
        error = spectral_error(found.exponents, first.exponents)
        return found.report() | {"spectral_error": error}

    return view


def _check_steps(steps: Sequence[str]) -> None:
    for name in steps:
        if name not in STEPS:
            raise TriodiaError(f"steps must be among {', '.join(STEPS)}, not {name!r}")
    if list(steps) != sorted(set(steps), key=STEPS.index):
        raise TriodiaError(f"steps must be in order and each at most once, not {' '.join(steps)}")


def _check_synapses(net: Network, step: str) -> None:
    if not net.synapses:
        raise TriodiaError(
            f"the network must have recurrent synapses for step {step}, and the {net.neurons}"
            " neurons there have none; --steps II prunes neurons alone"
        )


def _step1(net: Network, job: _Job) -> tuple[Network, dict]:
    _check_synapses(net, "I")
    if job.method in _NOISE_RULE:
        pruned, report = noise_prune(net, job.synapses, job.seed, job.noise)
        if job.method == "lnp-shuffled":
            pruned = shuffled(pruned, net, job.seed)
        return pruned, report
    how = {"by_layer": job.noise.by_layer}
    pruned = keep_by(job.method, net, job.synapses, job.seed, job.samples, **how)
    return pruned, {"step": "I", "synapses_before": net.synapses, "synapses_after": pruned.synapses}


def _step2(net: Network, job: _Job) -> tuple[Network, dict]:
    if job.method in ("lnp", "lnp-shuffled", "weight-sampling", "tau-sampling"):
        return prune_by_betweenness(net, job.nodes)
    if job.method == "slow":
        score = net.tau_mem
    elif job.method in _BY_STRENGTH:
        score = strength(net)
    elif job.method == "lnp-degree":
        score = degree(net)
    else:
        score = np.random.default_rng([job.seed, 4]).random(net.neurons)
    return prune_neurons(net, job.nodes, score)


def _step3(net: Network, job: _Job) -> tuple[Network, dict]:
    return add_edges(net, job.reference, job.seed, job.edges)


def _step4(net: Network, job: _Job) -> tuple[Network, dict]:
    return tune_time_constants(net, job.reference, job.seed, job.times)


def _step_h(net: Network, job: _Job) -> tuple[Network, dict]:
    part = job.reference.subnetwork(job.kept)
    _check_synapses(part, "H")
    preference = np.random.default_rng([job.seed, 19]).random(part.w_rec.shape)
    if job.method in _NOISE_RULE:
        share = min(1.0, net.synapses / part.synapses)
        preference, _, _ = keep_matrix(part, share, job.seed, job.noise)
    elif job.method != "random":
        preference = np.abs(part.w_rec) / np.abs(part.w_rec).max()
    return fit_lanes(net, part, preference, job.hardware)


_PASSES: dict[str, Callable[[Network, _Job], tuple[Network, dict]]] = {
    "I": _step1,
    "II": _step2,
    "III": _step3,
    "IV": _step4,
    "H": _step_h,
}
