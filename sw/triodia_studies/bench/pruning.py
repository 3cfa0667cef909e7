"""Seconds of each step of LNP against network size, and against library routines; peak memory."""

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import networkx as nx
import numpy as np
from scipy.linalg import solve_continuous_lyapunov

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.prune.covariance import stationary_covariance
from triodia.prune.products import EXACT
from triodia.prune.sampling import keep_probabilities, sample
from triodia.prune.spectrum import network_spectrum
from triodia.prune.step1 import edge_matrix, noise_score, spectrum_steps, stable_system
from triodia.prune.step2 import betweenness, prune_by_betweenness
from triodia.prune.step3 import EdgeOptions, add_edges
from triodia.prune.step4 import TimeOptions, tune_time_constants
from triodia_hw.errors import CheckFailed

__all__ = ["STEPS", "growth", "measure_steps", "timed"]

STEPS = ("spectrum", "Lyapunov matrix", "covariance", "sampling", "betweenness", "III", "IV")
_LIBRARY = ("spectrum", "covariance", "betweenness")


class _Clock:
    """CPU seconds, by name. Libraries that a step loads count, as they do for a user."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    def __call__(self, name: str, work: Callable[[], object]) -> object:
        start = process_time()
        result = work()
        self.found[name] = {"seconds": process_time() - start}
        return result


@stage(label="LNP", cost=lambda choices: 2e-8 * choices["neurons"] ** 3 + 1)
def timed(folder: Path, choices: dict) -> dict:
    """:func:`measure_steps` of ``neurons`` and ``library``, and the peak of the whole process."""
    row = measure_steps(choices["neurons"], library=choices["library"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return row | {"peak_gibibytes": peak}


def measure_steps(neurons: int, *, library: bool, seed: int = 0) -> dict:
    """One network of density 0.1 through steps I to IV with the defaults (0.5, 0.43).

    ``library`` also runs the obvious routines on the same input: numpy's Householder QR in the same
    loop, scipy's solver of the Lyapunov equation, networkx' betweenness; their results must agree
    to 1e-6 (exponents, covariance, scores, relative to the largest). Beyond 600 neurons, where
    vectors start elsewhere and are float32, the sum of the exponents and the covariance to 1e-5.
    """
    clock = _Clock()
    net = new_network(neurons, seed, density=0.1)
    run = {"seed": seed, "steps": spectrum_steps(neurons)}
    found = clock("spectrum", lambda: network_spectrum(net, **run))
    size = np.abs(found.of_coordinates())
    size = np.maximum(size, 0.05 * np.median(size))
    edges = clock("Lyapunov matrix", lambda: edge_matrix(net, size))
    leak = 1 / net.tau_mem.astype(np.float64)

    def covariance() -> tuple[np.ndarray, np.ndarray]:
        a, _ = stable_system(edges, leak, 0.1)
        return a, stationary_covariance(a)

    a, c = clock("covariance", covariance)

    thin = clock("sampling", lambda: _sampled(net, noise_score(a, c), seed))
    score = clock("betweenness", lambda: betweenness(thin))
    small, _ = prune_by_betweenness(thin, 0.43)
    more, _ = clock("III", lambda: add_edges(small, net, seed, EdgeOptions()))
    clock("IV", lambda: tune_time_constants(more, net, seed, TimeOptions()))
    row = {"neurons": neurons, "synapses": net.synapses, "steps": dict(clock.found)}
    row["total"] = sum(step["seconds"] for step in row["steps"].values())
    if library:
        row |= _against_library(clock, net, run, found, a, c, thin, score)
    return row


def _sampled(net: Network, score: np.ndarray, seed: int) -> Network:
    mask = np.zeros_like(net.mask_rec)
    chance = keep_probabilities(score[net.mask_rec], 0.5)
    mask[net.mask_rec] = sample(chance, np.random.default_rng([seed, 3]))
    return replace(net, w_rec=net.w_rec * mask, mask_rec=mask)


def _against_library(
    clock: _Clock,
    net: Network,
    run: dict,
    found: object,
    a: np.ndarray,
    c: np.ndarray,
    thin: Network,
    score: np.ndarray,
) -> dict:
    run |= {"factor": np.linalg.qr, "fast": False}
    plain = clock("library spectrum", lambda: network_spectrum(net, **run))
    solved = clock("library covariance", lambda: solve_continuous_lyapunov(a, -np.eye(net.neurons)))
    graph = nx.DiGraph()
    graph.add_nodes_from(range(net.neurons))
    for i, j in zip(*np.nonzero(thin.w_rec), strict=True):
        graph.add_edge(int(j), int(i), length=1 / abs(float(thin.w_rec[i, j])))
    options = {"weight": "length", "normalized": False}
    central = clock("library betweenness", lambda: nx.betweenness_centrality(graph, **options))
    central = np.array([central[k] for k in range(net.neurons)])
    spectra = [part.exponents for part in (found, plain)]
    if net.neurons > EXACT:
        spectra = [part.sum(keepdims=True) for part in spectra]
    pairs = (spectra, (c, solved), (score, central))
    apart = [float(np.abs(x - y).max() / np.abs(y).max()) for x, y in pairs]
    large = 1e-6 if net.neurons <= EXACT else 1e-5
    allowed = (large, large, 1e-6)
    for name, error, most in zip(_LIBRARY, apart, allowed, strict=True):
        if error > most:
            raise CheckFailed(f"{name}: fast and plain differ by {error:.1e} of the largest")
    library = {name: clock.found[f"library {name}"] for name in _LIBRARY}
    ours = sum(clock.found[name]["seconds"] for name in _LIBRARY)
    theirs = sum(step["seconds"] for step in library.values())
    return {"library": library, "difference": apart, "times_faster": theirs / ours}


def growth(rows: list[dict], step: str) -> float | None:
    """Exponent of seconds against neurons, least squares of logarithms over N of 500 and more."""
    points = [
        (np.log(row["neurons"]), np.log(max(row["steps"][step]["seconds"], 1e-3)))
        for row in rows
        if row["neurons"] >= 500
    ]
    return float(np.polyfit(*zip(*points, strict=True), 1)[0]) if len(points) > 1 else None
