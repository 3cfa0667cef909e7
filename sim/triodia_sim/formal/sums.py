"""The accumulator: whatever comes, the sweep reads the sum of the step."""

from amaranth import *
from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from triodia_hw.compile.contents import accumulator_width
from triodia_hw.gateware.accumulator import Accumulator
from triodia_hw.gateware.ram import Ram
from triodia_hw.gateware.signatures import SynapsePort
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams

__all__ = ["ArbitraryRam", "Sums"]

_WRITTEN = 4  # cycles from ``end`` until all sums of the step can be read
_COUNTED = 5  # cycles from a synapse to ``operation``


class ArbitraryRam(Ram):
    """A :class:`Ram` that returns any word at all when it reads what is being written."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ram = ram = Ram(self.shape, depth=self.depth, options=self.options)
        collided, anything = Signal(2), AnySeq(len(Value.cast(self.r_data)))
        m.d.sync += collided.eq(Cat(self.w_en & (self.w_addr == self.r_addr), collided))
        m.d.comb += [
            ram.r_addr.eq(self.r_addr),
            ram.w_en.eq(self.w_en),
            ram.w_addr.eq(self.w_addr),
            ram.w_data.eq(self.w_data),
            Value.cast(self.r_data).eq(Mux(collided[1], anything, Value.cast(ram.r_data))),
        ]
        return m


class Sums(wiring.Component):
    """The :class:`Accumulator` under any synapses and ends of steps, with any gaps between them.

    For any one slot: what the sweep reads of it, from 4 cycles after ``end`` on until it clears it,
    is the sum of ``weight * payload`` of that step, modulo the width; after the clear it is 0. An
    end that only reads changes nothing. ``end`` and its flags come at once, ``operation`` 5 cycles
    after its synapse. Memories start with any contents.

    Assumed of what is around it (``Lane``, ``Sweep``):

    - a step ends only after the sweep of the one before has cleared the slot (:class:`~.loop.Loop`
      proves that no end reaches a lane before its sweep is done);
    - before the first synapse the sweep has cleared both banks by ``clear_all``, then never again;
    - otherwise it clears only from 4 cycles after ``end`` to the end of the next step;
    - a cycle brings a synapse or an end, not both.

    Nothing is said of a read in the very cycle of the clear, nor of one whose sum would come after
    the end of the next step. With ``single`` all weights are 0 but
    for one synapse, of weight 1: enough for a unit that is linear in the weights.
    """

    def __init__(self, p: MachineParams, *, single: bool) -> None:
        self.p, self.single = p, single
        slot = range(p.slots)
        super().__init__({
            "i": In(SynapsePort(p)),
            "sweep_addr": In(slot),
            "clear": In(1),
            "clear_addr": In(slot),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.dut = dut = Accumulator(p, Units(memory=ArbitraryRam))
        connect(m, flipped(self.i), dut.i)
        slot = AnyConst(len(self.sweep_addr))
        over = self.i.end & ~self.i.read
        m.d.comb += [
            dut.sweep.addr.eq(self.sweep_addr),
            dut.sweep.clear.eq(self.clear),
            dut.sweep.clear_addr.eq(self.clear_addr),
            Assume(~(self.i.valid & self.i.end)),
            Assume(slot < p.slots),
        ]
        written, cleared = Signal(_WRITTEN), self.clear & (self.clear_addr == slot)
        opened, open_ = Signal(), Signal()  # sums of the step before may be read and cleared
        m.d.sync += [
            written.eq(Mux(over, 1, Cat(C(0, 1), written))),
            opened.eq(open_ & ~over),
        ]
        m.d.comb += open_.eq(opened | written[-1])
        self._protocol(m, dut, over, open_, cleared)
        if self.single:
            marked, mark = Signal(), AnySeq(1)
            m.d.sync += marked.eq(marked | (self.i.valid & mark))
            m.d.comb += Assume(self.i.payload.weight == (mark & ~marked))
        self._sum(m, dut, slot, cleared, open_)
        self._flags(m, dut)
        return m

    def _protocol(
        self, m: Module, dut: Accumulator, over: Value, open_: Value, cleared: Value
    ) -> None:
        """What is assumed of the sweep, and of ends."""
        started, clean = Signal(), Signal()  # the first sweep is done; the slot is clear
        m.d.comb += dut.sweep.clear_all.eq(~started)
        with m.If(~started):
            m.d.comb += Assume(~self.i.valid & ~self.i.end)
            m.d.sync += [started.eq(clean & AnySeq(1)), clean.eq(clean | cleared)]
        with m.Else():
            m.d.comb += [Assume(~self.clear | open_), Assume(~over | clean)]
            m.d.sync += clean.eq((clean | cleared) & ~over)

    def _sum(self, m: Module, dut: Accumulator, slot: Value, cleared: Value, open_: Value) -> None:
        """The reference: a sum that grows, and the one of the step before, until it is cleared."""
        width, i = accumulator_width(self.p), dut.i
        growing, complete = Signal(signed(width)), Signal(signed(width))
        now = [Signal(signed(width), name=f"now_{k}") for k in (1, 2)]
        synapse = i.payload
        product = synapse.weight * synapse.payload if self.p.graded else synapse.weight
        over, valid = i.end & ~i.read, Signal(2)  # the sum is read when it may be
        with m.If(i.valid & (synapse.target == slot)):
            m.d.sync += growing.eq(growing + product)
        with m.If(cleared):
            m.d.sync += complete.eq(0)
        with m.If(over):  # the clear was of the step before
            m.d.sync += [growing.eq(0), complete.eq(growing)]
        asked = open_ & ~over & (dut.sweep.addr == slot) & ~cleared
        m.d.sync += [
            now[0].eq(complete),
            now[1].eq(now[0]),
            valid.eq(Cat(asked, valid[0] & ~over)),
        ]
        with m.If(valid[1]):
            m.d.comb += [Assert(dut.sweep.sum == now[1]), Cover(now[1] == 1)]

    def _flags(self, m: Module, dut: Accumulator) -> None:
        late, i = Signal(_COUNTED), dut.i
        m.d.sync += late.eq(Cat(i.valid & i.payload.some.any(), late))
        flags = Cat(dut.sweep.last, dut.sweep.read, dut.sweep.what) == Cat(i.last, i.read, i.what)
        m.d.comb += [
            Assert(dut.operation == late[-1]),
            Assert(dut.sweep.end == i.end),
            Assert(flags | ~dut.sweep.end),
        ]
