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

    Read, multiply, add and write form a pipeline of 5 cycles. Sums still in the pipeline are
    forwarded, so synapses of one target may follow each other at any distance. The end of a step
    switches banks: from 4 cycles after ``end``, all sums of the step can be read.

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
        one = self.i
        m.d.comb += Cat(sweep.end, sweep.last, sweep.read, sweep.what).eq(
            Cat(one.end, one.last, one.read, one.what)
        )

        # The input is stage 0, in which the memory gets its address; k = 1 to 4 follow.
        tag = Cat(synapse.target, bank)  # which sum
        tags = [Signal(len(tag), name=f"tag_{k}", reset_less=True) for k in range(1, 5)]
        valid = Signal(4)
        mates = Signal(4)  # valid, and of the bank that is accumulated into
        some = Signal(2)
        counts = Signal(4)
        m.d.sync += [
            valid.eq(Cat(one.valid, valid)),
            mates.eq(Cat(one.valid, mates)),
            some.eq(synapse.some),
            counts.eq(Cat(valid[0] & some.any(), counts)),
            *(later.eq(earlier) for later, earlier in zip(tags, [tag, *tags], strict=False)),
        ]
        with m.If(sweep.end & ~sweep.read):
            m.d.sync += [bank.eq(~bank), mates.eq(0)]
        m.d.comb += self.operation.eq(counts[3])
        same = [mates[k] & (tags[k][:-1] == synapse.target) for k in range(4)]
        total = self._sum(m, same, tags[0][-1], banks)
        for index, ram in enumerate(banks):
            # What is written has registers of its own: 0, to clear, by their reset.
            mine = Signal(name=f"mine_{index}")
            data = Signal(signed(len(total)), name=f"data_{index}")
            adding = valid[2] & (tags[2][-1] == index)
            m.d.sync += [mine.eq(adding), data.eq(Mux(adding, total, 0))]
            m.d.comb += [
                ram.r_addr.eq(Mux(bank == index, synapse.target, sweep.addr)),
                ram.w_en.eq(mine | (sweep.clear & ((bank != index) | sweep.clear_all))),
                ram.w_addr.eq(Mux(mine, tags[3][:-1], sweep.clear_addr)),
                ram.w_data.sum.eq(data),
            ]
        # The banks do not switch while a sweep is under way.
        m.d.comb += sweep.sum.eq(Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum))
        return m

    def _sum(self, m: Module, same: list[Value], bank: Value, banks: list[Ram]) -> Signal:
        """The new sum, in stage 3.

        ``same``: item k - 1, in stage 0, whether the synapse k ahead has the same target. ``bank``
        is that of stage 1. The memory's word is undefined or old for a target that is at most four
        cycles ahead: then its sum, of the nearest one ahead, is forwarded.
        """
        width = accumulator_width(self.p)
        addend, recent, operand, sum_, total, written = (
            Signal(signed(width), name=name, reset_less=True)
            for name in "addend recent operand sum total written".split()
        )
        now = Signal(4)
        late = Signal()
        follows = Signal(2)
        chosen = Signal(3)  # the operand is a word of bank 0, of bank 1, or the last sum
        stored = [ram.r_data.sum & chosen[k].replicate(width) for k, ram in enumerate(banks)]
        m.d.comb += [
            late.eq(~now[1] & (now[2] | now[3])),
            sum_.eq(Mux(follows[1], total, operand) + addend),
        ]
        m.d.sync += [
            now.eq(Cat(same)),  # stage 1
            # Stage 2. Whoever is two ahead has no sum before stage 3. What is not chosen is 0: an
            # OR of all takes half the logic of a multiplexer.
            recent.eq(Mux(now[2], total, written) & late.replicate(width)),
            chosen.eq(Mux(now[1:].any(), Cat(C(0, 2), now[1]), Mux(bank, 0b10, 0b01))),
            addend.eq(self._product(m)),
            # Stage 3.
            operand.eq(stored[0] | stored[1] | (total & chosen[2].replicate(width)) | recent),
            follows.eq(Cat(now[0], follows)),
            total.eq(sum_),  # stage 4
            written.eq(total),
        ]
        return sum_

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
