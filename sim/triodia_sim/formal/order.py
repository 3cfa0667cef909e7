"""In order, once, nothing lost or made up: the checker of all proofs, and queues under it."""

from collections.abc import Callable

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cover, ShapeLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.gateware.queue import Queue

__all__ = ["COLOUR", "Channel", "InOrder", "InStep", "NeverFull", "never_full"]

COLOUR = 2  # bits
# No payload is made of NOTHING, which memories hold at first.
NOTHING, WHITE, RED, BLUE = range(4)
_PAIRS = ("red_in", "blue_in", "red_out", "blue_out")


class InOrder(wiring.Component):
    """Assert that payloads leave as they entered: each once, in order.

    For units that never look at a payload: it carries a colour, which this gives and sees again.
    The solver marks any one payload; that one is red, the next blue, all others are white. White
    ones, red, blue, white ones must leave: a lost, doubled or overtaking payload breaks that when
    it, or the one before it, is marked; and as the mark is arbitrary, each is. That a payload
    *does* leave is for the proof around it, by ``waiting``.

    Members
    -------
    push : In(1). A payload enters in this cycle; it must have ``colour``, Out(2).
    pop, left : In. One leaves in this cycle; its colour.
    waiting : Out(1). The red one is inside.
    enters, leaves : Out(1). The red one enters, leaves in this cycle.
    """

    def __init__(self) -> None:
        super().__init__({
            "push": In(1),
            "colour": Out(COLOUR),
            "pop": In(1),
            "left": In(COLOUR),
            "waiting": Out(1),
            "enters": Out(1),
            "leaves": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # What has entered and what has left so far.
        red_in, blue_in, red_out, blue_out = (Signal(name=name) for name in _PAIRS)
        m.d.comb += [
            self.colour.eq(Mux(red_in, Mux(blue_in, WHITE, BLUE), Mux(AnySeq(1), RED, WHITE))),
            self.enters.eq(self.push & (self.colour == RED)),
            self.leaves.eq(self.pop & (self.left == RED)),
            self.waiting.eq(red_in & ~red_out),
            Cover(blue_out),
        ]
        m.d.sync += [
            red_in.eq(red_in | self.enters),
            blue_in.eq(blue_in | (self.push & (self.colour == BLUE))),
            red_out.eq(red_out | self.leaves),
            blue_out.eq(blue_out | (self.pop & (self.left == BLUE))),
        ]
        with m.If(self.pop):
            m.d.comb += [
                Assert(self.left != NOTHING),
                Assert((self.left != RED) | self.waiting),
                Assert((self.left == BLUE) == (red_out & ~blue_out)),
            ]
        return m


class InStep(wiring.Component):
    """Assert that payloads leave in order (:class:`InOrder`) and in the step in which they entered.

    Exactly the ends that entered before the marked payload leave before it; when the end of its
    step leaves, it is no longer inside. At most ``places`` ends may be inside.

    Members
    -------
    push, colour, pop, left : as of :class:`InOrder`.
    came, ended : In(1). The end of a step enters, leaves in this cycle.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        super().__init__({
            "push": In(1),
            "colour": Out(COLOUR),
            "pop": In(1),
            "left": In(COLOUR),
            "came": In(1),
            "ended": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.order = order = InOrder()
        inside = Signal(range(self.places + 2))
        due = Signal.like(inside)  # ends that must leave before the marked payload
        m.d.comb += [
            order.push.eq(self.push),
            order.pop.eq(self.pop),
            order.left.eq(self.left),
            self.colour.eq(order.colour),
            Assert(inside <= self.places),
        ]
        began = Signal()  # an end has left
        m.d.sync += [
            began.eq(began | self.ended),
            inside.eq(inside + self.came - self.ended),
            due.eq(Mux(order.enters, inside, due) - self.ended),
        ]
        with m.If(self.ended):
            m.d.comb += [Assert(inside != 0), Assert(~order.waiting | (due != 0))]
        with m.If(order.leaves):
            m.d.comb += [Assert(due == 0), Cover(began)]
        return m


class NeverFull(Queue):
    """A :class:`Queue` that must have a place whenever something comes."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += Assert(self.i.ready | ~self.i.valid)
        return m


def never_full(depth: int) -> Callable[..., NeverFull]:
    """What makes such queues, all of ``depth``, wherever a unit makes a queue."""

    def make(shape: ShapeLike, *, spare: int, **_: object) -> NeverFull:
        return NeverFull(shape, depth=depth, spare=spare)

    return make


class Channel(wiring.Component):
    """A :class:`Queue` between any sender and any receiver, which may be reset.

    Besides order: a payload is offered 2 cycles after it entered at the latest, unless others are
    ahead; an offer stays until it is taken; there are as many places as promised; and while
    ``room`` is high, ``spare + 1`` payloads fit, whatever the receiver does.
    """

    def __init__(self, dut: Queue) -> None:
        self.dut = dut
        super().__init__({"valid": In(1), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self.dut
        m.submodules.order = order = InOrder()
        push, pop = dut.i.valid & dut.i.ready, dut.o.valid & dut.o.ready
        held = Signal(range(dut.depth + 3))
        m.d.sync += held.eq(held + push - pop)
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            dut.o.ready.eq(self.ready),
            dut.i.payload.eq(order.colour),
            order.push.eq(push),
            order.pop.eq(pop),
            order.left.eq(dut.o.payload),
            Assert(held <= dut.depth + 1),
            Cover(held == dut.depth + 1),
        ]
        self._offers(m, dut, held, push)
        self._room(m, dut, push)
        return m

    def _offers(self, m: Module, dut: Queue, held: Signal, push: Value) -> None:
        # What entered before the last cycle is offered.
        entered, stays, offered = Signal(), Signal(), Signal(COLOUR)
        m.d.sync += [
            entered.eq(push),
            stays.eq(dut.o.valid & ~dut.o.ready),
            offered.eq(dut.o.payload),
        ]
        with m.If(held > entered):
            m.d.comb += Assert(dut.o.valid)
        with m.If(held == 0):
            m.d.comb += Assert(~dut.o.valid)
        with m.If(stays):
            m.d.comb += [Assert(dut.o.valid), Assert(dut.o.payload == offered)]
        with m.If(held < dut.depth):
            m.d.comb += Assert(dut.i.ready)

    def _room(self, m: Module, dut: Queue, push: Value) -> None:
        since = Signal(range(dut.spare + 2))  # payloads that entered since room was high
        with m.If(dut.room):
            m.d.sync += since.eq(push)
        with m.Elif(since <= dut.spare):
            m.d.sync += since.eq(since + push)
        with m.If(dut.room | (since <= dut.spare)):
            m.d.comb += Assert(dut.i.ready)
        m.d.comb += Cover(~dut.room & ~dut.i.ready & (since == dut.spare + 1))
