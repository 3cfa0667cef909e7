"""Training by its defaults on data sets that it was not tuned for; docs/training.md has a table.

``python -m triodia_studies.unseen [--seeds N] [NAME ...]`` prints a JSON line per set and seed. The
sets ship with aeon; each is treated as a user's own samples, with 128 neurons and half of their
synapses. ``--old`` takes the options that suit JapaneseVowels, which were the defaults once.
"""

import argparse
import json

import numpy as np

from triodia.network.random import new_network
from triodia.tasks.catalog import Task
from triodia.tasks.recipe import recipe_for
from triodia.tasks.samples import TaskData, from_parts
from triodia.train.loop import train
from triodia.train.measure import evaluate

__all__ = ["load_aeon", "row"]

# The defaults were chosen on folds of the training samples of UnitTest, ItalyPowerDemand,
# BasicMotions, ArrowHead and digits. GunPoint and PickupGestureWiimoteZ had no part in it.
_SETS = ("GunPoint", "PickupGestureWiimoteZ", "ItalyPowerDemand", "BasicMotions")


def load_aeon(name: str) -> TaskData:
    """Samples of a set that ships with aeon, zero padded to the longest."""
    from aeon.datasets import load_classification  # slow to import

    parts = [load_classification(name, split=split) for split in ("train", "test")]
    classes = sorted({label for _, y in parts for label in y})
    longest = max(series.shape[1] for x, _ in parts for series in x)

    def part(x: np.ndarray | list, y: np.ndarray) -> tuple:
        padded = np.zeros((len(x), longest, len(x[0])), np.float32)
        for sample, series in zip(padded, x, strict=True):
            sample[: series.shape[1]] = series.T
        lengths = np.array([series.shape[1] for series in x])
        return padded, lengths, np.array([classes.index(label) for label in y])

    return from_parts(*(part(*both) for both in parts))


def row(name: str, seed: int, *, old: bool = False) -> dict:
    """Accuracy on the training and on the test samples of a set."""
    data = load_aeon(name)
    task = Task(
        name=name,
        source="aeon",
        licence="",
        shape=str(data.x_train.shape),
        metric="accuracy",
        inputs=data.x_train.shape[2],
        classes=data.classes,
        loader=lambda: data,
        recipe={} if old else recipe_for(data),
    )
    trained, report = train(new_network(128, seed, density=0.5), task, seed=seed)
    test = evaluate(trained, data)["accuracy"]
    return {"set": name, "seed": seed, "train": report.train["accuracy"], "test": test}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(_SETS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--old", action="store_true")
    given = parser.parse_args()
    for name in given.names:
        for seed in range(given.seeds):
            print(json.dumps(row(name, seed, old=given.old)), flush=True)
