"""Can delays be learned? Two clicks, told apart by the time between them.

``python -m triodia_studies.waiting [--seeds N]`` prints a JSON line per network and seed: test
accuracy of the network and of its integer machine. The class is the number of steps between a click
on one channel and a click on the other: 4, 8, 12 or 16. Two layers without recurrence, whose
neurons forget in 2 steps, can tell only if spikes wait. Time constants stay as they are. Networks:
``none`` without delays, ``fixed`` with random delays up to 16 steps, ``learned`` with delays that
are learned from there.
"""

import argparse
import json
from dataclasses import replace

import numpy as np
import torch

from triodia.network.random import new_network
from triodia.quantize.comparison import compare_on
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import Task, get_task
from triodia.tasks.recall import from_parts
from triodia.tasks.samples import TaskData
from triodia.train.loop import train

__all__ = ["LONGEST", "clicks", "row"]

LONGEST = 16
_STEPS, _APART = 40, 4
_SETTINGS = {
    **{"epochs": 40, "batch": 25, "noise": 0.05, "shift": 0.0, "warp": 0.0, "dropout": 0.0},
    **{"learn_tau": False, "tau_out": 2.0, "input_gain": 2.0, "input_density": 1.0},
}


def clicks(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples ``(K, 40, 2)``, their lengths, and classes: steps apart, by 4, less one."""
    rng, rows = np.random.default_rng(seed), np.arange(samples)
    y, first = (
        rng.integers(0, LONGEST // _APART, samples),
        rng.integers(0, _STEPS - LONGEST - 4, samples),
    )
    x = np.zeros((samples, _STEPS, 2), np.float32)
    x[rows, first, 0] = 1
    x[rows, first + _APART * (y + 1), 1] = 1
    return x, np.full(samples, _STEPS), y


def load_clicks() -> TaskData:
    """400 training and 200 test samples; the same on every call."""
    return from_parts(clicks(400, 0), clicks(200, 1))


def _task() -> Task:
    found = replace(get_task("delayed-sum"), name="clicks", inputs=2, classes=LONGEST // _APART)
    return replace(found, loader=load_clicks, recipe=_SETTINGS)


def row(kind: str, seed: int, data: TaskData | None = None, **options: object) -> dict:
    """Train and quantize a network of ``kind``; ``options`` are of ``train``."""
    task, data = _task(), load_clicks() if data is None else data
    waits = {"max_delay": 0 if kind == "none" else LONGEST}
    net = new_network(seed=seed, layers=(8, 4), recurrent=(False, False), tau_mean=2.0, **waits)
    learned = {"learn_delays": LONGEST if kind == "learned" else 0}
    net, report = train(net, task, data=data, seed=seed, **learned, **options)
    found = compare_on(net, quantize(net, data, QuantizeOptions()), data)
    shown = {name: round(found[name], 4) for name in ("metric_float", "metric_integer")}
    return {"network": kind, "seed": seed, "train": round(report.train["accuracy"], 4)} | shown


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(given.seeds):
        for kind in ("none", "fixed", "learned"):
            print(json.dumps(row(kind, seed)), flush=True)


if __name__ == "__main__":
    main()
