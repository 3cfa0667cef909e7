"""The wheel of events: keeps the events of past steps and sends them again after each delay."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.contents import wheel_shapes
from ..machine.params import MachineParams
from .ram import Ram
from .shapes import struct, token_layout
from .signatures import Flow
from .units import Units

__all__ = ["Wheel"]

_STAGES = 3  # cycles from reading an event to the queue
_READ = 2  # cycles from an address to the word of a Ram


class Wheel(wiring.Component):
    """Send the events of a step again, after each of the machine's ``delays``.

    Events lie in a ring buffer, in the order in which they came; ``lists`` says where those of each
    step begin and how many they are. Once a step has ended, the events that arrive in the coming
    step are known: those of ``d`` steps ago for each delay ``d``, with a source that is ``sources``
    higher for each delay that is shorter, and one more. They leave as fast as the bus takes them,
    then an end. A delay takes as many cycles as it has events, but at least 3, and those that reach
    back before the sequence take none. From an end on the bus the first event takes 10 cycles.

    A step keeps as many events as there are sources, inputs and neurons; more than that are not
    kept. After the end of a ``last`` step all are forgotten. An end that reads changes nothing.

    Members
    -------
    i : In(Flow(token_layout)). What the bus sends, replayed events left out; always room.
    o : Out(stream.Signature(token_layout)). Replayed events, and an end in each step.
    fault : Out(1), 0 without parity: of either memory.
    """

    def __init__(self, p: MachineParams, units: Units | None = None) -> None:
        self.p, self.units = p, units or Units()
        super().__init__({
            "i": In(Flow(token_layout(p))),
            "o": Out(stream.Signature(token_layout(p))),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wheel, lists = (
            self.units.memory(m, struct(s.fields), depth=s.depth, name=s.name)
            for s in wheel_shapes(self.p)
        )
        queue = self.units.queue(m, token_layout(self.p), name="replays", spare=_STAGES + 1)
        connect(m, queue.o, flipped(self.o))
        m.d.comb += [self.i.room.eq(1), self.fault.eq(wheel.fault | lists.fault)]
        turned, kept, step = Signal(), Signal(range(64)), Signal(range(lists.depth))
        self._record(m, wheel, lists, turned, kept, step)
        self._replay(m, wheel, lists, queue, turned, kept, step)
        return m

    def _record(
        self, m: Module, wheel: Ram, lists: Ram, turned: Signal, kept: Signal, step: Signal
    ) -> None:
        """Keep events. ``turned`` follows the end of a step: ``step`` is the number of the coming
        step's list, ``kept`` says how many steps before it are kept."""
        token, most = self.i.payload, self.p.wheel_events
        place, count = Signal(range(wheel.depth)), Signal(range(most + 1))
        end = self.i.valid & token.end & ~token.read
        event = self.i.valid & ~token.end & (count != most)
        m.d.comb += [
            wheel.w_en.eq(event),
            wheel.w_addr.eq(place),
            *(wheel.w_data[name].eq(token[name]) for name, _ in wheel.w_data.shape()),
            lists.w_en.eq(end),
            lists.w_addr.eq(step),
            # The list begins `count` places before the next event's.
            lists.w_data.count.eq(count),
            lists.w_data.start.eq(Mux(place < count, place + wheel.depth - count, place - count)),
        ]
        m.d.sync += turned.eq(end)
        with m.If(event):
            m.d.sync += [place.eq(_next(place, wheel.depth)), count.eq(count + 1)]
        with m.If(end):
            m.d.sync += [count.eq(0), step.eq(_next(step, lists.depth))]
            with m.If(token.last):
                m.d.sync += kept.eq(0)
            with m.Elif(kept != self.p.delays[-1]):
                m.d.sync += kept.eq(kept + 1)

    def _replay(
        self,
        m: Module,
        wheel: Ram,
        lists: Ram,
        queue: wiring.Component,
        turned: Signal,
        kept: Signal,
        step: Signal,
    ) -> None:
        """Walk the lists of all delays, one after another, then send the end."""
        p = self.p
        delays, count = p.delays, len(p.delays)
        index = Signal(range(count + 1))  # of the delay whose list comes next; after all, the end
        delay, apart = self._delay(m, index)
        place = Signal(range(lists.depth))  # number of its list
        known = Signal(_READ)  # the last bit: its place and length are read
        row = Signal(range(p.rows))  # that of source 0
        over = Signal(init=1)  # nothing but the end is left, and `over` at first: no step before
        ended = Signal()
        address, left = Signal(range(wheel.depth)), Signal(range(p.wheel_events + 1))
        base = Signal.like(row)
        go = Signal()
        load, finish = Signal(), Signal()
        m.d.comb += [
            lists.r_addr.eq(place),
            wheel.r_addr.eq(address),
            go.eq(queue.room & (left != 0)),
            load.eq(known[-1] & ~over & ((left == 0) | (go & (left == 1)))),
            finish.eq(over & ~ended & (left == 0) & queue.room),
        ]
        with m.If(go):
            m.d.sync += [address.eq(_next(address, wheel.depth)), left.eq(left - 1)]
        m.d.sync += known.eq(Cat(1, known))
        with m.If(load):
            m.d.sync += [
                address.eq(lists.r_data.start),
                left.eq(lists.r_data.count),
                base.eq(row),
                row.eq(row + p.sources),
                index.eq(index + 1),
                place.eq(_back(place, apart, lists.depth)),
                known.eq(0),
                over.eq(index == count - 1),
            ]
        with m.If(finish):
            m.d.sync += ended.eq(1)
        with m.If((delay > kept) & ~turned):
            m.d.sync += over.eq(1)
        with m.If(turned):
            m.d.sync += [
                index.eq(0),
                row.eq(p.sources),
                place.eq(_back(step, delays[0], lists.depth)),
                known.eq(0),
                over.eq(0),
                ended.eq(0),
            ]
        self._send(m, wheel, queue, go, finish, base)

    def _delay(self, m: Module, index: Signal) -> tuple[Signal, Signal]:
        """The delay of this number, and how much longer the next one is."""
        delay, apart, delays = Signal(range(64)), Signal(range(64)), self.p.delays
        with m.Switch(index):
            for k, (here, after) in enumerate(zip(delays, [*delays[1:], delays[-1]], strict=True)):
                with m.Case(k):
                    m.d.comb += [delay.eq(here), apart.eq(after - here)]
        return delay, apart

    def _send(
        self,
        m: Module,
        wheel: Ram,
        queue: wiring.Component,
        go: Value,
        finish: Value,
        base: Value,
    ) -> None:
        """Put the events that were read, and the end, into the queue."""
        word, token = wheel.r_data, Signal(token_layout(self.p), reset_less=True)
        coming, ending = Signal(_STAGES), Signal(_STAGES)
        bases = [base, *(Signal.like(base, name=f"base_{k}", reset_less=True) for k in (1, 2))]
        m.d.sync += [
            coming.eq(Cat(go | finish, coming)),
            ending.eq(Cat(finish, ending)),
            *(late.eq(early) for late, early in zip(bases[1:], bases, strict=False)),
            token.end.eq(ending[1]),
            token.source.eq(word.source + bases[2]),
        ]
        if self.p.graded:
            m.d.sync += token.payload.eq(word.payload)
        m.d.comb += [queue.i.valid.eq(coming[2]), queue.i.payload.eq(token)]


def _next(place: Value, depth: int) -> Value:
    """The place after ``place`` in a ring of ``depth``."""
    return Mux(place == depth - 1, 0, place + 1)


def _back(place: Value, by: Value | int, depth: int) -> Value:
    """The place ``by`` before ``place`` in a ring of ``depth``; ``by`` is less than that."""
    return Mux(place < by, place + depth - by, place - by)
