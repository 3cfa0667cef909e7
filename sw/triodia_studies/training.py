"""Compare training options on folds of the training set; docs/tried.md has the results.

Run it as ``triodia-studies run training``. It never uses the test set.
"""

from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.tasks.catalog import Task, TaskData, get_task
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia.train.model import SpikingModel

from .study import Study

__all__ = ["compare", "cross_entropy", "cross_validate", "study", "validated"]

FOLDS = 5


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Mean in nats of ``(samples, classes)``, scaled by the positive factor that minimises it.

    The factor removes the effect of label smoothing and dropout on confidence, which an argmax
    ignores.
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


@stage(label="five folds", cost=lambda choices: 0.5 * choices["neurons"])
def validated(folder: Path, choices: dict) -> dict:
    """:func:`cross_validate` of ``neurons`` and ``options`` on JapaneseVowels, from ``seed``."""
    torch.set_num_threads(1)  # jobs share the cores
    task = get_task("japanese-vowels")
    how = {"seed": choices["seed"], "neurons": choices["neurons"], **choices["options"]}
    return cross_validate(task, task.load(), **how)


def study(neurons: int, variants: list[dict]) -> Study:
    """Compare ``variants``, options of ``train``, on dense networks of ``neurons``."""

    def plan(seeds: list[int]) -> list[dict]:
        common = {"neurons": neurons}
        return [common | {"options": one, "seed": s} for one in variants for s in seeds]

    def rows(choices: list[dict], results: list[dict]) -> list[dict]:
        seeds = list(dict.fromkeys(one["seed"] for one in choices))
        count = len(seeds)
        runs = [results[k * count : (k + 1) * count] for k in range(len(variants))]
        return compare(variants, seeds, runs)

    return Study(validated, plan, rows)


def compare(variants: list[dict], seeds: list[int], runs: list[list[dict]]) -> list[dict]:
    """Rows of ``variants`` from their ``runs``, one per seed, as :func:`cross_validate` gives them.

    Values by seed, their mean, and mean and standard error of the paired differences to the first
    variant (``None`` for one seed).
    """
    rows = []
    for options, mine in zip(variants, runs, strict=True):
        row = {"options": options, "seeds": seeds}
        for name in ("accuracy", "cross_entropy", "rate"):
            values = np.array([run[name] for run in mine])
            change = values - np.array([run[name] for run in runs[0]])
            error = float(change.std(ddof=1) / len(seeds) ** 0.5) if len(seeds) > 1 else None
            row[name] = {"mean": float(values.mean()), "by_seed": values.tolist()}
            row[name] |= {"change": float(change.mean()), "standard_error": error}
        rows.append(row)
    return rows
