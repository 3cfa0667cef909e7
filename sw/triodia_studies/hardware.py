"""Gain of step H on the machine, and its cost in metric; docs/tried.md has the results.

``triodia-studies run hardware`` prints one row per task, network, number of PEs and quantity: LNP
alone, with step H, and the paired difference, each as mean and half 95 % interval.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.pipeline import prune
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.image import Image
from triodia_hw.machine.words import pointer_fields, width_of

from .lnp.summary import interval
from .study import Study, by_seed

__all__ = ["STUDY", "fitted"]

_LANES, _SAMPLES = (8, 32), 10  # samples whose cycles are counted
_EPOCHS = {"japanese-vowels": 20, "digits": 10}
_STARTS = {  # of what network, what is kept of synapses and neurons, and steps
    "clustered, 57 % of neurons gone": ("clustered", 0.5, 0.43, ("I", "II", "III")),
    "complete, a fifth of the synapses": ("complete", 0.2, 1.0, ("I",)),
}


def _plan(seeds: list[int]) -> list[dict]:
    """Every network alone (``lanes`` null) and with step H for each number of PEs."""
    return [
        {"task": task, "network": name, "lanes": lanes, "seed": seed}
        for task in _EPOCHS
        for name in _STARTS
        for lanes in (None, *_LANES)
        for seed in seeds
    ]


@stage(label="hardware-aware pruning", cost=30.0)
def fitted(folder: Path, choices: dict) -> dict:
    """A trained network on the machine: quantities by number of PEs."""
    torch.set_num_threads(1)  # jobs share the cores
    data, lanes = get_task(choices["task"]).load(), choices["lanes"]
    start = _STARTS[choices["network"]]
    net = _trained(choices["task"], data, start, lanes, choices["seed"])
    return {str(p): _measured(net, data, p) for p in (_LANES if lanes is None else (lanes,))}


def _rows(choices: list[dict], results: list[dict]) -> Iterator[dict]:
    groups = {
        (group[0][0]["task"], group[0][0]["network"], group[0][0]["lanes"]): [r for _, r in group]
        for group in by_seed(choices, results).values()
    }
    for (task, network, lanes), runs in groups.items():
        if lanes is None:
            continue
        plain = [run[str(lanes)] for run in groups[task, network, None]]
        fit = [run[str(lanes)] for run in runs]
        for key in plain[0]:
            a, b = ([float(run[key]) for run in runs] for runs in (plain, fit))
            row = {"task": task, "network": network, "lanes": lanes, "quantity": key}
            change = interval([y - x for x, y in zip(a, b, strict=True)])
            yield row | {"lnp": interval(a), "with H": interval(b), "difference": change}


STUDY = Study(fitted, _plan, _rows)


def _trained(task: str, data: TaskData, start: tuple, lanes: int | None, seed: int) -> Network:
    kind, synapses, nodes, steps = start
    dense = clustered_network(300, seed) if kind == "clustered" else new_network(200, seed)
    more = {"steps": steps} if lanes is None else {"steps": (*steps, "H"), "lanes": lanes}
    net, _ = prune(dense, synapses=synapses, nodes=nodes, seed=seed, **more)
    return train(net, get_task(task), seed=seed, data=data, epochs=_EPOCHS[task])[0]


def _measured(net: Network, data: TaskData, lanes: int) -> dict[str, float]:
    image = quantize(net, data, QuantizeOptions(lanes=lanes))
    return _of_network(net, data) | _of_machine(image, data)


def _of_network(net: Network, data: TaskData) -> dict[str, float]:
    found = evaluate(net, data)
    return {"accuracy": found["accuracy"], "sops": found["sops"], "synapses": net.synapses}


def _of_machine(image: Image, data: TaskData) -> dict[str, float]:
    x, lengths = data.x_test[:_SAMPLES], data.len_test[:_SAMPLES]
    sequences = [list(s) for s in input_events(image, x, lengths)]
    p, words = image.params, image.segment_words()
    work = work_of(image, sequences)
    return {
        "cycles per sample": float(step_cycles(image, sequences)[-1]) / _SAMPLES,
        "balance": float(np.mean([step.balance for step in work])),
        "longest row": int(words.max()),
        "words of the fullest PE": int(words.sum(axis=0).max()),
        "fillers": int(words.sum()) - image.synapses,
        "pointer bits": p.lanes * p.pointer_words * width_of(pointer_fields(p)),
        "blocks": block_rams(p),
    }
