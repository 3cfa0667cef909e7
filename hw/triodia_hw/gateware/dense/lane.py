"""Processing element of the dense machine: a weight a cycle, then the neuron's update."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...compile.contents import accumulator_width
from ...machine.neuron import NEURON
from ...machine.params import MachineParams, bits_for
from ...machine.words import neuron_fields, state_fields
from ..multiply import multiply
from ..neuron import update_layout
from ..shapes import payload_shape, struct
from ..units import Units

__all__ = ["DenseLane", "operand_layout"]


def operand_layout(p: MachineParams) -> data.StructLayout:
    """What a weight meets: ``x``, a payload (spike inputs: 1 or 0), and whether it is the first or
    last of its neuron."""
    x = payload_shape(p) if p.graded else unsigned(1)
    return data.StructLayout({"first": 1, "last": 1, "x": x})


class DenseLane(wiring.Component):
    """Sum ``weight · x`` over all weights of a neuron, one a cycle, and update it.

    Its sum stays in a register, so no sum is ever read and written.

    Members
    -------
    weight : In. Address of a weight; ``operand``, 3 cycles later, is what it meets.
    slot : In. Of the neuron whose last weight is on its way; holds until ``o.valid``.
    zero : In. The next state is zero. o : Out. The update, 12 cycles after its last ``weight``.
    """

    def __init__(self, p: MachineParams, *, contents: dict[str, list[int]], units: Units) -> None:
        self.p, self.contents, self.units = p, contents, units
        super().__init__({
            "weight": In(bits_for(len(contents["weights"]))),
            "operand": In(operand_layout(p)),
            "slot": In(bits_for(p.slots)),
            "zero": In(1),
            "o": Out(stream.Signature(update_layout(p), always_ready=True)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, words, units = self.p, self.contents, self.units
        bits = data.StructLayout({"weight": signed(p.weight_bits)})
        fixed = {"depth": len(words["neurons"]), "init": words["neurons"]}
        visited = {"depth": len(words["weights"]), "init": words["weights"]}
        weights = units.memory(m, bits, name="weights", **visited)
        neurons = units.memory(m, struct(neuron_fields(p)), name="neurons", **fixed)
        state = units.memory(m, struct(state_fields(p)), depth=p.slots, name="state")
        update = units.add(m, "update", NEURON.create(p, units))
        total = self._sum(m, weights.r_data.weight)
        m.d.comb += [
            weights.r_addr.eq(self.weight),
            neurons.r_addr.eq(self.slot),
            state.r_addr.eq(self.slot),
            update.i.valid.eq(self.operand.last),
            update.i.payload.neuron.eq(neurons.r_data),
            update.i.payload.state.eq(state.r_data),
            update.zero.eq(self.zero),
            update.sum.eq(total),
            self.o.valid.eq(update.o.valid),
            self.o.payload.eq(update.o.payload),
            state.w_en.eq(update.o.valid),
            state.w_addr.eq(self.slot),
            state.w_data.eq(update.o.payload.state),
        ]
        return m

    def _sum(self, m: Module, word: Value) -> Signal:
        """The sum of a neuron, 4 cycles after its last operand."""
        p, x = self.p, self.operand.x
        weight = Signal(signed(p.weight_bits), reset_less=True)
        m.d.sync += weight.eq(word)
        if p.graded:
            parts = self.units.options.multiplier_parts
            product = multiply(m, weight, x, parts=parts, name="synapse")
        else:
            early, product = (Signal.like(weight, name=f"p_{k}", reset_less=True) for k in (1, 2))
            m.d.sync += [early.eq(Mux(x, weight, 0)), product.eq(early)]
        first = Signal(2)
        last = Signal(3)
        total, done = (
            Signal(signed(accumulator_width(p)), name=name, reset_less=True)
            for name in ("total", "done")
        )
        m.d.sync += [
            first.eq(Cat(self.operand.first, first)),
            last.eq(Cat(self.operand.last, last)),
            total.eq(product + Mux(first[-1], 0, total)),
        ]
        with m.If(last[-1]):
            m.d.sync += done.eq(total)
        return done
