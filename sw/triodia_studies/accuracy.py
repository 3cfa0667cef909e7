"""What pruning costs: accuracy over seeds, dense and pruned, with controls."""

from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np

from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.prune.controls import random_like
from triodia.prune.pipeline import METHODS, prune
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import evaluate, train
from triodia_hw.errors import TriodiaError

__all__ = ["COLUMNS", "run", "summarise"]

COLUMNS = ("dense", "lnp", "random")
_NUMBERS = ("accuracy", "rate", "sops", "neurons", "synapses", "quantized")


def run(
    task: str = "japanese-vowels",
    seeds: Iterable[int] = range(5),
    *,
    columns: Iterable[str] = COLUMNS,
    neurons: int = 256,
    synapses: float = 0.5,
    nodes: float = 0.43,
    network: dict | None = None,
    pruning: dict | None = None,
    training: dict | None = None,
    quantizer: Callable[[Network, TaskData], float] | None = None,
    data: TaskData | None = None,
    progress: Callable[[dict], None] | None = None,
) -> dict:
    """Train each column from the same random network for every seed, and evaluate on the test set.

    Columns: "dense"; "lnp"; "random", which has exactly the neurons and synapses that LNP left;
    "born-small", a new dense network of LNP's neurons, thinned to its synapses; and the other
    methods of ``prune`` by name, at the same two fractions. The seed draws network, pruning and
    training alike. ``network``, ``pruning`` and ``training`` are options of ``new_network``,
    ``prune`` and ``train``; ``quantizer(net, data)`` gives the accuracy of the integer network;
    ``data`` replaces the task's (folds, for tuning). ``progress`` gets each row when it is done.

    Returns JSON values: ``rows`` (one a seed and column) and ``summary`` (see ``summarise``).
    Nothing is selected on the test set.
    """
    chosen = get_task(task)
    data = chosen.load() if data is None else data
    known = ("dense", "born-small", *(m for m in METHODS if m != "none"))
    columns, rows = tuple(columns), []
    for column in columns:
        if column not in known:
            raise TriodiaError(f"columns must be among {', '.join(known)}, not {column!r}")
    fractions = {"synapses": synapses, "nodes": nodes, **(pruning or {})}
    for seed in seeds:
        dense = new_network(neurons, seed, **(network or {}))
        lnp, _ = prune(dense, method="lnp", seed=seed, **fractions)
        for column in columns:
            start = perf_counter()
            bare = _bare(column, dense, lnp, seed, fractions, network or {})
            trained, report = train(bare, chosen, seed=seed, data=data, **(training or {}))
            row = {"seed": seed, "column": column, **evaluate(trained, data)}
            row |= {"neurons": bare.neurons, "synapses": bare.synapses}
            row |= {"train_accuracy": report.train["accuracy"]}
            row |= {} if quantizer is None else {"quantized": quantizer(trained, data)}
            rows.append(row | {"seconds": perf_counter() - start})
            if progress is not None:
                progress(rows[-1])
    options = {"neurons": neurons, **fractions, "network": network or {}}
    options |= {"training": training or {}}
    return {"task": task, "options": options, "rows": rows, "summary": summarise(rows)}


def _bare(
    column: str, dense: Network, lnp: Network, seed: int, fractions: dict, network: dict
) -> Network:
    if column == "dense":
        return dense
    if column == "lnp":
        return lnp
    if column == "random":
        return random_like(dense, lnp.neurons, lnp.synapses, seed)[0]
    if column == "born-small":
        small = new_network(lnp.neurons, seed, **network)
        return random_like(small, lnp.neurons, lnp.synapses, seed)[0]
    return prune(dense, method=column, seed=seed, **fractions)[0]


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
