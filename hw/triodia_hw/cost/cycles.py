"""Exact cycles of every step, without simulating the hardware.

The model follows control cycle by cycle where streams meet (bus, sweeps, collector), and jumps
while PEs only walk their rows. Spikes come from the reference. The constants are the latencies in
the docstrings of the gateware.

Exact for a machine whose input always has a word waiting and whose output is always taken.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from ..compile.options import SDRAM_AT_100_MHZ
from ..compile.sdram import PAGE, SdramTiming
from ..machine.image import Image
from ..machine.reference import Event
from ..machine.trace import trace
from .flow import DEPTH, END, Queue, Wheel
from .sdram import SdramTimeline

__all__ = ["cycles_and_stalls", "planned_cycles", "step_cycles"]

_FIRST = 3  # cycle in which lane k leaves reset, less lanes + k, by the machine's own counter
_READY = 12  # from the last neuron of the first sweep to the lane being ready for tokens
_ROW = 5  # from the bus taking a token to its row entering the row queue
_START = 6  # from the walker taking the end of a step to the first neuron of the sweep
_RECORD = 11  # from a neuron to its record entering the lane's output queue
_FLOW = 2  # from the collector taking a record to its entering the output and return queues
_ROWS_SPARE, _RECORDS_SPARE, _HUB_SPARE = 6, 11, 5

_SILENT = -2  # like END no spike to be returned, which would be its source


class _Lane:
    """Row queue, walker, sweep and output queue of a PE."""

    def __init__(self, slots: int, first: int) -> None:
        self.slots = slots
        self.output = Queue()
        self.pushes, self.pops = deque(), deque()  # cycles of rows into and out of the row queue
        self.taken, self.free = 0, 0  # when the walker took its last row, and can take the next
        self.start, self.slot, self.emits = first, 0, deque()

    def take_row(self, cycle: int, length: int, source: int = END) -> int:
        """Put a row of ``source`` into the row queue in ``cycle``; when the walker takes it."""
        pop = max(cycle + 1, self.taken)
        self.pushes.append(cycle)
        self.pops.append(pop)
        self.taken = max(pop + 1, self.free)
        self.free = self.taken + length
        return self.taken

    def room(self, cycle: int) -> bool:
        """Whether the row queue has room in ``cycle``."""
        while self.pops and self.pops[0] < cycle:
            self.pops.popleft()
            self.pushes.popleft()
        limit = DEPTH - _ROWS_SPARE
        return len(self.pushes) < limit or sum(push < cycle for push in self.pushes) < limit

    def sweep(self, cycle: int) -> None:
        """Start this cycle's neuron, if there is one and room for its record."""
        room = len(self.output.stored) < DEPTH - _RECORDS_SPARE
        if self.slot > self.slots or cycle < self.start or not room:
            return
        if self.slot == self.slots:
            self.output.coming.append((cycle + _RECORD, END))
        elif self.emits and self.emits[0][0] == self.slot:
            self.output.coming.append((cycle + _RECORD, self.emits.popleft()[1]))
        self.slot += 1

    def quiet_until(self, cycle: int) -> int | None:
        """Cycle until which nothing happens here; None if something happens now."""
        if not self.output.idle or (self.slot <= self.slots and self.start <= cycle):
            return None
        return self.start if self.slot <= self.slots else 1 << 62


class _SdramLane(_Lane):
    """A PE whose rows lie in an SDRAM, from the addresses ``starts``."""

    def __init__(self, slots: int, first: int, starts: list[int], timing: SdramTiming) -> None:
        super().__init__(slots, first)
        self.starts, self.memory = starts, SdramTimeline(timing)
        self.begun = 0  # when the last burst began, or the last end passed

    def take_row(self, cycle: int, length: int, source: int = END) -> int:
        """As in any PE; for an end, so that it leaves the walker as many cycles later."""
        pop = max(cycle + 1, self.taken)
        self.pushes.append(cycle)
        self.pops.append(pop)
        self.taken = max(pop + 1, self.free)
        memory, ready = self.memory, self.taken + 1
        if source == END:
            self.free = max(ready, self.begun)
            self.begun = max(self.free + 1, memory.free)
            return self.begun + memory.timing.latency - 3
        address = self.starts[source]
        while length:
            words = min(length, PAGE - address % PAGE)
            self.free = max(ready, self.begun)
            self.begun = memory.burst(max(self.free + 1, memory.ready), address, words)
            address, length, ready = address + words, length - words, self.free + 1
        return self.taken


