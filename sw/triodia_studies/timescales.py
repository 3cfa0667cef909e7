"""Which property of what pruning leaves goes with accuracy; docs/lnp.md shows what it printed.

``python -m triodia_studies.timescales FOLDER [SEEDS]`` takes the memory part of a study's results,
makes its networks again, and prints Spearman's rank correlation with accuracy over all seeds and
methods of equal counts: pooled, and of differences to the seed's mean. Once without the method
that chooses by time constants, once with it. Then, for step I alone, how a neuron's kept synapses
go with its time constant (needs no results).
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from triodia.network.network import Network

from .lnp.cells import pruned_network
from .lnp.plan import Cell, plan
from .lnp.store import read

__all__ = ["correlations", "degrees"]

_METHODS = ("lnp", "random", "weight-sampling", "noise-weights", "magnitude", "born-sparse")


def correlations(folder: Path, seeds: int, methods: tuple[str, ...] = _METHODS) -> list[dict]:
    """One row a property: correlation and p, pooled and within seeds."""
    cells = [c for c in plan(seeds) if c.network == "short" and c.method in methods]
    cells = [c for c in cells if (c.level, c.steps) == ("half", "I+II+III+IV")]
    rows = [
        (cell.seed, record["result"]["accuracy"], _properties(pruned_network(cell)))
        for cell in cells
        for record in read([cell], folder)
        if "result" in record
    ]
    seed, accuracy = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    found = []
    for name in rows[0][2] if rows else ():
        values = np.array([r[2][name] for r in rows])
        row = {"property": name, "networks": len(rows), "methods": len(methods)}
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


def degrees(method: str, seeds: int) -> dict:
    """Correlation of kept synapses in and out of a neuron with ``tau_mem``, mean over seeds."""
    base = {"part": "memory", "task": "delayed-sum", "network": "short", "steps": "I"}
    found = []
    for seed in range(seeds):
        net = pruned_network(Cell(**base, method=method, seed=seed))
        counts = (net.mask_rec.sum(axis=1), net.mask_rec.sum(axis=0))
        found.append([np.corrcoef(count, net.tau_mem)[0, 1] for count in counts])
    into, out = np.mean(found, axis=0).tolist()
    return {"method": method, "seeds": seeds, "in": into, "out": out}


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for chosen in (_METHODS, (*_METHODS, "slow")):
        for line in correlations(Path(sys.argv[1]), count, chosen):
            print(json.dumps(line), flush=True)
    for name in _METHODS[:-1]:  # born-sparse has other neurons
        print(json.dumps(degrees(name, count)), flush=True)
