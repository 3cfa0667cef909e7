"""What the noise rule of step I sees: the table of docs/lnp.md.

Run it as ``triodia-studies run sight --seeds 3``: networks of 300 neurons and density 0.2, half of
the synapses kept.
"""

from pathlib import Path

import numpy as np

from triodia.lab.stage import stage
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.step1 import NoiseOptions, noise_prune

from .study import Study, by_seed

__all__ = ["STUDY", "seen"]

_KEYS = ("path_share", "explained_by_tau", "explained_by_weight", "explained_by_degree", "scale")
_CASES = (
    ("random", {}),
    ("clustered", {}),
    ("random", {"symmetric": True}),
    ("random", {"edges": "weights"}),
    ("random", {"equal_tau": True}),
    ("random", {"deflate": 1}),
    ("clustered", {"deflate": 1}),
    ("clustered", {"deflate": 20}),
)


@stage(label="step I", cost=20.0)
def seen(folder: Path, choices: dict) -> dict:
    """What the report of step I says: ``choices`` network, options and seed."""
    seed = choices["seed"]
    if choices["network"] == "clustered":
        net = clustered_network(300, seed)
    else:
        net = new_network(300, seed, density=0.2)
    report = noise_prune(net, 0.5, seed, NoiseOptions(**choices["options"]))[1]
    return {key: report[key] for key in _KEYS}


def _plan(seeds: list[int]) -> list[dict]:
    return [{"network": n, "options": o, "seed": s} for n, o in _CASES for s in seeds]


def _rows(choices: list[dict], results: list[dict]) -> list[dict]:
    """A row per network and option: means over seeds."""
    rows = []
    for group in by_seed(choices, results).values():
        first = group[0][0]
        means = {k: round(float(np.mean([r[k] for _, r in group])), 3) for k in _KEYS}
        rows.append({"network": first["network"], "options": first["options"], **means})
    return rows


STUDY = Study(seen, _plan, _rows)