class _Collector:
    """Round-robin among the PEs; bit k of a mask is PE k."""

    def __init__(self, lanes: list[_Lane]) -> None:
        self.lanes = lanes
        self.turn = self.grant = 0
        self.end, self.go = False, True

    def advance(self, cycle: int, room: bool, returns: Queue) -> int:
        """Advance one cycle, the PEs' output queues too; return how many ends leave."""
        pick = self.turn & -self.turn if self.go else 0
        heads = [lane.output.head for lane in self.lanes]
        waiting = sum(1 << k for k, head in enumerate(heads) if head not in (None, END))
        ends = all(head == END for head in heads)
        for k, lane in enumerate(self.lanes):
            taken = self.end or bool(self.grant >> k & 1)
            if taken and heads[k] not in (END, _SILENT):
                returns.coming.append((cycle + _FLOW, heads[k]))
            lane.output.advance(cycle, taken)
        if self.end:
            returns.coming.append((cycle + _FLOW, END))
        left = int(self.end)
        rest = self.turn & ~pick
        self.turn = rest or waiting & ~self.grant & ~pick
        self.end = ends and self.go and not self.end
        self.grant, self.go = pick, room
        return left


class _Machine:
    """The whole machine; ``plan`` yields input tokens, ``emits`` the records of each step."""

    def __init__(self, image: Image, lasts: list[bool], timing: SdramTiming) -> None:
        p, rows = image.params, image.segment_words()
        self.wheel = Wheel(p, iter(lasts)) if p.delays else None
        self.seen: int | None = None  # what the bus puts out for the wheel
        self.rows = rows.tolist()
        self.cycle = p.lanes + _FIRST
        if p.external:
            self.lanes = [_SdramLane(p.slots, self.cycle, row_starts(image, rows), timing)]
        else:
            self.lanes = [_Lane(p.slots, self.cycle + k) for k in range(p.lanes)]
        self.collector, self.returns = _Collector(self.lanes), Queue()
        self.stalls = 0  # cycles in which a token waits for a lane's row queue
        self.go, self.ready = False, self.lanes[-1].start + p.slots + _READY

    def run(self, tokens: Iterator[int], emits: Iterator[list[deque]], steps: int) -> None:
        """Run ``steps`` steps; ``ends`` are the cycles in which their ends leave the machine."""
        ends, token = [], next(tokens, None)
        while len(ends) <= steps:  # and that of the first sweep
            self._skip(token)
            cycle = self.cycle
            for lane in self.lanes:
                lane.sweep(cycle)
            head = self.returns.head
            taken = self._bus(token, emits)
            room = len(self.returns.stored) < DEPTH - _HUB_SPARE
            go = cycle >= self.ready and all(lane.room(cycle) for lane in self.lanes)
            back = taken in ("return", "both")
            left = self.collector.advance(cycle, room, self.returns)
            self.returns.advance(cycle, back)
            if left:
                ends.append(cycle + _FLOW + 2)
            if self.wheel:
                self.wheel.advance(cycle, taken in ("replay", "both"), self.seen)
                fresh = {"return": head, "input": token, "both": END}
                self.seen = fresh.get(taken)
            if taken in ("input", "both"):
                token = next(tokens, None)
            self.go = go
            self.cycle += 1
        self.ends = ends[1:]

    def _bus(self, token: int | None, emits: Iterator[list[deque]]) -> str | None:
        """Broadcast the token that the bus takes in this cycle, if any."""
        head = self.returns.head
        again = self.wheel.queue.head if self.wheel else END
        spike, item = head not in (None, END), token not in (None, END)
        ends = token == END == head and again == END
        replay = again not in (None, END)
        if not self.go:
            self.stalls += spike or item or ends or replay
            return None
        if spike:
            self._broadcast(head)
            return "return"
        if item:
            self._broadcast(token)
            return "input"
        if replay:
            self._broadcast(again)
            return "replay"
        if not ends:
            return None
        for lane, records in zip(self.lanes, next(emits), strict=True):
            lane.start = lane.take_row(self.cycle + _ROW, 1) + _START
            lane.slot, lane.emits = 0, records
        return "both"

    def _broadcast(self, source: int) -> None:
        for lane, length in zip(self.lanes, self.rows[source], strict=True):
            if length:
                lane.take_row(self.cycle + _ROW, length, source)

    def _skip(self, token: int | None) -> None:
        """Jump to the next cycle in which something can happen."""
        c = self.collector
        waits = token in (None, END) and self.returns.idle
        waits = waits and (self.wheel is None or (self.wheel.quiet and self.seen is None))
        if not waits or c.turn or c.grant or c.end or not (c.go and self.go):
            return
        until = [lane.quiet_until(self.cycle) for lane in self.lanes]
        if None not in until and min(until) < 1 << 62:
            self.cycle = min(until)


