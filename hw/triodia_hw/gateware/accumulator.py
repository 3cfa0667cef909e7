"""Double-banked accumulators: one bank sums the coming step while the other is swept."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..contract import MachineParams, bits_for
from ..memory import accumulator_width, memory_shapes
from .options import DEFAULT, Options
from .ram import Ram
from .shapes import struct
from .walker import synapse_layout

__all__ = ["Accumulator"]


class Accumulator(wiring.Component):
    """Add ``weight * payload`` to the sum of its target: one synapse per cycle, always ready.

    Read, multiply, add and write are a pipeline of 5 cycles; sums still on their way are forwarded,
    so synapses of one target may follow each other at any distance. The end of a step switches
    banks: ``end`` is high for one cycle when all sums of the step are written.

    The bank that is not accumulated into belongs to the sweep, from ``end`` until the end of the
    next step enters: reads have a latency of 1 cycle, clears take effect in the next cycle.

    Members
    -------
    i : In(synapse_layout).
    end, last : Out(1). The step is complete; whether it was the last of its sequence.
    sweep_addr : In. sweep_sum : Out, the sum at last cycle's ``sweep_addr``.
    clear, clear_addr : In. Set that sum to zero. clear_all : In(1). In both banks.
    operation : Out(1). A synaptic operation was done.
    """

    def __init__(self, p: MachineParams, options: Options = DEFAULT) -> None:
        self.p, self.options = p, options
        addr = bits_for(p.slots)
        super().__init__({
            "i": In(synapse_layout(p)),
            "end": Out(1),
            "last": Out(1),
            "sweep_addr": In(addr),
            "sweep_sum": Out(signed(accumulator_width(p))),
            "clear": In(1),
            "clear_addr": In(addr),
            "clear_all": In(1),
            "operation": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks = self._banks(m)
        width, synapse = accumulator_width(self.p), self.i.synapse
        bank = Signal()  # the one that is accumulated into
        with m.If(self.i.end):
            m.d.sync += bank.eq(~bank)

        # The input is stage 0, in which the memory gets its address; k = 1 to 4 follow.
        tag = Cat(synapse.target, bank)  # which sum; forwarding never crosses banks
        tags = [Signal(len(tag), name=f"tag_{k}") for k in range(1, 5)]
        valid, ends, lasts = Signal(4), Signal(4), Signal(4)
        m.d.sync += [
            valid.eq(Cat(self.i.valid, valid)),
            ends.eq(Cat(self.i.end, ends)),
            lasts.eq(Cat(self.i.last, lasts)),
            *(later.eq(earlier) for later, earlier in zip(tags, [tag, *tags], strict=False)),
        ]
        m.d.comb += [self.end.eq(ends[3]), self.last.eq(lasts[3]), self.operation.eq(valid[3])]

        # Does a synapse one, two, three or four cycles ahead have the same target?
        same, same_then, follows = Signal(4), Signal(4), Signal()
        product, product_then, addend, stored, operand, total, written, older = (
            Signal(signed(width), name=name)
            for name in "product product_then addend stored operand total written older".split()
        )
        m.d.sync += [
            same.eq(Cat(valid[k] & (tags[k] == tag) for k in range(4))),
            same_then.eq(same),
            follows.eq(same_then[0]),
            product.eq(synapse.weight * self.i.payload if self.p.graded else synapse.weight),
            product_then.eq(product),
            addend.eq(product_then),
            stored.eq(Mux(tags[0][-1], banks[1].r_data.sum, banks[0].r_data.sum)),
            # Two ahead: its sum is being written in this cycle. Three ahead: it was in the last.
            # Four ahead: it was in the cycle in which the memory read, so that word is undefined.
            operand.eq(
                Mux(
                    same_then[1] | same_then[2],
                    Mux(same_then[1], total, written),
                    Mux(same_then[3], older, stored),
                )
            ),
            total.eq(Mux(follows, total, operand) + addend),
            written.eq(total),
            older.eq(written),
        ]
        for index, ram in enumerate(banks):
            mine = valid[3] & (tags[3][-1] == index)
            m.d.comb += [
                ram.r_addr.eq(Mux(bank == index, synapse.target, self.sweep_addr)),
                ram.w_en.eq(mine | (self.clear & ((bank != index) | self.clear_all))),
                ram.w_addr.eq(Mux(mine, tags[3][:-1], self.clear_addr)),
                ram.w_data.sum.eq(Mux(mine, total, 0)),
            ]
        # The banks do not switch while a sweep is under way.
        m.d.comb += self.sweep_sum.eq(Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum))
        return m

    def _banks(self, m: Module) -> list[Ram]:
        banks = []
        for shape in memory_shapes(self.p):
            if shape.name.startswith("sums"):
                ram = Ram(struct(shape.fields), depth=shape.depth, options=self.options)
                m.submodules[shape.name] = ram
                banks.append(ram)
        return banks
