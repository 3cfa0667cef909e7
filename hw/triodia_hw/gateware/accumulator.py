"""Double-banked accumulators: one bank sums the coming step while the other is swept."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import accumulator_width, memory_shapes
from ..compile.options import DEFAULT, Options
from ..machine.params import MachineParams, bits_for
from .multiply import multiply
from .ram import Ram
from .shapes import struct
from .walker import synapse_layout

__all__ = ["Accumulator"]


class Accumulator(wiring.Component):
    """Add ``weight * payload`` to the sum of its target: one synapse per cycle, always ready.

    Read, multiply, add and write are a pipeline of 6 cycles; sums still on their way are forwarded,
    so synapses of one target may follow each other at any distance. The end of a step switches
    banks: from 5 cycles after ``end`` all sums of the step can be read.

    The bank that is not accumulated into belongs to the sweep, until the end of the next step
    enters: reads have a latency of 2 cycles, clears take effect in the next cycle. An end
    that only reads state leaves the banks as they are.

    Members
    -------
    i : In(synapse_layout).
    end, last, read, what : Out. All synapses of the step are in; the flags of its end.
    sweep_addr : In. sweep_sum : Out, the sum at ``sweep_addr`` of two cycles ago.
    clear, clear_addr : In. Set that sum to zero. clear_all : In(1). In both banks.
    operation : Out(1). A synaptic operation was done: not by a filler.
    fault : Out(1), only with parity: of either bank.
    """

    def __init__(self, p: MachineParams, options: Options = DEFAULT) -> None:
        self.p, self.options = p, options
        addr = bits_for(p.slots)
        super().__init__({
            "i": In(synapse_layout(p)),
            "end": Out(1),
            "last": Out(1),
            "read": Out(1),
            "what": Out(2),
            "sweep_addr": In(addr),
            "sweep_sum": Out(signed(accumulator_width(p))),
            "clear": In(1),
            "clear_addr": In(addr),
            "clear_all": In(1),
            "operation": Out(1),
            **({"fault": Out(1)} if options.parity else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks = self._banks(m)
        if self.options.parity:
            m.d.comb += self.fault.eq(banks[0].fault | banks[1].fault)
        bank = Signal()  # the one that is accumulated into
        with m.If(self.end & ~self.read):
            m.d.sync += bank.eq(~bank)
        one = self.i
        m.d.comb += Cat(self.end, self.last, self.read, self.what).eq(
            Cat(one.end, one.last, one.read, one.what)
        )

        # The input is stage 0, in which the memory gets its address; k = 1 to 5 follow.
        tag = Cat(self.i.target, bank)  # which sum; forwarding never crosses banks
        tags = [Signal(len(tag), name=f"tag_{k}", reset_less=True) for k in range(1, 6)]
        valid, some, counts = Signal(5), Signal(2), Signal(4)
        m.d.sync += [
            valid.eq(Cat(self.i.valid, valid)),
            some.eq(self.i.some),
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
                ram.r_addr.eq(Mux(bank == index, self.i.target, self.sweep_addr)),
                ram.w_en.eq(mine | (self.clear & ((bank != index) | self.clear_all))),
                ram.w_addr.eq(Mux(mine, tags[4][:-1], self.clear_addr)),
                ram.w_data.sum.eq(data),
            ]
        # The banks do not switch while a sweep is under way.
        m.d.comb += self.sweep_sum.eq(Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum))
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
        now, then, follows = Signal(5), Signal(5), Signal()
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
        one = self.i
        if self.p.graded:
            parts = self.options.multiplier_parts
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
                ram = Ram(
                    struct(shape.fields),
                    depth=shape.depth,
                    name=shape.name,
                    options=self.options,
                )
                m.submodules[shape.name] = ram
                banks.append(ram)
        return banks
