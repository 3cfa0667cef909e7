"""Input events of a run as arrays, for code that is too slow with lists of tuples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ContractError
from .params import MachineParams

__all__ = ["EventList"]


@dataclass(frozen=True)
class EventList:
    """Events of consecutive time steps; step ``t`` has those in ``start[t]:start[t + 1]``.

    ``start`` ``(steps + 1,)`` from 0; ``channel`` and ``payload`` ``(events,)``; all int64. The
    payload of a spike input is 1, as in :class:`triodia_hw.machine.reference.Event`.
    """

    start: np.ndarray
    channel: np.ndarray
    payload: np.ndarray

    @classmethod
    def of(cls, steps: Sequence[Sequence[tuple[int, int]]]) -> "EventList":
        """From lists of ``(channel, payload)``, one per step."""
        start = np.cumsum([0, *(len(events) for events in steps)])
        pairs = np.array([pair for events in steps for pair in events], np.int64).reshape(-1, 2)
        return cls(start, pairs[:, 0].copy(), pairs[:, 1].copy())

    @classmethod
    def of_payloads(cls, payloads: np.ndarray) -> "EventList":
        """From payloads ``(steps, inputs)``; a payload of 0 is no event."""
        step, channel = np.nonzero(payloads)
        start = np.searchsorted(step, np.arange(len(payloads) + 1))
        return cls(start, channel, payloads[step, channel].astype(np.int64))

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return len(self.start) - 1

    def lists(self) -> list[list[tuple[int, int]]]:
        """The same as lists of ``(channel, payload)``."""
        pairs = list(zip(self.channel.tolist(), self.payload.tolist(), strict=True))
        return [
            pairs[a:b] for a, b in zip(self.start.tolist(), self.start[1:].tolist(), strict=False)
        ]

    def check(self, p: MachineParams) -> None:
        """Raise :class:`ContractError` unless a machine of ``p`` takes every event."""
        bad = (self.channel < 0) | (self.channel >= p.inputs)
        if bad.any():
            raise ContractError(
                f"input channel must be in 0..{p.inputs - 1}, not {self.channel[bad][0]}"
            )
        low, high = (-p.greatest_payload, p.greatest_payload - 1) if p.graded else (1, 1)
        bad = (self.payload < low) | (self.payload > high)
        if bad.any():
            raise ContractError(f"payload must be in {low}..{high}, not {self.payload[bad][0]}")
        step = np.repeat(np.arange(self.steps), np.diff(self.start))
        place = step * p.inputs + self.channel
        ascending = (place[1:] > place[:-1]).all()  # as most are; to sort them would cost more
        if not ascending and len(np.unique(place)) < len(place):
            raise ContractError("an input channel must send at most one event in a step")
