"""Placement: assign neurons to PEs so that the load is even in every step."""

from collections.abc import Sequence

import numpy as np

from ..machine.params import MachineParams

__all__ = ["in_runs", "loads", "place"]

_ROUNDS = 8  # at most; the search has mostly ended by then


def place(
    p: MachineParams,
    row_start: np.ndarray,
    target: np.ndarray,
    activity: np.ndarray | None = None,
) -> np.ndarray:
    """Slot of each neuron, ``(neurons,)``; deterministic.

    ``activity`` is ``(steps, inputs + neurons)``: how many events each source sends in each step of
    a recording (default: one step in which all send one). The load of a neuron in a step is the
    number of synaptic operations into it.

    First, neurons in order of falling mean load go to the least loaded PE with a free slot (longest
    processing time first, Graham 1969). Then neurons swap places while a swap lowers the variance
    of the PEs' loads within the recorded steps.
    """
    if activity is None:
        activity = np.ones((1, p.inputs + p.neurons))
    load = loads(p, row_start, target, activity)
    lane = _by_mean(p, load.mean(axis=0))
    if len(activity) > 1 and p.lanes > 1:
        _swap(lane, load, p.lanes)
    slot, used = np.empty(p.neurons, np.int64), np.zeros(p.lanes, int)
    for neuron in np.argsort(-load.mean(axis=0), kind="stable"):
        slot[neuron] = lane[neuron] * p.slots + used[lane[neuron]]
        used[lane[neuron]] += 1
    return slot


def in_runs(p: MachineParams, layers: Sequence[int] = ()) -> np.ndarray:
    """Slot of each neuron, ``(neurons,)``: neurons that follow each other stay together.

    Each of ``layers``, which are neurons that follow each other (default: all are one layer), is
    cut into as many runs as there are PEs, of equal size but for one neuron. A pattern of synapses
    that a layer repeats, moved along, then repeats within each PE: rows can share their words.
    """
    slot, used, first = np.empty(p.neurons, np.int64), np.zeros(p.lanes, np.int64), 0
    for size in layers or (p.neurons,):
        runs = np.full(p.lanes, size // p.lanes)
        runs[np.argsort(used, kind="stable")[: size % p.lanes]] += 1
        lane = np.repeat(np.arange(p.lanes), runs)
        place = np.arange(size) - np.repeat(np.cumsum(runs) - runs, runs)
        slot[first : first + size] = lane * p.slots + used[lane] + place
        used, first = used + runs, first + size
    return slot


def loads(
    p: MachineParams, row_start: np.ndarray, target: np.ndarray, activity: np.ndarray
) -> np.ndarray:
    """Synaptic operations into each neuron in each step of ``activity``, ``(steps, neurons)``.

    Events of steps before the recording are not known, so delayed ones come only within it. A
    recording of one step stands for every step.
    """
    steps, sources = activity.shape
    load = np.zeros((steps, p.neurons))
    for row, first in enumerate(row_start[:-1]):
        group, source = divmod(row, sources)
        late = 0 if steps == 1 else min(p.waits[group], steps)
        targets = target[first : row_start[row + 1]]
        load[late:, targets] += activity[: steps - late, source, None]
    return load


def _by_mean(p: MachineParams, load: np.ndarray) -> np.ndarray:
    """PE of each neuron by longest processing time first; ties go to the lower number."""
    total, used = np.zeros(p.lanes), np.zeros(p.lanes, int)
    lane = np.empty(p.neurons, np.int64)
    for neuron in np.argsort(-load, kind="stable"):
        lane[neuron] = int(np.argmin(np.where(used < p.slots, total, np.inf)))
        used[lane[neuron]] += 1
        total[lane[neuron]] += load[neuron]
    return lane


def _swap(lane: np.ndarray, load: np.ndarray, lanes: int) -> None:
    """Swap neurons between PEs while that lowers the sum over steps and PEs of squared load.

    The mean load of a step is constant, so the sum measures the variance. With
    ``G = load.T @ load`` a PE's share is the sum of ``G`` within it; a swap changes few entries.
    """
    gram = load.T @ load
    member = np.eye(lanes)[lane]  # (neurons, lanes)
    shared = gram @ member  # of each neuron with each lane
    own = np.diag(gram)
    for _ in range(_ROUNDS):
        swaps = 0
        for n in range(len(lane)):
            i = lane[n]
            # Neuron m from lane j comes to i, and n goes to j.
            mine = shared[np.arange(len(lane)), lane]
            gain = shared[n, lane] - shared[n, i] + shared[:, i] - mine
            gain = gain + own[n] + own - 2 * gram[n]
            gain[lane == i] = 0
            m = int(np.argmin(gain))
            if gain[m] < -1e-9 * (1 + own[n]):
                j = lane[m]
                shared[:, i] += gram[:, m] - gram[:, n]
                shared[:, j] += gram[:, n] - gram[:, m]
                lane[n], lane[m] = j, i
                swaps += 1
        if not swaps:
            return
