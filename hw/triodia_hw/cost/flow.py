"""Queues and the wheel of events as the model of cycles sees them."""

from collections import deque
from collections.abc import Iterator

from ..machine.params import MachineParams

__all__ = ["DEPTH", "END", "Queue", "Wheel"]

DEPTH = 16  # places of a queue, its output register not counted
END = -1  # the end of a step, where a source could be
_REPLAY = 3  # from the wheel reading an event to its entering the queue of replays
_LIST = 2  # from the choice of a list to its place and length
_SPARE = 4


class Queue:
    """A queue: records on their way into it, inside it, and at its head."""

    def __init__(self) -> None:
        self.coming, self.stored = deque(), deque()  # (cycle of entry, record); record
        self.head: int | None = None

    @property
    def idle(self) -> bool:
        return self.head is None and not self.stored and not self.coming

    def advance(self, cycle: int, ready: bool) -> None:
        """Registers at the end of ``cycle``."""
        if ready or self.head is None:
            self.head = self.stored.popleft() if self.stored else None
        if self.coming and self.coming[0][0] == cycle:
            self.stored.append(self.coming.popleft()[1])


class Wheel:
    """The wheel of a machine with delays; ``lasts`` says of each step whether it ends a sequence.

    Follows the registers of :class:`triodia_hw.gateware.wheel.Wheel`, whose names it uses.
    """

    def __init__(self, p: MachineParams, lasts: Iterator[bool]) -> None:
        self.delays, self.sources, self.lasts = p.delays, p.inputs + p.neurons, lasts
        self.queue = Queue()
        self.lists: deque[list[int]] = deque([[]], maxlen=p.delays[-1] + 1)  # the present one first
        self.left: deque[int] = deque()  # rows of the list that is walked
        self.turned = self.ended = False
        self.over, self.index, self.known = True, 0, 0

    @property
    def quiet(self) -> bool:
        """Whether nothing happens before the next end."""
        queue = self.queue
        waiting = queue.head == END and not queue.stored and not queue.coming
        return waiting and self.ended and not self.turned

    def advance(self, cycle: int, taken: bool, seen: int | None) -> None:
        """Registers at the end of ``cycle``: the bus puts out ``seen``; maybe it takes a token."""
        room = len(self.queue.stored) < DEPTH - _SPARE
        final = len(self.left) == 1 and room
        load = self.known == _LIST and not self.over and (not self.left or final)
        finish = self.over and not self.ended and not self.left and room
        if room and self.left:
            self.queue.coming.append((cycle + _REPLAY, self.left.popleft()))
        elif finish:
            self.queue.coming.append((cycle + _REPLAY, END))
        self.ended |= finish
        self.known = 0 if load or self.turned else min(self.known + 1, _LIST)
        missing = self.index < len(self.delays) and self.delays[self.index] >= len(self.lists)
        if load:
            events = self.lists[self.delays[self.index]]
            self.index += 1
            self.left.extend(self.index * self.sources + source for source in events)
            self.over = self.index == len(self.delays)
        if self.turned:
            self.index, self.over, self.ended = 0, False, False
        elif missing:
            self.over = True
        self._see(seen)
        self.queue.advance(cycle, taken)

    def _see(self, seen: int | None) -> None:
        """Keep an event, or turn to the next step at an end."""
        self.turned = seen == END
        if seen == END:
            if next(self.lasts):
                self.lists.clear()
            self.lists.appendleft([])
        elif seen is not None:
            self.lists[0].append(seen)
