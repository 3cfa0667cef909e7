"""Cost of pruning and quantization: accuracy over seeds, dense and pruned, with controls."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.prune.controls import random_like
from triodia.prune.pipeline import METHODS, prune
from triodia.quantize.inference import evaluate_image
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia_hw.errors import TriodiaError

__all__ = ["COLUMNS", "accuracy_row", "measure", "plan", "summarise"]

COLUMNS = ("dense", "lnp", "random")
_NUMBERS = ("accuracy", "rate", "sops", "neurons", "synapses", "quantized")


def plan(seeds: Iterable[int], columns: Iterable[str] = COLUMNS, **common: object) -> list[dict]:
    """Choices of :func:`measure` for every seed and column; ``common`` to all of them.

    Columns: "dense"; "lnp"; "random", with exactly LNP's neurons and synapses; "born-small", a new
    dense network with LNP's neurons, thinned to its synapses; and the other methods of ``prune`` by
    name, at the same two fractions.
    """
    known, columns = ("dense", "born-small", *(m for m in METHODS if m != "none")), tuple(columns)
    for column in columns:
        if column not in known:
            raise TriodiaError(f"columns must be among {', '.join(known)}, not {column!r}")
    return [{"seed": seed, "column": column} | common for seed in seeds for column in columns]


@stage(label="accuracy", cost=25.0)
def accuracy_row(folder: Path, choices: dict) -> dict:
    """:func:`measure` on the data of the task."""
    torch.set_num_threads(1)  # jobs share the cores
    return measure(choices, get_task(choices["task"]).load())


def measure(choices: dict, data: TaskData) -> dict:
    """Train one column from the random network of its seed, and evaluate it on the test set.

    ``choices``: task, seed (of network, pruning and training), column, neurons of the dense
    network, fractions of ``synapses`` and ``nodes`` kept, ``weight_bits`` of the integer network,
    ``training`` (options of ``train``). Nothing is selected on the test set.
    """
    seed, column = choices["seed"], choices["column"]
    net = _network(column, choices)
    trained, report = train(net, get_task(choices["task"]), seed=seed, data=data,
                            **choices["training"])  # fmt: skip
    image = quantize(trained, data, QuantizeOptions(weight_bits=choices["weight_bits"]))
    row = {"seed": seed, "column": column, **evaluate(trained, data)}
    row |= {"neurons": net.neurons, "synapses": net.synapses}
    row |= {"train_accuracy": report.train["accuracy"]}
    return row | {"quantized": evaluate_image(image, data)["metric"]}


def _network(column: str, choices: dict) -> Network:
    seed, fractions = choices["seed"], {key: choices[key] for key in ("synapses", "nodes")}
    dense = new_network(choices["neurons"], seed)
    if column == "dense":
        return dense
    if column not in ("lnp", "random", "born-small"):
        return prune(dense, method=column, seed=seed, **fractions)[0]
    lnp, _ = prune(dense, method="lnp", seed=seed, **fractions)
    if column == "lnp":
        return lnp
    start = dense if column == "random" else new_network(lnp.neurons, seed)
    return random_like(start, lnp.neurons, lnp.synapses, seed)[0]


def summarise(rows: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean, standard deviation (over seeds, n - 1), least and greatest, by column and number."""
    summary = {}
    for column in dict.fromkeys(row["column"] for row in rows):
        mine = [row for row in rows if row["column"] == column]
        summary[column] = {
            name: _spread([row[name] for row in mine]) for name in _NUMBERS if name in mine[0]
        }
    return summary


def _spread(values: list[float]) -> dict[str, float]:
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    mean, least, greatest = float(np.mean(values)), float(min(values)), float(max(values))
    return {"mean": mean, "sd": sd, "min": least, "max": greatest, "seeds": len(values)}
