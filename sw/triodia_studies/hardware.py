"""What step H gains on the machine and costs in metric; docs/lnp.md shows what it printed.

``python -m triodia_studies.hardware [SEEDS]`` prints one JSON line a task, network, number of PEs
and quantity: LNP alone, with step H, and the paired difference, each as mean and half 95 %
interval.
"""

import json
import sys
from collections.abc import Iterator

import numpy as np

from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.pipeline import prune
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import evaluate, train
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.image import Image
from triodia_hw.machine.words import pointer_fields, width_of

from .lnp.summary import interval

__all__ = ["compared"]

_LANES, _SAMPLES = (8, 32), 10  # samples whose cycles are counted
_EPOCHS = {"japanese-vowels": 20, "digits": 10}
_STARTS = {  # of what network, what is kept of synapses and neurons, and steps
    "clustered, 57 % of neurons gone": ("clustered", 0.5, 0.43, ("I", "II", "III")),
    "complete, a fifth of the synapses": ("complete", 0.2, 1.0, ("I",)),
}


def compared(seeds: int) -> Iterator[dict]:
    """Rows as the module says."""
    for task in _EPOCHS:
        data = get_task(task).load()
        for name, start in _STARTS.items():
            plain = [_trained(task, data, start, None, seed) for seed in range(seeds)]
            for lanes in _LANES:
                fitted = [_trained(task, data, start, lanes, seed) for seed in range(seeds)]
                one, two = ([_measured(n, data, lanes) for n in nets] for nets in (plain, fitted))
                for key in one[0]:
                    a, b = ([float(run[key]) for run in runs] for runs in (one, two))
                    row = {"task": task, "network": name, "lanes": lanes, "quantity": key}
                    change = interval([y - x for x, y in zip(a, b, strict=True)])
                    yield row | {"lnp": interval(a), "with H": interval(b), "difference": change}


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
        "cycles a sample": step_cycles(image, sequences)[-1] / _SAMPLES,
        "balance": np.mean([step.balance for step in work]),
        "longest row": words.max(),
        "words of the fullest PE": words.sum(axis=0).max(),
        "fillers": words.sum() - image.synapses,
        "pointer bits": p.lanes * p.pointer_words * width_of(pointer_fields(p)),
        "blocks": block_rams(p),
    }


if __name__ == "__main__":
    for line in compared(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(json.dumps(line), flush=True)
