"""What the weights of the dense machine meet: inputs and last step's spikes, one visit a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...machine.params import MachineParams, bits_for
from ..shapes import payload_shape
from ..units import Units

__all__ = ["DenseSource"]


class DenseSource(wiring.Component):
    """Go through inputs, then slot 0 of each PE, slot 1 of each PE, …, for each neuron again.

    Members
    -------
    event, channel, payload : In. An input of the coming step; not while visits go on.
    visit : In(1). Go on. last : Out(1). This visit is the last of its neuron.
    x : Out. What the weight meets, 3 cycles after ``visit``; 0 without one.
    blank : In(1). Everything is silent. clear : In(1). Forget each input with its visit.
    store, slot, spikes : In. A bit a PE, for the step after; ``swap`` when all are there.
    """

    def __init__(self, p: MachineParams, visits: int, units: Units) -> None:
        self.p, self.visits, self.units = p, visits, units
        super().__init__({
            "event": In(1),
            "channel": In(bits_for(p.inputs)),
            "payload": In(Shape(p.payload_bits, p.graded)),
            "visit": In(1),
            "last": Out(1),
            "x": Out(payload_shape(p) if p.graded else unsigned(1)),
            "blank": In(1),
            "clear": In(1),
            "store": In(1),
            "slot": In(bits_for(p.slots)),
            "spikes": In(p.lanes),
            "swap": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        k = Signal(bits_for(self.visits))
        group = Signal(bits_for(p.slots))
        lane = Signal(bits_for(p.lanes))
        spiking = Signal()
        m.d.comb += self.last.eq(k == self.visits - 1)
        with m.If(self.visit):
            m.d.sync += [k.eq(k + 1), lane.eq(lane + spiking)]
            with m.If(k == p.inputs - 1):
                m.d.sync += spiking.eq(1)
            with m.If(spiking & (lane == p.lanes - 1)):
                m.d.sync += [lane.eq(0), group.eq(group + 1)]
            with m.If(self.last):
                m.d.sync += [k.eq(0), lane.eq(0), group.eq(0), spiking.eq(0)]
        given = self._inputs(m, k, self.visit & self.clear & ~spiking)
        word = self._spikes(m, group)
        flags = Cat(self.visit & ~self.blank, spiking, lane)
        late = [Signal.like(flags, name=f"late_{n}") for n in (1, 2)]
        m.d.sync += [late[0].eq(flags), late[1].eq(late[0]), self.x.eq(0)]
        fired = word.bit_select(late[1][2:], 1)
        with m.If(late[1][0]):
            one = Mux(fired, p.one, 0) if p.graded else fired
            m.d.sync += self.x.eq(Mux(late[1][1], one, given))
        return m

    def _inputs(self, m: Module, k: Signal, clear: Value) -> Value:
        """The payload of input ``k``, 2 cycles later; what no event brought is 0."""
        layout = data.StructLayout({"payload": Shape(self.p.payload_bits, self.p.graded)})
        memory = self.units.memory(m, layout, depth=self.p.inputs, name="x")
        forget = Signal()
        which = Signal.like(memory.w_addr)
        m.d.sync += [forget.eq(clear), which.eq(k)]
        m.d.comb += [
            memory.r_addr.eq(k),
            memory.w_en.eq(self.event | forget),
            memory.w_addr.eq(Mux(self.event, self.channel, which)),
            memory.w_data.payload.eq(Mux(self.event, self.payload, 0)),
        ]
        return memory.r_data.payload

    def _spikes(self, m: Module, group: Signal) -> Value:
        """The spikes of a slot of each PE in the last step, 2 cycles later."""
        bits = data.StructLayout({"fired": self.p.lanes})
        memory = self.units.memory(m, bits, depth=2 << len(group), name="spikes")
        bank = Signal()
        m.d.sync += bank.eq(bank ^ self.swap)
        m.d.comb += [
            memory.r_addr.eq(Cat(group, bank)),
            memory.w_en.eq(self.store),
            memory.w_addr.eq(Cat(self.slot, ~bank)),
            memory.w_data.fired.eq(self.spikes),
        ]
        return memory.r_data.fired
