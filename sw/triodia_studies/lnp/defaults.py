"""Small experiments on which LNP's defaults rest; docs/tried.md has the results.

``triodia-studies run defaults`` prints the rows of all of them.
"""

from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from triodia.lab.stage import stage
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.covariance import stationary_covariance
from triodia.prune.literal import literal_matrix
from triodia.prune.pipeline import prune
from triodia.prune.sampling import keep_probabilities, sample
from triodia.prune.spectrum import network_spectrum
from triodia.prune.step1 import edge_matrix, noise_score, stable_system
from triodia.prune.step3 import CHOICES

from ..study import Study

__all__ = ["STUDY", "delocalisation", "experiment", "preservation", "ranking", "stability", "steps"]


def _system(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A stable random system (Dale's law, heterogeneous leaks) and where its couplings are."""
    net = new_network(n, seed)
    a, _ = stable_system(net.w_rec.astype(np.float64), 1 / net.tau_mem.astype(np.float64), 0.1)
    return a, net.mask_rec


def _thinned(
    a: np.ndarray, mask: np.ndarray, score: np.ndarray, keep: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """``A`` with sampled couplings over ``p``, diagonal left alone and made up for."""
    p = np.zeros(a.shape)
    p[mask] = keep_probabilities(score[mask], keep)
    kept = np.zeros_like(mask)
    kept[mask] = sample(p[mask], np.random.default_rng(seed))
    sparse = np.divide(a, p, out=np.zeros_like(a), where=kept)
    off = a * mask
    diagonal = np.diag(a) - (np.abs(sparse) - np.abs(off)).sum(axis=1)
    return sparse + np.diag(np.diag(a)), sparse + np.diag(diagonal)


def stability(n: int = 200, seeds: int = 5) -> list[dict]:
    """Largest real part of the thinned system by fraction kept, plain and compensated."""
    rows = []
    for keep in (0.5, 0.25, 0.1, 0.05):
        found = {"untouched diagonal": [], "compensated": [], "cut only": []}
        for seed in range(seeds):
            a, mask = _system(n, seed)
            plain, moved = _thinned(a, mask, noise_score(a, stationary_covariance(a)), keep, seed)
            cut = np.where(plain != 0, a, 0)
            for name, matrix in zip(found, (plain, moved, cut), strict=True):
                found[name].append(float(np.linalg.eigvals(matrix).real.max()))
        rows.append({"keep": keep, **{k: [min(v), max(v)] for k, v in found.items()}})
    return rows


def preservation(n: int = 200, seeds: int = 5, keep: float = 0.25) -> list[dict]:
    """Relative change of the covariance, rescaled and compensated, by sampling rule."""
    rows = []
    for rule in ("noise", "weight", "uniform"):
        errors = []
        for seed in range(seeds):
            a, mask = _system(n, seed)
            c = stationary_covariance(a)
            scores = {"noise": noise_score(a, c), "weight": np.abs(a), "uniform": np.ones(a.shape)}
            _, thin = _thinned(a, mask, scores[rule], keep, seed)
            if np.linalg.eigvals(thin).real.max() < 0:
                errors.append(np.linalg.norm(stationary_covariance(thin) - c) / np.linalg.norm(c))
        mean = float(np.mean(errors)) if errors else None
        rows.append({"rule": rule, "keep": keep, "stable": len(errors), "error": mean})
    return rows


def ranking(n: int = 48, seeds: int = 3) -> list[dict]:
    """Rank correlation over edges of our Lyapunov matrix with the literal one."""
    rows = []
    for density in (0.05, 0.1, 0.2):
        values = {"graph": [], "weighted": []}
        for seed in range(seeds):
            net = new_network(n, seed, density=density)
            size = np.abs(network_spectrum(net, seed=seed).of_coordinates())
            size = np.maximum(size, 0.05 * np.median(size))
            literal = np.abs(literal_matrix(net, seed=seed))[net.mask_rec]
            for kind, found in values.items():
                ours = np.abs(edge_matrix(net, size, kind))[net.mask_rec]
                found.append(float(spearmanr(ours, literal).statistic))
        rows.append({"neurons": n, "density": density, **values})
    return rows


def steps(n: int = 256, seeds: int = 5) -> list[dict]:
    """Measures before and after each of the four steps, clustered networks, mean and deviation."""
    runs = []
    for seed in range(seeds):
        net = clustered_network(n, seed)
        _, report = prune(net, seed=seed, steps=("I", "II", "III", "IV"), measured=True)
        passes = report["passes"]
        runs.append([passes[0]["before"], *(entry["after"] for entry in passes)])
    rows = []
    for place, name in enumerate(("before", "I", "II", "III", "IV")):
        row = {"step": name}
        for key in (k for k, v in runs[0][0].items() if not isinstance(v, list)):
            values = [run[place][key] for run in runs]
            row[key] = [float(np.mean(values)), float(np.std(values, ddof=1))]
        rows.append(row)
    return rows


def delocalisation(n: int = 256, seeds: int = 5, budget: float = 0.2) -> list[dict]:
    """Step III by choice of synapses: localisation before and after, synapses added."""
    rows = []
    for choice in CHOICES:
        found = []
        for seed in range(seeds):
            options = {"choice": choice, "budget": budget, "steps": ("I", "II", "III")}
            _, report = prune(clustered_network(n, seed), seed=seed, **options)
            entry = report["passes"][2]
            levels = entry["localisation_by_round"]
            found.append([levels[0], min(levels), entry["synapses_added"]])
        before, after, added = np.mean(found, axis=0).tolist()
        rows.append({"choice": choice, "before": before, "after": after, "added": added})
    return rows


@stage(label="defaults", cost=30.0)
def experiment(folder: Path, choices: dict) -> dict:
    """Rows of the experiment called ``name`` with its default settings."""
    return {"rows": _EXPERIMENTS[choices["name"]]()}


def _plan(seeds: list[int]) -> list[dict]:
    return [{"name": name} for name in _EXPERIMENTS]  # each has its own seeds


def _rows(choices: list[dict], results: list[dict]) -> list[dict]:
    pairs = zip(choices, results, strict=True)
    return [{"experiment": one["name"]} | row for one, found in pairs for row in found["rows"]]


_EXPERIMENTS = {f.__name__: f for f in (stability, preservation, ranking, steps, delocalisation)}
STUDY = Study(experiment, _plan, _rows)
