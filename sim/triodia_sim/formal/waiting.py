"""The wheel: an event comes again after each delay, once, in its step, if its sequence goes on."""

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from triodia_hw.gateware.wheel import Wheel
from triodia_hw.machine.params import MachineParams

__all__ = ["Waiting", "wheel_params"]

MARKED = 1  # payload of the event that is watched; all others carry 0


def wheel_params(delays: tuple[int, ...]) -> MachineParams:
    """The smallest machine with ``delays``: two sources."""
    sizes = {"inputs": 1, "neurons": 1, "lanes": 1}
    return MachineParams(**sizes, payload_bits=2, fraction_bits=0, delays=delays)


class Waiting(wiring.Component):
    """The :class:`Wheel` beside any bus that keeps its promise: ends are taken from both at once.

    The solver marks any one event. For each delay it leaves once, with the source of its row, in
    the step that lies the delay after its own; the end of that step does not leave before it. After
    the end of its sequence it never leaves. What is offered stays, and an end is offered again and
    again.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({name: In(1) for name in ("event", "mark", "read", "last", "take")})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.dut = dut = Wheel(p)
        o, i = dut.o, dut.i
        ending, kept = Signal(), Signal(range(p.wheel_events + 1))
        source, marked = Signal(range(p.sources)), Signal()
        taken = o.valid & o.ready
        event = self.event & ~ending & (kept != p.wheel_events)
        mark = event & self.mark & ~marked
        m.d.comb += [
            o.ready.eq(self.take),
            i.valid.eq(event | ending | self.read),
            i.payload.end.eq(ending | ~event),
            i.payload.read.eq(~ending & ~event),
            i.payload.last.eq(self.last & ending),
            i.payload.source.eq(Mux(mark, 1, AnySeq(1))),
            i.payload.payload.eq(Mux(mark, MARKED, 0)),
            source.eq(1),
        ]
        # The bus takes the end in one cycle and puts it out in the next; no event comes between.
        m.d.sync += [ending.eq(taken & o.p.end), marked.eq(marked | mark)]
        m.d.sync += kept.eq(Mux(ending, 0, kept + event))
        inside, age = Signal(), Signal(range(p.delays[-1] + 2))
        with m.If(mark):
            m.d.sync += inside.eq(1)
        with m.If(ending & inside):
            m.d.sync += age.eq(Mux(age > p.delays[-1], age, age + 1))
            with m.If(self.last):
                m.d.sync += inside.eq(0)
        self._leaves(m, dut, taken, inside, age, source)
        return m

    def _leaves(
        self, m: Module, dut: Wheel, taken: Value, inside: Value, age: Value, source: Value
    ) -> None:
        p, o = self.p, dut.o
        out = taken & ~o.p.end & (o.p.payload == MARKED)
        known = Signal()
        for k, delay in enumerate(p.delays, 1):
            left, mine = Signal(name=f"left_{k}"), Signal(name=f"mine_{k}")
            m.d.comb += mine.eq(out & (o.p.source == k * p.sources + source))
            m.d.sync += left.eq(left | mine)
            with m.If(mine):
                m.d.comb += [known.eq(1), Assert(inside & (age == delay) & ~left)]
            with m.If(taken & o.p.end & inside & (age == delay)):
                m.d.comb += [Assert(left), Cover(1)]
        with m.If(out):
            m.d.comb += Assert(known)
        stays, was = Signal(), Signal.like(Value.cast(o.payload))
        m.d.sync += [stays.eq(o.valid & ~o.ready), was.eq(o.payload)]
        with m.If(stays):
            m.d.comb += [Assert(o.valid), Assert(Value.cast(o.payload) == was)]
