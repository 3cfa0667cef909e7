"""The fewest cycles for given inputs if each step ends before the next one starts.

A machine that overlaps steps, as this one does with the inputs of the next, can fall slightly
below the sum of these bounds: a lane with little to do in a step begins the next one early.
"""

from dataclasses import dataclass

import numpy as np

from ..machine.image import Image
from ..machine.reference import Event, Reference

__all__ = ["StepWork", "lane_rows", "work_of"]


@dataclass(frozen=True)
class StepWork:
    """What one step gives a machine to do.

    ``slots``: neurons each lane sweeps. ``events``: tokens on the bus, one a cycle.
    ``loads``: ``(lanes,)`` synapses each lane reads, one a cycle.
    """

    slots: int
    events: int
    loads: np.ndarray

    @property
    def bound(self) -> int:
        """Cycles this step takes at least by itself, with one memory port a lane and one bus."""
        return max(self.slots, self.events, int(self.loads.max()))

    @property
    def balance(self) -> float:
        """Mean over greatest load of a lane; 1 is even, or nothing to do."""
        return float(self.loads.mean() / self.loads.max()) if self.loads.any() else 1.0


def lane_rows(image: Image) -> np.ndarray:
    """Synapses of each source in each lane, ``(inputs + neurons, lanes)``."""
    p = image.params
    rows = np.zeros((p.inputs + p.neurons, p.lanes), np.int64)
    source = np.repeat(np.arange(len(rows)), np.diff(image.row_start))
    np.add.at(rows, (source, image.slot[image.target] // p.slots), 1)
    return rows


def work_of(image: Image, sequences: list[list[list[Event]]]) -> list[StepWork]:
    """Work of every step of ``sequences``, spikes by the reference."""
    rows, reference = lane_rows(image), Reference(image)
    p, work = image.params, []
    for sequence in sequences:
        reference.reset()
        for events in sequence:
            arriving = [channel for channel, _ in events]
            arriving += (p.inputs + reference.spikes).tolist()
            reference.step(events)
            loads = rows[arriving].sum(axis=0) if arriving else np.zeros(p.lanes, np.int64)
            work.append(StepWork(p.slots, len(arriving), loads))
    return work
