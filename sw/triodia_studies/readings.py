"""Ways to read Lyapunov noise pruning, each against random choice at its own counts.

The paper leaves open how its budget counts, how its iterations nest and what its last steps aim
at. Plan, written before the runs: 128 neurons in five clusters of a small world (density 0.2), the
tasks two symbols added over 12 steps and digits by pixels, five seeds. Three budgets: half of the
synapses and all neurons; 43 % of the neurons, filled up to half of the synapses; both, with step
III as it is. Each network is compared with one of as many neurons and synapses drawn at random
from the same network and trained with the same seed. A difference counts if its 95 % interval
(Student's t, Bonferroni over the readings) leaves 0 out.

Run it as ``triodia-studies run readings``.
"""

from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.topologies import clustered_network
from triodia.prune.controls import random_like
from triodia.prune.pipeline import prune
from triodia.prune.step3 import EdgeOptions, add_edges
from triodia.tasks.catalog import get_task
from triodia.train.loop import train
from triodia.train.measure import evaluate

from .paired import against_random
from .study import Study

__all__ = ["READINGS", "STUDY", "read_so"]

_HALF = {"synapses": 0.5, "steps": ("I",)}
_BOTH = {"synapses": 0.5, "nodes": 0.43, "steps": ("I", "II", "III")}
READINGS = {
    "half: one cut": _HALF,
    "half: 10 cuts": _HALF | {"iterations": 10},
    "half: 100 cuts": _HALF | {"iterations": 100},
    "half: theorem's system": _HALF | {"symmetric": True, "rescale": True},
    "half: without the outlier": _HALF | {"deflate": 1},
    "half: rule on weights": _HALF | {"edges": "weights"},
    "neurons, filled up": {"nodes": 0.43, "steps": ("II", "III"), "total": 0.5},
    "both": _BOTH,
    "both: I in 10 cuts": _BOTH | {"iterations": 10},
    "both: all in 10 loops": _BOTH | {"loops": 10},
    "both: III without cap": _BOTH | {"budget": 10.0, "rounds": 50},
    "both, then IV": _BOTH | {"steps": ("I", "II", "III", "IV")},
    "both, then IV on efficiency": _BOTH
    | {"steps": ("I", "II", "III", "IV"), "objective": "efficiency"},
}
TASKS = ("delayed-sum", "digits-pixels")


@stage(label="training", cost=15.0)
def read_so(folder: Path, choices: dict) -> dict:
    """Accuracy of ``choices`` task, reading, method ("lnp" or "random") and seed."""
    torch.set_num_threads(1)  # jobs share the cores
    task, seed = get_task(choices["task"]), choices["seed"]
    data, whole = task.load(), clustered_network(128, seed)
    net = _pruned(whole, choices["reading"], seed)
    if choices["method"] == "random":
        net = _like(whole, net, seed)
    trained, _ = train(net, task, data=data, seed=seed)
    counts = {"neurons": net.neurons, "synapses": net.synapses}
    return counts | {"accuracy": evaluate(trained, data)["accuracy"]}


def _pruned(net: Network, reading: str, seed: int) -> Network:
    return prune(net, seed=seed, **READINGS[reading])[0]


def _like(whole: Network, net: Network, seed: int) -> Network:
    """As many neurons and synapses as ``net`` has, drawn at random from ``whole``.

    Where its neurons have too few synapses among them, more are put in random places.
    """
    chosen = np.sort(np.random.default_rng([seed, 5]).permutation(whole.neurons)[: net.neurons])
    part = whole.subnetwork(chosen)
    if part.synapses > net.synapses:
        return random_like(part, part.neurons, net.synapses, seed)[0]
    filled = EdgeOptions(total=net.synapses / whole.synapses, choice="random")
    return add_edges(part, whole, seed, filled)[0]


def _plan(seeds: list[int]) -> list[dict]:
    return [
        {"task": task, "reading": reading, "method": method, "seed": seed}
        for task in TASKS
        for reading in READINGS
        for method in ("random", "lnp")
        for seed in seeds
    ]


def _rows(choices: list[dict], results: list[dict]) -> list[dict]:
    """A row per task, reading and method, as :func:`~.paired.against_random` makes them."""
    counts = ("neurons", "synapses")
    return against_random(choices, results, "accuracy", len(READINGS), *counts)


STUDY = Study(read_so, _plan, _rows)
