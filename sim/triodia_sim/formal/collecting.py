"""Collecting step by step: no record lost, doubled, out of order or across an end; and fair."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from triodia_hw.gateware.collector import IN_FLIGHT, Collector

from .order import COLOUR, InOrder, InStep, NeverFull

__all__ = ["Collecting", "Delivery", "item_layout"]

_IDLE = 2  # cycles with room in which nothing is taken though something is there, at most


def item_layout(ways: int) -> data.StructLayout:
    """What is collected: ``way`` says where it entered."""
    return data.StructLayout({"end": 1, "way": range(ways), "colour": COLOUR})


def offer(m: Module, i: stream.Interface, valid: Value, end: Value) -> None:
    """A sender that begins an offer when ``valid``; it stays as it is until it is taken."""
    stays, was = Signal(), Signal()
    m.d.comb += [i.valid.eq(valid | stays), i.p.end.eq(Mux(stays, was, end))]
    m.d.sync += [stays.eq(i.valid & ~i.ready), was.eq(i.p.end)]


class Collecting(wiring.Component):
    """A :class:`Collector` between any senders and any receiver, which may be reset.

    Items of an input leave once and in order. Between an item and the end of its step no end
    leaves; when that end leaves, the item has left. Of each round of ends one leaves, with the
    payload of input 0, once and in order.

    At most ``IN_FLIGHT`` records come from the last cycle with ``room`` on. An input with an item
    sees at most ``2 * ways`` others taken before it. With ``room`` something is taken in 3 cycles.
    """

    def __init__(self, ways: int) -> None:
        self.ways = ways
        super().__init__({"valid": In(ways), "end": In(ways), "room": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = Collector(item_layout(self.ways), self.ways)
        m.submodules.ends = ends = InOrder()
        ended = dut.o.valid & dut.o.payload.end
        m.d.comb += [
            dut.o.room.eq(self.room),
            ends.push.eq(dut.i[0].valid & dut.i[0].ready & dut.i[0].p.end),
            ends.pop.eq(ended),
            ends.left.eq(dut.o.payload.colour),
        ]
        for way, i in enumerate(dut.i):
            m.submodules[f"order_{way}"] = order = InStep(2)
            offer(m, i, self.valid[way], self.end[way])
            taken, colour = i.valid & i.ready, 0 if way else ends.colour
            m.d.comb += [
                i.p.way.eq(way),
                i.p.colour.eq(Mux(i.valid, Mux(i.p.end, colour, order.colour), 0)),
                order.push.eq(taken & ~i.p.end),
                order.pop.eq(dut.o.valid & ~dut.o.payload.end & (dut.o.payload.way == way)),
                order.left.eq(dut.o.payload.colour),
                order.came.eq(taken & i.p.end),
                order.ended.eq(ended),
                Assert(i.valid | ~i.ready),
            ]
        with m.If(ended):
            m.d.comb += Assert(dut.o.payload.way == 0)
        self._promise(m, dut)
        self._prompt(m, dut)
        return m

    def _promise(self, m: Module, dut: Collector) -> None:
        came = Signal(range(IN_FLIGHT + 2))
        with m.If(self.room):
            m.d.sync += came.eq(dut.o.valid)
        with m.Elif(came <= IN_FLIGHT):
            m.d.sync += came.eq(came + dut.o.valid)
        m.d.comb += [Assert(came <= IN_FLIGHT), Cover(came == (IN_FLIGHT if self.ways > 2 else 2))]

    def _prompt(self, m: Module, dut: Collector) -> None:
        taken = Cat(i.valid & i.ready for i in dut.i)
        items = Cat(i.valid & ~i.p.end for i in dut.i)
        ends = Cat(i.valid & i.p.end for i in dut.i)
        idle = Signal(range(_IDLE + 2))
        waits = (items.any() | ends.all()) & ~taken.any()
        m.d.sync += idle.eq(Mux(self.room & waits & (idle <= _IDLE), idle + 1, 0))
        m.d.comb += [Assert(idle <= _IDLE), Cover(idle == _IDLE)]
        for way in range(self.ways):
            limit = 2 * self.ways
            others = Signal(range(limit + 2), name=f"others_{way}")
            another = Cat(t for k, t in enumerate(taken) if k != way).any()
            kept = items[way] & ~taken[way] & (others <= limit)
            m.d.sync += others.eq(Mux(kept, others + another, 0))
            m.d.comb += [Assert(others <= limit), Cover(others == self.ways - 1)]


class Delivery(wiring.Component):
    """A :class:`Collector` and the queue after it, which others may also fill while it has room.

    As in ``Core``: the queue always has a place for a record, whatever the receiver does.
    """

    def __init__(self, ways: int, *, depth: int, spare: int) -> None:
        self.ways, self.depth, self.spare = ways, depth, spare
        super().__init__({"valid": In(ways), "end": In(ways), "other": In(1), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = Collector(item_layout(self.ways), self.ways)
        m.submodules.queue = queue = NeverFull(1, depth=self.depth, spare=self.spare)
        for way, i in enumerate(dut.i):
            offer(m, i, self.valid[way], self.end[way])
        m.d.comb += [
            dut.o.room.eq(queue.room),
            queue.i.valid.eq(dut.o.valid | (self.other & queue.room)),
            queue.o.ready.eq(self.ready),
            Cover(dut.o.valid & ~queue.room),
        ]
        return m