def cycles_and_stalls(
    image: Image, sequences: list[list[list[Event]]], timing: SdramTiming = SDRAM_AT_100_MHZ
) -> tuple[np.ndarray, int]:
    """As :func:`step_cycles`, and what the counter ``bus_stalls`` shows after all steps."""
    spikes = (trace(image, one).spikes for one in sequences)
    machine = _machine(image, sequences, spikes, timing)
    return np.array(machine.ends, np.int64), machine.stalls


def row_starts(image: Image, rows: np.ndarray) -> list[int]:
    """First synapse word of each row; ``rows`` are its words, ``(rows, 1)``."""
    p, sources = image.params, image.source_of_neuron()
    one = np.concatenate([np.arange(p.inputs), sources])
    order = np.concatenate([k * p.sources + one for k in range(len(p.waits))])
    places = np.argsort(order)  # rows lie in order of hardware sources
    words = rows[places, 0]
    starts = np.empty(words.size, np.int64)
    starts[places] = np.cumsum(words) - words
    return starts.tolist()


def step_cycles(
    image: Image, sequences: list[list[list[Event]]], timing: SdramTiming = SDRAM_AT_100_MHZ
) -> np.ndarray:
    """Cycle in which the end of each step of ``sequences`` leaves the machine, ``(steps,)``.

    Counted as by the machine's ``cycles`` counter, from reset; differences are the cycles per step.
    The last step of each sequence is marked ``last``. ``timing`` is of the SDRAM that a machine
    with external synapses has; its start-up comes first.
    """
    return cycles_and_stalls(image, sequences, timing)[0]


def planned_cycles(
    image: Image,
    sequence: list[list[Event]],
    fired: np.ndarray,
    timing: SdramTiming = SDRAM_AT_100_MHZ,
) -> np.ndarray:
    """As :func:`step_cycles`, for one sequence whose spikes are given: ``fired``, boolean,
    ``(steps, neurons)``.

    For questions about machines of networks that were never trained: the time depends on which
    neurons fire and where synapses lie, not on weights.
    """
    return np.array(_machine(image, [sequence], [fired], timing).ends, np.int64)


def _machine(
    image: Image,
    sequences: list[list[list[Event]]],
    spikes: Iterable[np.ndarray],
    timing: SdramTiming = SDRAM_AT_100_MHZ,
) -> _Machine:
    """The machine after all steps."""
    p = image.params
    tokens, emits, lasts = [], [], []
    readouts = image.neurons.readout
    for sequence, fired in zip(sequences, spikes, strict=True):
        for step, events in enumerate(sequence):
            last = step == len(sequence) - 1
            lasts.append(last)
            sources = np.flatnonzero(fired[step])
            tokens += [channel for channel, _ in events] + [END]
            records = {int(image.slot[i]): _SILENT for i in np.flatnonzero(readouts)}
            records |= {int(image.slot[i]): _SILENT if last else p.inputs + int(i) for i in sources}
            lanes = [deque() for _ in range(p.lanes)]
            for slot in sorted(records):
                lanes[slot // p.slots].append((slot % p.slots, records[slot]))
            emits.append(lanes)
    machine = _Machine(image, lasts, timing)
    machine.run(iter(tokens), iter(emits), len(emits))
    return machine
