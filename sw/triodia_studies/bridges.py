"""Pruning where paths matter: unequal, dense clusters that few synapses join.

Plan, written before the runs: 160 neurons in clusters of 100, 20, 20 and 20, density 0.6 inside
and 120 bridges between. Inputs reach the large cluster only and readouts see the small ones only,
so all that is read crosses a bridge. Each method keeps the same number of synapses (50, 20 and
10 %), and all neurons. Measured: bridges kept; linear memory of the small clusters for a signal
that drives the large one, and test accuracy on two symbols added over 4 and over 12 steps, both
after training by the task's recipe. (Untrained, no spike crosses.) Five seeds. A difference counts
if the 95 % interval of the paired differences to "random" (Student's t, Bonferroni over the
methods) leaves 0 out. "no bridges" cuts them all, which shows that they matter.

Run it as ``triodia-studies run bridges``.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.topologies import bridged_network
from triodia.prune.memory import recalled
from triodia.prune.pipeline import prune
from triodia.tasks.catalog import Task, TaskData, get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for, train
from triodia.train.measure import evaluate
from triodia.train.model import SpikingModel

from .paired import against_random
from .study import Study

__all__ = ["METHODS", "STUDY", "crossed", "linear_memory"]

TASKS = ("delayed-sum-short", "delayed-sum")
LEVELS = (0.5, 0.2, 0.1)
METHODS = {
    "random": ("random", {}),
    "lnp": ("lnp", {}),
    "lnp without covariance": ("lnp", {"covariance": False}),
    "lnp, theorem's system": ("lnp", {"symmetric": True}),
    "noise rule on weights": ("lnp", {"edges": "weights"}),
    "weight-sampling": ("weight-sampling", {}),
    "magnitude": ("magnitude", {}),
}
_WHOLE = ("none", "no bridges")
_STEPS, _LAGS = 4000, 40


@stage(label="training", cost=15.0)
def crossed(folder: Path, choices: dict) -> dict:
    """What one method leaves: ``choices`` task, method, synapses (kept), seed."""
    torch.set_num_threads(1)  # jobs share the cores
    task, seed = get_task(choices["task"]), choices["seed"]
    data, net = task.load(), bridged_network(seed, bridges=120)
    bridge = net.cluster[:, None] != net.cluster
    before = int((net.mask_rec & bridge).sum())
    net = _thinned(net, bridge, choices)
    kept = int((net.mask_rec & bridge).sum())
    ready = _crossing(net, task, data, seed)
    trained, _ = train(ready, task, data=data, seed=seed, keep=True)
    return {
        "synapses": net.synapses,
        "bridges_kept": kept / before,
        "memory": linear_memory(trained, seed),
        "accuracy": evaluate(trained, data)["accuracy"],
    }


def _thinned(net: Network, bridge: np.ndarray, choices: dict) -> Network:
    if choices["method"] == "no bridges":
        inside = net.mask_rec & ~bridge
        return replace(net, w_rec=net.w_rec * inside, mask_rec=inside)
    if choices["method"] == "none":
        return net
    method, options = METHODS[choices["method"]]
    how = {"synapses": choices["synapses"], "seed": choices["seed"], "steps": ("I",)}
    return prune(net, method=method, **how, **options)[0]


def _crossing(net: Network, task: Task, data: TaskData, seed: int) -> Network:
    """Inputs reach cluster 0 only, readouts see the others only."""
    net = attach(net, task, data, seed, settings_for(task, {}))
    head, first = net.trained(), net.cluster == 0
    mask_in, mask_out = head.mask_in & first[:, None], head.mask_out & ~first
    return net.with_head(
        w_in=head.w_in * mask_in,
        mask_in=mask_in,
        w_out=head.w_out * mask_out,
        mask_out=mask_out,
    )


def linear_memory(net: Network, seed: int) -> float:
    """Memory capacity (Jaeger 2001) of all clusters but the first for a signal into the first.

    The signal is uniform noise on the first input channel, one value a step. Ridge regression on
    the neurons' leaky spike traces recalls it ``k`` = 1..40 steps later on the second half of
    4,000 steps; the capacity is the sum of the squared correlations.
    """
    signal = np.random.default_rng([seed, 20]).uniform(-1, 1, _STEPS).astype(np.float32)
    x = torch.zeros(1, _STEPS, net.head.w_in.shape[1])
    x[0, :, 0] = 3 * torch.tensor(signal)
    with torch.no_grad():
        spikes = SpikingModel(net)(x, torch.tensor([_STEPS])).spikes[0].numpy()
    return recalled(spikes[:, net.cluster != 0], signal, _LAGS)


def _plan(seeds: list[int]) -> list[dict]:
    cells = [(m, level) for level in LEVELS for m in METHODS] + [(m, 1.0) for m in _WHOLE]
    return [
        {"task": task, "method": method, "synapses": level, "seed": seed}
        for task in TASKS
        for method, level in cells
        for seed in seeds
    ]


def _rows(choices: list[dict], results: list[dict]) -> list[dict]:
    """A row per task, level and method, as :func:`~.paired.against_random` makes them."""
    return against_random(choices, results, "accuracy", len(METHODS) - 1, "bridges_kept", "memory")


STUDY = Study(crossed, _plan, _rows)
