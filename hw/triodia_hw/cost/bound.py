"""Lower bound of the cycles of a step that ends before the next one starts.

The machine accumulates inputs of the next step early, so a run can fall slightly below the sum of
these bounds.
"""

from dataclasses import dataclass

import numpy as np

from ..machine.image import Image
from ..machine.reference import Event
from ..machine.trace import trace

__all__ = ["StepWork", "lane_rows", "work_of"]


@dataclass(frozen=True)
class StepWork:
    """Work of one step.

    ``slots``: neurons each PE sweeps. ``events``: tokens on the bus, one per cycle.
    ``loads``: ``(lanes,)`` synapses each PE reads, one per cycle.
    """

    slots: int
    events: int
    loads: np.ndarray

    @property
    def bound(self) -> int:
        """Fewest cycles of this step alone, with one memory port per PE and one bus."""
        return max(self.slots, self.events, int(self.loads.max()))

    @property
    def balance(self) -> float:
        """Mean load of the PEs divided by the greatest; 1 if even, or without work."""
        return float(self.loads.mean() / self.loads.max()) if self.loads.any() else 1.0


def lane_rows(image: Image) -> np.ndarray:
    """Synapses of each row in each PE, ``(rows, lanes)``."""
    p = image.params
    rows = np.zeros((image.row_start.size - 1, p.lanes), np.int64)
    source = np.repeat(np.arange(len(rows)), np.diff(image.row_start))
    np.add.at(rows, (source, image.slot[image.target] // p.slots), 1)
    return rows


def work_of(image: Image, sequences: list[list[list[Event]]]) -> list[StepWork]:
    """Work of every step of ``sequences``; the reference computes the spikes."""
    rows = lane_rows(image)
    p, work = image.params, []
    for sequence in sequences:
        fired, sent = np.zeros(p.neurons, bool), []
        for events, spikes in zip(sequence, trace(image, sequence).spikes, strict=True):
            sent.append([channel for channel, _ in events])
            sent[-1] += (p.inputs + np.flatnonzero(fired)).tolist()
            fired = spikes
            arriving = [
                group * (p.inputs + p.neurons) + source
                for group, wait in enumerate(p.waits)
                if wait < len(sent)
                for source in sent[-1 - wait]
            ]
            loads = rows[arriving].sum(axis=0) if arriving else np.zeros(p.lanes, np.int64)
            work.append(StepWork(p.slots, len(arriving), loads))
    return work
