"""Placement: which PE holds which neuron, so that the load of a step is even."""

import numpy as np

from .contract import MachineParams

__all__ = ["place"]


def place(
    p: MachineParams,
    row_start: np.ndarray,
    target: np.ndarray,
    rates: np.ndarray | None = None,
) -> np.ndarray:
    """Slot of each neuron, ``(neurons,)``: longest processing time first, deterministic.

    The load of a neuron is the expected number of synaptic operations into it in a step: the sum
    of ``rates`` (events of each source and step; default 1 each) over its incoming synapses.
    Neurons in order of falling load each go to the least loaded PE that has a slot left
    (Graham 1969); ties to the lower number.
    """
    if rates is None:
        rates = np.ones(p.inputs + p.neurons)
    load = np.zeros(p.neurons)
    np.add.at(load, target, np.repeat(rates, np.diff(row_start)))
    total, used = np.zeros(p.lanes), np.zeros(p.lanes, int)
    slot = np.empty(p.neurons, np.int64)
    for neuron in np.argsort(-load, kind="stable"):
        lane = int(np.argmin(np.where(used < p.slots, total, np.inf)))
        slot[neuron] = lane * p.slots + used[lane]
        used[lane] += 1
        total[lane] += load[neuron]
    return slot
