"""The bus: every token to every PE, once and in order, and never more than there is room for."""

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cover
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, connect, flipped

from triodia_hw.compile.options import Options
from triodia_hw.gateware.bus import Bus
from triodia_hw.gateware.fetcher import Fetcher
from triodia_hw.gateware.ram import Ram
from triodia_hw.gateware.shapes import token_layout
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams

from .order import COLOUR, InOrder, InStep, never_full

__all__ = ["Broadcast", "Promise", "Rounds"]

_ON_THE_WAY = 3  # tokens that may reach a PE from the cycle on in which its room was last high
_LATENCY = 7  # cycles from a token into the bus to its row at a walker


class Promise(wiring.Component):
    """The :class:`Bus` between any senders and PEs with any ``room``.

    From a cycle in which a PE had room until it has room again, at most 3 tokens reach it.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        token = stream.Signature(token_layout(p))
        super().__init__({"inputs": In(token), "returns": In(token), "room": In(p.lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bus = bus = Bus(self.p)
        connect(m, flipped(self.inputs), bus.inputs)
        connect(m, flipped(self.returns), bus.returns)
        for lane, flow in enumerate(bus.lanes):
            came = Signal(range(_ON_THE_WAY + 2), name=f"came_{lane}")
            m.d.comb += flow.room.eq(self.room[lane])
            with m.If(self.room[lane]):
                m.d.sync += came.eq(flow.valid)
            with m.Elif(came <= _ON_THE_WAY):
                m.d.sync += came.eq(came + flow.valid)
            m.d.comb += [Assert(came <= _ON_THE_WAY), Cover(came == _ON_THE_WAY)]
        return m


class Rounds(wiring.Component):
    """The :class:`Bus` between any senders and any ``room``, which may be reset.

    Items of each input go out once, in order, in their step. Of each two ends one goes out, that
    of ``inputs``, once and in order. When all had room in the last cycle, what can pass does; an
    item of ``inputs`` waits only for items of ``returns``.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({"valid": In(2), "end": In(2), "room": In(p.lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bus = bus = Bus(self.p)
        m.submodules.ends = ends = InOrder()
        flow, ways, could = bus.lanes[0], (bus.inputs, bus.returns), Signal()
        out = flow.payload
        ended = flow.valid & out.end
        m.d.sync += could.eq(self.room.all())
        m.d.comb += [
            *(lane.room.eq(room) for lane, room in zip(bus.lanes, self.room, strict=True)),
            ends.push.eq(bus.inputs.valid & bus.inputs.ready & bus.inputs.p.end),
            ends.pop.eq(ended),
            ends.left.eq(out.source[:COLOUR]),
        ]
        for way, i in enumerate(ways):
            m.submodules[f"order_{way}"] = order = InStep(2)
            taken, colour = i.valid & i.ready, 0 if way else ends.colour
            m.d.comb += [
                i.valid.eq(self.valid[way]),
                i.p.end.eq(self.end[way]),
                i.p.source.eq(Cat(Mux(i.p.end, colour, order.colour), C(way, 1))),
                order.push.eq(taken & ~i.p.end),
                order.pop.eq(flow.valid & ~out.end & (out.source[COLOUR] == way)),
                order.left.eq(out.source[:COLOUR]),
                order.came.eq(taken & i.p.end),
                order.ended.eq(ended),
            ]
        items, first, second = self.valid & ~self.end, bus.inputs.ready, bus.returns.ready
        with m.If(could):
            m.d.comb += [
                Assert(second | ~items[1]),
                Assert(first | ~items[0] | items[1]),
                Assert((first & second) | ~(self.valid & self.end).all()),
            ]
        return m


class _AnyRows(Ram):
    """Stands for the pointer memory: any row for any source, but never an empty one."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.r_data
        m.d.comb += Value.cast(word).eq(AnySeq(len(Value.cast(word))))
        for name in self.shape.members:
            if name.startswith("length"):
                m.d.comb += word[name][0].eq(1)
        return m


class Broadcast(wiring.Component):
    """The :class:`Bus` between any sender and the PEs' fetchers, followed by any walkers.

    Each token that the bus takes leaves each fetcher as a row, once, in order; a row queue has a
    place whenever a row comes; a row is offered 7 cycles after its token was taken, unless others
    are ahead; and when all fetchers had room in the last cycle, the bus takes what is there.
    """

    def __init__(self, p: MachineParams, *, depth: int) -> None:
        self.p, self.depth = p, depth
        super().__init__({"valid": In(1), "end": In(1), "ready": In(p.lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bus = bus = Bus(self.p)
        units = Units(Options(loadable=False), memory=_AnyRows, queue=never_full(self.depth))
        room = Cat(flow.room for flow in bus.lanes)
        i, r, entered, could = bus.inputs, bus.returns, Signal(_LATENCY - 1), Signal()
        taken = i.valid & i.ready
        m.d.sync += [entered.eq(Cat(taken, entered)), could.eq(room.all())]
        m.d.comb += [i.valid.eq(self.valid), i.p.end.eq(self.end), r.valid.eq(1), r.p.end.eq(1)]
        with m.If(could & i.valid):
            m.d.comb += Assert(i.ready)
        for lane in range(self.p.lanes):
            colour = slice(COLOUR * lane, COLOUR * (lane + 1))
            fetch, order = Fetcher(self.p, init=[0], units=units), InOrder()
            held = Signal(range(self.depth + _LATENCY + 2), name=f"held_{lane}")
            m.submodules[f"fetcher_{lane}"], m.submodules[f"order_{lane}"] = fetch, order
            connect(m, bus.lanes[lane], fetch.i)
            left = fetch.o.valid & fetch.o.ready
            m.d.sync += held.eq(held + taken - left)
            m.d.comb += [
                Value.cast(i.p.payload)[colour].eq(order.colour),
                fetch.o.ready.eq(self.ready[lane]),
                order.push.eq(taken),
                order.pop.eq(left),
                order.left.eq(Value.cast(fetch.o.p.payload)[colour]),
                Cover(fetch.i.valid & ~fetch.i.room),
            ]
            with m.If(held > sum(entered)):
                m.d.comb += Assert(fetch.o.valid)
        return m
