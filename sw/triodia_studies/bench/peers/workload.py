"""The network and the events that all cores get: a trained one, and test samples played on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triodia.quantize.inference import event_record
from triodia_hw.machine.image import Image
from triodia_sim.scoreboard import Sequence

__all__ = ["Workload"]


@dataclass(frozen=True)
class Workload:
    """A network in integers, and the samples it is played on.

    The cores of others number their neurons from 0 and have no inputs, so there source ``i`` is
    neuron ``i`` and source ``neurons + j`` is input ``j``.
    """

    image: Image
    sequences: list[Sequence]

    @property
    def neurons(self) -> int:
        """Neurons, readouts included."""
        return self.image.params.neurons

    @property
    def sources(self) -> int:
        """Neurons and inputs."""
        return self.neurons + self.image.params.inputs

    @property
    def steps(self) -> int:
        """Time steps of all samples."""
        return sum(map(len, self.sequences))

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight from each source to each neuron, ``(sources, neurons)``; 0 where no synapse is."""
        image, p = self.image, self.image.params
        full = np.zeros((self.sources, self.neurons), np.int64)
        row = np.repeat(np.arange(self.sources), np.diff(image.row_start))
        full[(row - p.inputs) % self.sources, image.target] = image.weight
        return full

    @cached_property
    def events(self) -> np.ndarray:
        """Whether each source sends in each step of all samples, ``(steps, sources)`` bool."""
        record = event_record(self.image, self.sequences).astype(bool)
        return np.roll(record, -self.image.params.inputs, axis=1)

    @property
    def operations(self) -> int:
        """Useful synaptic operations: events that meet a stored weight."""
        return int((self.events @ (self.weights != 0).astype(np.int64)).sum())

    @property
    def patience(self) -> int:
        """Cycles after which a core must be through: 50 for each event and neuron, used or not."""
        return 50 * self.sources * (int(self.events.sum()) + self.steps)

    def senders(self) -> Iterator[np.ndarray]:
        """Sources that send, ascending, step by step."""
        return (np.flatnonzero(row) for row in self.events)
