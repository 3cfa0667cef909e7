"""Step IV: search the distribution of time constants for a Lyapunov spectrum; no task data."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaincinv

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .measures import WHOLE, spectral_error
from .memory import memory_and_rate
from .spectrum import network_spectrum

__all__ = ["TimeOptions", "redrawn_taus", "tune_time_constants"]

OBJECTIVES = ("spectrum", "edge", "efficiency")
_MEAN, _SHAPE = (0.4, 2.5), (1.0, 12.0)  # factor on a cluster's mean, and gamma shape


@dataclass(frozen=True, kw_only=True)
class TimeOptions:
    """Options of step IV.

    Parameters
    ----------
    objective : "spectrum" (distance to the spectrum before pruning), "edge" (largest exponent
        close to ``-edge``) or "efficiency" (spikes over linear memory, which Chakraborty &
        Mukhopadhyay, ICLR 2023, minimise).
    trials : evaluations of the search; the first uses the current time constants.
    edge : for "edge", how far below zero the largest exponent should be, per step.
    spectrum_steps : steps that a spectrum averages.
    """

    objective: str = "spectrum"
    trials: int = 30
    edge: float = 0.01
    spectrum_steps: int = 60

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise TriodiaError(f"objective must be one of {known}, not {self.objective!r}")
        if self.trials < 1 or self.spectrum_steps < 2 or self.edge < 0:
            raise TriodiaError("trials must be 1 or more, spectrum_steps 2 or more, edge 0 or more")


@np.errstate(over="ignore", invalid="ignore")  # the network refuses what is not finite
def redrawn_taus(net: Network, factors: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Redraw ``tau_mem`` from one gamma law per cluster; neurons keep their rank in the cluster.

    Cluster ``k`` gets the quantiles of a gamma distribution of shape ``shapes[k]`` and mean
    ``factors[k]`` times its current mean; at least one step.
    """
    cluster = _clusters(net)
    tau = np.empty(net.neurons)
    for k, name in enumerate(np.unique(cluster)):
        here = np.flatnonzero(cluster == name)
        rank = net.tau_mem[here].argsort(kind="stable").argsort()
        mean = factors[k] * float(net.tau_mem[here].mean())
        tau[here] = gammaincinv(shapes[k], (rank + 0.5) / here.size) * (mean / shapes[k])
    return np.maximum(tau, 1.0)


def _clusters(net: Network) -> np.ndarray:
    """The population of each neuron: its cluster, else its layer."""
    found = net.cluster if net.cluster is not None else net.layer
    return np.zeros(net.neurons, int) if found is None else found


def tune_time_constants(
    net: Network, reference: Network, seed: int, options: TimeOptions
) -> tuple[Network, dict]:
    """Search time constants with optuna's tree-structured Parzen estimator; return the best.

    ``reference`` is the network before pruning. The parameters are a factor on the mean and the
    shape of each cluster's gamma law. Spectra are whole, or beyond 600 neurons (of ``reference``)
    their leading tenth. Every trial runs on the same noise. If no trial beats the current time
    constants, they stay.
    """
    import optuna  # heavy import, only when asked for

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # a failed trial is raised, that is enough
    whole = reference.neurons <= WHOLE
    aim = np.zeros(1)
    if options.objective == "spectrum":
        aim = _spectrum(reference, seed, options, whole)
    clusters = np.unique(_clusters(net)).size
    start = _cost(net, aim, seed, options, whole)

    def cost(trial: "optuna.Trial") -> float:
        return _cost(replace(net, tau_mem=_drawn(net, trial, clusters)), aim, seed, options, whole)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(cost, n_trials=options.trials - 1)
    best, report = net, {"factors": None, "shapes": None}
    costs = [start, *(t.value for t in study.trials)]
    if min(costs) < start:
        factors, shapes = (_parameters(study.best_params, k, clusters) for k in ("mean", "shape"))
        best = replace(net, tau_mem=redrawn_taus(net, factors, shapes))
        report = {"factors": factors.tolist(), "shapes": shapes.tolist()}
    return best, {
        "step": "IV",
        "objective": options.objective,
        "trials": options.trials,
        "cost_before": start,
        "cost_after": min(costs),
        "best_trial": int(np.argmin(costs)),
        "tau_mean_before": float(net.tau_mem.mean()),
        "tau_mean_after": float(best.tau_mem.mean()),
        **report,
    }


def _drawn(net: Network, trial: object, clusters: int) -> np.ndarray:
    factors = [trial.suggest_float(f"mean{k}", *_MEAN, log=True) for k in range(clusters)]
    shapes = [trial.suggest_float(f"shape{k}", *_SHAPE, log=True) for k in range(clusters)]
    return redrawn_taus(net, np.array(factors), np.array(shapes))


def _parameters(found: dict, name: str, clusters: int) -> np.ndarray:
    return np.array([found[f"{name}{k}"] for k in range(clusters)])


def _spectrum(net: Network, seed: int, o: TimeOptions, whole: bool) -> np.ndarray:
    leading = None if whole else max(1, net.neurons // 10)
    leading = leading if o.objective == "spectrum" else 1
    steps = {"steps": o.spectrum_steps, "transient": 20, "leading": leading, "fast": not whole}
    return network_spectrum(net, seed=seed, **steps).exponents


def _cost(net: Network, aim: np.ndarray, seed: int, o: TimeOptions, whole: bool) -> float:
    if o.objective == "efficiency":
        memory, rate = memory_and_rate(net, seed)
        return rate / max(memory, 1e-9)
    found = _spectrum(net, seed, o, whole)
    if o.objective == "edge":
        return float(abs(found[0] + o.edge))
    return spectral_error(found, aim)
