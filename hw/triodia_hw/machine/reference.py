"""The integer reference: runs the contract step by step."""

from dataclasses import dataclass

import numpy as np

from ..errors import ContractError
from .image import Image
from .neuron import NEURON, State

__all__ = ["Event", "Reference", "StepResult"]

# (input channel, payload); the payload of a spike input is 1 and counts as 2**fraction_bits
Event = tuple[int, int]


@dataclass(frozen=True)
class StepResult:
    """Output of a machine in one step, and its state after the step.

    spikes : neurons that spiked, ascending. readouts : ``v`` of each readout, in their order.
    sops : synaptic operations that the events of this step caused; events : how many events,
        those of earlier steps that arrive again after a delay too.
    """

    spikes: np.ndarray
    readouts: np.ndarray
    state: State
    sops: int
    events: int


class Reference:
    """Run an image. ``step`` takes the input events of a time step and returns its result.

    An input sends at most one event in a step: the accumulators are wide enough for that.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self.reset()

    def reset(self) -> None:
        """Return to the state after reset: all zero, no spikes and no delayed events pending."""
        self.state = State.zero(self.image.params.neurons)
        self.earlier: list[list[Event]] = []  # events of the steps before, the last one first
        self.spikes = np.empty(0, np.int64)

    def step(self, events: list[Event], last: bool = False) -> StepResult:
        """Advance one step; after a ``last`` step the next one starts from reset."""
        im, p = self.image, self.image.params
        arriving = [(channel, self._payload(channel, payload)) for channel, payload in events]
        if len({channel for channel, _ in events}) < len(events):
            raise ContractError("an input channel must send at most one event in a step")
        arriving += [(p.inputs + int(i), p.one) for i in self.spikes]
        a = np.zeros(p.neurons, np.int64)
        sops = 0
        delayed = self.delayed()
        for row, payload in arriving + delayed:
            row = slice(im.row_start[row], im.row_start[row + 1])
            a[im.target[row]] += im.weight[row] * payload  # no target twice in a row
            sops += row.stop - row.start
        self.state, spike = NEURON.step(p, im.neurons, self.state, a)
        self.spikes = np.flatnonzero(spike)
        self.earlier = [arriving, *self.earlier][: max(p.waits)]
        events = len(arriving) + len(delayed)
        result = StepResult(self.spikes, self.state.v[im.readouts], self.state, int(sops), events)
        if last:
            self.reset()
        return result

    def delayed(self) -> list[Event]:
        """Events of earlier steps that arrive in the coming step: (row, payload)."""
        p = self.image.params
        return [
            (group * (p.inputs + p.neurons) + source, payload)
            for group, delay in enumerate(p.delays, 1)
            if delay <= len(self.earlier)
            for source, payload in self.earlier[delay - 1]
        ]

    def _payload(self, channel: int, payload: int) -> int:
        p = self.image.params
        if not 0 <= channel < p.inputs:
            raise ContractError(f"input channel must be in 0..{p.inputs - 1}, not {channel}")
        if not p.graded:
            if payload != 1:
                raise ContractError(f"payload of a spike input must be 1, not {payload}")
            return p.one
        limit = p.greatest_payload
        if not -limit <= payload < limit:
            raise ContractError(f"payload must be in {-limit}..{limit - 1}, not {payload}")
        return payload
