"""Does adaptation help to remember? Networks with and without, on delayed sums of any delay.

``python -m triodia_studies.adaptation [--delay STEPS] [--seeds N] [--neurons N]`` prints a JSON
line per seed and twin: test accuracy of the network and of its integer machine, the share of spikes
they have in common, and spikes per neuron and step. Twins have the same graph, weights, time
constants and settings; in one of them half of the neurons adapt, with the defaults of
``triodia new``. Delays are those of :func:`triodia.tasks.recall.delayed_sum`.
"""

import argparse
import json
from dataclasses import replace
from functools import partial

import torch

from triodia.network.random import new_network
from triodia.quantize.comparison import compare_on
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import Task, get_task
from triodia.tasks.recall import load_delayed_sum
from triodia.train.loop import train

__all__ = ["delayed", "row"]

_SHOWN = ("metric_float", "metric_integer", "spikes_agree", "rate")


def delayed(delay: int) -> Task:
    """The delayed sum with ``delay`` steps between its symbols; all else as in the catalog."""
    name, loader = f"delayed-sum-{delay}", partial(load_delayed_sum, delay)
    return replace(get_task("delayed-sum"), name=name, loader=loader)


def row(task: Task, share: float, seed: int, *, neurons: int = 128, **options: object) -> dict:
    """Train and quantize a network of which a ``share`` of the neurons adapts.

    ``options`` are of ``train``; without, the task's own.
    """
    data = task.load()
    net = new_network(neurons, seed, density=0.3, adaptive=share)
    net, report = train(net, task, data=data, seed=seed, **options)
    found = compare_on(net, quantize(net, data, QuantizeOptions()), data)
    fit = {"train": round(report.train["accuracy"], 4)}
    known = {"task": task.name, "adaptive": share, "seed": seed}
    return known | fit | {name: round(found[name], 4) for name in _SHOWN}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--neurons", type=int, default=128)
    given = parser.parse_args()
    torch.set_num_threads(1)
    task = delayed(given.delay)
    for seed in range(given.seeds):
        for share in (0.0, 0.5):
            print(json.dumps(row(task, share, seed, neurons=given.neurons)), flush=True)


if __name__ == "__main__":
    main()
