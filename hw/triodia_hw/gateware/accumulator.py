"""Double-banked accumulators: one bank sums the coming step while the other is swept."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import accumulator_width, memory_shapes
from ..machine.params import MachineParams
from .multiply import multiply
from .ram import Ram
from .shapes import struct
from .signatures import SumPort, SynapsePort
from .units import Units

__all__ = ["Accumulator"]


class Accumulator(wiring.Component):
    """Add ``weight * payload`` to the sum of its target: one synapse per cycle, always ready.

    Read, multiply, add and write form a pipeline of 6 cycles. Sums still in the pipeline are
    forwarded, so synapses of one target may follow each other at any distance. The end of a step
    switches banks: from 5 cycles after ``end``, all sums of the step can be read.

    The bank that is not accumulated into belongs to the sweep, until the end of the next step
    enters: reads have a latency of 2 cycles, clears take effect in the next cycle. An end
    that only reads state leaves the banks as they are.

    Members
    -------
    i : In(SynapsePort). sweep : Out(SumPort).
    operation : Out(1). A synaptic operation was done: not by a filler.
    fault : Out(1), 0 without parity: of either bank.
    """

    def __init__(self, p: MachineParams, units: Units | None = None) -> None:
        self.p, self.units = p, units or Units()
        super().__init__({
            "i": In(SynapsePort(p)),
            "sweep": Out(SumPort(p)),
            "operation": Out(1),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks, sweep, synapse = self._banks(m), self.sweep, self.i.payload
        m.d.comb += self.fault.eq(banks[0].fault | banks[1].fault)
        bank = Signal()  # the one that is accumulated into
        with m.If(sweep.end & ~sweep.read):
            m.d.sync += bank.eq(~bank)
        one = self.i
        m.d.comb += Cat(sweep.end, sweep.last, sweep.read, sweep.what).eq(
            Cat(one.end, one.last, one.read, one.what)
        )

        # The input is stage 0, in which the memory gets its address; k = 1 to 5 follow.
        tag = Cat(synapse.target, bank)  # which sum; forwarding never crosses banks
        tags = [Signal(len(tag), name=f"tag_{k}", reset_less=True) for k in range(1, 6)]
        valid = Signal(5)
        some = Signal(2)
        counts = Signal(4)
        m.d.sync += [
            valid.eq(Cat(self.i.valid, valid)),
            some.eq(synapse.some),
            counts.eq(Cat(valid[0] & some.any(), counts)),
            *(later.eq(earlier) for later, earlier in zip(tags, [tag, *tags], strict=False)),
        ]
        m.d.comb += self.operation.eq(counts[3])
        total = self._sum(m, Cat(valid[k] & (tags[k] == tag) for k in range(5)), tags[1], banks)
        for index, ram in enumerate(banks):
            # What is written has registers of its own: 0, to clear, by their reset.
            mine = Signal(name=f"mine_{index}")
            data = Signal(signed(len(total)), name=f"data_{index}")
            adding = valid[3] & (tags[3][-1] == index)
            m.d.sync += [mine.eq(adding), data.eq(Mux(adding, total, 0))]
            m.d.comb += [
                ram.r_addr.eq(Mux(bank == index, synapse.target, sweep.addr)),
                ram.w_en.eq(mine | (sweep.clear & ((bank != index) | sweep.clear_all))),
                ram.w_addr.eq(Mux(mine, tags[4][:-1], sweep.clear_addr)),
                ram.w_data.sum.eq(data),
            ]
        # The banks do not switch while a sweep is under way.
        m.d.comb += sweep.sum.eq(Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum))
        return m

    def _sum(self, m: Module, same: Value, tag: Value, banks: list[Ram]) -> Signal:
        """The new sum, in stage 4. ``same``: bit k - 1, of a synapse k ahead with the same target.

        ``tag`` is that of stage 2. The memory's word is undefined or old for a target that is at
        most five cycles ahead: then its sum is forwarded.
        """
        width = accumulator_width(self.p)
        addend, recent, operand, total, written, older = (
            Signal(signed(width), name=name, reset_less=True)
            for name in "addend recent operand total written older".split()
        )
        now = Signal(5)
        then = Signal(5)
        follows = Signal()
        stored = Mux(tag[-1], banks[1].r_data.sum, banks[0].r_data.sum)
        m.d.sync += [
            now.eq(same),  # stage 1
            then.eq(now),  # stage 2
            follows.eq(then[0]),  # stage 3
            addend.eq(self._product(m)),
            # Three to five ahead are chosen from a cycle sooner than two ahead.
            recent.eq(Mux(now[2], total, Mux(now[3], written, older))),
            operand.eq(Mux(then[1:5].any(), Mux(then[1], total, recent), stored)),
            total.eq(Mux(follows, total, operand) + addend),
            written.eq(total),
            older.eq(written),
        ]
        return total

    def _product(self, m: Module) -> Signal:
        """What a synapse adds, in stage 2."""
        one = self.i.payload
        if self.p.graded:
            parts = self.units.options.multiplier_parts
            return multiply(m, one.weight, one.payload, parts=parts, name="synapse")
        weight, then = (
            Signal(one.weight.shape(), name=name, reset_less=True) for name in ("weight", "then")
        )
        m.d.sync += [weight.eq(one.weight), then.eq(weight)]
        return then

    def _banks(self, m: Module) -> list[Ram]:
        banks = []
        for shape in memory_shapes(self.p):
            if shape.name.startswith("sums"):
                fields = struct(shape.fields)
                banks.append(self.units.memory(m, fields, depth=shape.depth, name=shape.name))
        return banks
