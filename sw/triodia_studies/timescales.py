"""Correlate properties of pruned networks with accuracy; docs/tried.md has the results.

``triodia-studies run timescales --results FILE`` rebuilds the networks of a study's memory part. It
prints Spearman's rank correlation of each property with accuracy over all seeds and methods of
equal counts: pooled, and of differences to the seed's mean; without and with the method that
chooses by time constants. ``triodia-studies run degrees`` correlates a neuron's synapses after
step I with its time constant.
"""

from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from triodia.lab.stage import stage
from triodia.network.network import Network

from .lnp.cell import Cell
from .lnp.cells import pruned_network
from .lnp.plan import plan
from .lnp.results import of_plan
from .study import Study, by_seed

__all__ = ["DEGREES", "METHODS", "correlations", "kept", "properties", "study"]

METHODS = ("lnp", "random", "weight-sampling", "noise-weights", "magnitude", "born-sparse")


def study(records: list[dict]) -> Study:
    """The study of ``records``, results of the study of LNP."""

    def choose(seeds: list[int]) -> list[dict]:
        cells = [c for c in plan(max(seeds) + 1) if c.network == "short" and c.seed in seeds]
        cells = [c for c in cells if c.part == "memory" and c.method in (*METHODS, "slow")]
        cells = [c for c in cells if (c.level, c.steps) == ("half", "I+II+III+IV")]
        return [r for r in of_plan(records, cells) if "result" in r]

    def jobs(seeds: list[int]) -> list[dict]:
        return [{"cell": r["cell"], "accuracy": r["result"]["accuracy"]} for r in choose(seeds)]

    def rows(choices: list[dict], results: list[dict]) -> list[dict]:
        found = []
        for methods in (METHODS, (*METHODS, "slow")):
            mine = [
                (one["cell"]["seed"], one["accuracy"], result["properties"])
                for one, result in zip(choices, results, strict=True)
                if one["cell"]["method"] in methods
            ]
            found += [row | {"methods": len(methods)} for row in correlations(mine)]
        return found

    return Study(properties, jobs, rows)


@stage(label="properties", cost=2.0)
def properties(folder: Path, choices: dict) -> dict:
    """Properties of the network of a cell before training, by name."""
    return {"properties": _properties(pruned_network(Cell(**choices["cell"])))}


def correlations(networks: list[tuple[int, float, dict[str, float]]]) -> list[dict]:
    """One row per property: rank correlation with accuracy and p, pooled and within seeds.

    ``networks``: seed, accuracy and properties of each.
    """
    seed, accuracy = np.array([n[0] for n in networks]), np.array([n[1] for n in networks])
    found = []
    for name in networks[0][2] if networks else ():
        values = np.array([n[2][name] for n in networks])
        row = {"property": name, "networks": len(networks)}
        for kind, a, b in (
            ("pooled", values, accuracy),
            ("within seeds", _centred(values, seed), _centred(accuracy, seed)),
        ):
            known = spearmanr(a, b)
            row[kind] = [float(known.statistic), float(known.pvalue)]
        found.append(row)
    return found


def _centred(values: np.ndarray, seed: np.ndarray) -> np.ndarray:
    means = {s: values[seed == s].mean() for s in np.unique(seed)}
    return values - np.array([means[s] for s in seed])


def _properties(net: Network) -> dict[str, float]:
    w = net.w_rec.astype(np.float64)
    return {
        "mean time constant": float(net.tau_mem.mean()),
        "gain (root mean square of a neuron's summed squares)": float(
            np.sqrt((w**2).sum() / net.neurons)
        ),
        "spectral radius": float(np.abs(np.linalg.eigvals(w)).max()),
        "synapses both ways": float((net.mask_rec & net.mask_rec.T).sum()),
    }


@stage(label="degrees", cost=2.0)
def kept(folder: Path, choices: dict) -> dict:
    """Correlation of a neuron's kept synapses, "in" and "out", with ``tau_mem`` after step I.

    ``choices``: method, seed.
    """
    base = {"part": "memory", "task": "delayed-sum", "network": "short", "steps": "I"}
    net = pruned_network(Cell(**base, **choices))
    counts = {"in": net.mask_rec.sum(axis=1), "out": net.mask_rec.sum(axis=0)}
    return {k: float(np.corrcoef(count, net.tau_mem)[0, 1]) for k, count in counts.items()}


def _degrees(choices: list[dict], results: list[dict]) -> list[dict]:
    rows = []
    for group in by_seed(choices, results).values():
        row = {"method": group[0][0]["method"], "seeds": len(group)}
        means = {key: float(np.mean([found[key] for _, found in group])) for key in ("in", "out")}
        rows.append(row | means)
    return rows


DEGREES = Study(
    kept,
    lambda seeds: [{"method": m, "seed": s} for m in METHODS[:-1] for s in seeds],
    _degrees,  # born-sparse has other neurons
)
