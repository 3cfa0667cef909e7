"""Ways to make a recurrent network sparse, on tasks on which its synapses matter.

Plan, written before the runs: 128 neurons, dense at the start, all of them kept; 10 % of the
recurrent synapses kept by each method; then training by the task's recipe. Tasks: two symbols
added over 4, 12 and 20 steps, and digits shown pixel by pixel. Five seeds of network, method and
training. First, what recurrence is worth: no recurrent synapse, and all of them. Store-recall was
tried for the plan and left out: without recurrence it stays at 97 %. A difference counts if the
95 % interval of the paired differences to "random" (Student's t, Bonferroni over the methods)
leaves 0 out.

Run it as ``triodia-studies run rivals``.
"""

from pathlib import Path

import torch

from triodia.lab.stage import stage
from triodia.network.random import new_network
from triodia.prune.criteria import Samples
from triodia.prune.pipeline import prune
from triodia.tasks.catalog import get_task
from triodia.train.loop import train
from triodia.train.measure import evaluate

from .paired import against_random
from .study import Study

__all__ = ["METHODS", "STUDY", "TASKS", "rival"]

TASKS = ("delayed-sum-short", "delayed-sum", "delayed-sum-long", "digits-pixels")
METHODS = (
    "random",
    "none",
    "no recurrence",
    "lnp",
    "lnp without covariance",
    "lnp with equal time constants",
    "lnp-shuffled",
    "tau-sampling",
    "magnitude",
    "weight-sampling",
    "activity",
    "jacobian",
    "synflow",
    "snip",
    "grasp",
    "geohub",
    "erdos-renyi",
    "barabasi-albert",
    "iterative-magnitude",
    "rigl",
    "deep-r",
)
_CONTROLS = {
    "lnp without covariance": {"covariance": False},
    "lnp with equal time constants": {"equal_tau": True},
}
_NEURONS, _KEPT = 128, 0.1


@stage(label="training", cost=20.0)
def rival(folder: Path, choices: dict) -> dict:
    """Test accuracy of one method on one task: ``choices`` task, method, seed."""
    torch.set_num_threads(1)  # jobs share the cores
    task, seed, method = get_task(choices["task"]), choices["seed"], choices["method"]
    data, net = task.load(), new_network(_NEURONS, choices["seed"])
    how = {"synapses": _KEPT, "seed": seed, "steps": ("I",), "samples": Samples(task, data)}
    sparse = method if method in ("rigl", "deep-r") else ""
    if method == "no recurrence":
        net, _ = prune(net, method="random", **(how | {"synapses": 1e-4}))
    elif method in _CONTROLS:
        net, _ = prune(net, method="lnp", **_CONTROLS[method], **how)
    elif method != "none":
        net, _ = prune(net, method="random" if sparse else method, **how)
    trained, _ = train(net, task, data=data, seed=seed, sparse=sparse)
    return {"accuracy": evaluate(trained, data)["accuracy"], "synapses": trained.synapses}


def _plan(seeds: list[int]) -> list[dict]:
    return [{"task": k, "method": m, "seed": s} for k in TASKS for m in METHODS for s in seeds]


def _rows(choices: list[dict], results: list[dict]) -> list[dict]:
    """A row per task and method, as :func:`~.paired.against_random` makes them."""
    return against_random(choices, results, "accuracy", len(METHODS) - 1)


STUDY = Study(rival, _plan, _rows)
