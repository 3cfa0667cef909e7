"""Training options compared on folds of the training set; docs/training.md shows what came out.

``python -m triodia_studies.training [--seeds 0 1] [--neurons 256] [--options JSON ...]``
prints a JSON line for each set of options. The test set is not touched.
"""

import argparse
import json
from collections.abc import Iterable

import numpy as np
import torch

from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.tasks.catalog import Task, TaskData, get_task
from triodia.train.loop import evaluate, train
from triodia.train.model import SpikingModel

__all__ = ["compare", "cross_entropy", "cross_validate"]

FOLDS = 5


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Mean in nats of ``(samples, classes)`` times the one positive factor that suits them best.

    The factor leaves out what label smoothing and dropout do to confidence: the class is an argmax.
    """
    scaled = torch.tensor(logits) * torch.tensor(np.geomspace(0.25, 8, 41))[:, None, None]
    log_odds = torch.log_softmax(scaled, -1)[:, np.arange(len(y)), y]
    return -log_odds.mean(1).max().item()


def cross_validate(
    task: Task, data: TaskData, *, seed: int = 0, neurons: int = 256, **options: object
) -> dict[str, float]:
    """Held-out accuracy and cross entropy over five folds, and the folds' mean rate.

    Dense networks, trained with ``options``. ``seed`` draws folds, networks and training: two calls
    with the same seed differ in the options only.
    """
    logits, labels, rates = [], [], []
    for index in range(FOLDS):
        fold = data.fold(index, FOLDS, seed)
        start = 100 * seed + index
        net, _ = train(new_network(neurons, start), task, seed=start, data=fold, **options)
        logits.append(_logits(net, fold))
        labels.append(fold.y_test)
        rates.append(evaluate(net, fold)["rate"])
    logits, labels = np.concatenate(logits), np.concatenate(labels)
    return {
        "accuracy": float((logits.argmax(1) == labels).mean()),
        "cross_entropy": cross_entropy(logits, labels),
        "rate": float(np.mean(rates)),
    }


def _logits(net: Network, data: TaskData) -> np.ndarray:
    x, lengths = torch.tensor(net.scale_input(data.x_test)), torch.tensor(data.len_test)
    with torch.no_grad():
        return (SpikingModel(net)(x, lengths).v_out.sum(1) / lengths[:, None]).double().numpy()


def compare(
    variants: list[dict], *, seeds: Iterable[int], neurons: int, task: Task, data: TaskData
) -> list[dict]:
    """``cross_validate`` for each of ``variants`` and seed; differences are to the first variant.

    Returns rows with the values by seed, their mean, and mean and standard error of the paired
    differences (None for one seed).
    """
    seeds = list(seeds)
    runs = [
        [cross_validate(task, data, seed=seed, neurons=neurons, **options) for options in variants]
        for seed in seeds
    ]
    rows = []
    for place, options in enumerate(variants):
        row = {"options": options, "neurons": neurons, "seeds": seeds}
        for name in ("accuracy", "cross_entropy", "rate"):
            values = np.array([run[place][name] for run in runs])
            change = values - np.array([run[0][name] for run in runs])
            error = float(change.std(ddof=1) / len(seeds) ** 0.5) if len(seeds) > 1 else None
            row[name] = {"mean": float(values.mean()), "by_seed": values.tolist()}
            row[name] |= {"change": float(change.mean()), "standard_error": error}
        rows.append(row)
    return rows


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m triodia_studies.training", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--neurons", type=int, default=256)
    parser.add_argument("--options", type=json.loads, nargs="+", help="JSON options of train")
    given = parser.parse_args()
    variants = given.options or [{"dropout": 0.1}, {"dropout": 0.3}]
    task = get_task("japanese-vowels")
    kind = {"seeds": given.seeds, "neurons": given.neurons}
    for row in compare(variants, **kind, task=task, data=task.load()):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    _main()
