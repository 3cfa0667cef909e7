"""Output of the dense machine: spikes and readouts of a neuron of each PE, one PE after another."""

from itertools import pairwise

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...machine.params import MachineParams, bits_for
from ...machine.words import OUTPUT_KINDS, output_fields
from ..neuron import update_layout
from ..shapes import struct
from ..units import Units

__all__ = ["DenseRecords"]


class DenseRecords(wiring.Component):
    """Take an update of every PE at once, and put it out in a cycle each.

    Members
    -------
    start : In(1). An update is on its way; ``busy`` until its words have left.
    i : In, one a PE: :func:`..neuron.update_layout`, valid in the same cycle.
    slot : In. Theirs. mute : In(1). Nothing is put out.
    end, last : In. Put out the end of the step; ``ended`` once it is taken.
    o : Out(stream.Signature(struct(output_fields))).
    """

    def __init__(self, p: MachineParams, units: Units) -> None:
        self.p, self.units = p, units
        super().__init__({
            "start": In(1),
            "busy": Out(1),
            "i": In(stream.Signature(update_layout(p), always_ready=True)).array(p.lanes),
            "slot": In(bits_for(p.slots)),
            "mute": In(1),
            "end": In(1),
            "last": In(1),
            "ended": Out(1),
            "o": Out(stream.Signature(struct(output_fields(p)))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        queue = self.units.queue(m, self.o.payload.shape(), name="outputs")
        connect(m, queue.o, flipped(self.o))
        spike = Signal(p.lanes)
        readout = Signal(p.lanes)
        values = [
            Signal(signed(p.state_bits), name=f"value_{k}", reset_less=True) for k in range(p.lanes)
        ]
        left = Signal(range(p.lanes + 1))
        source = Signal(bits_for(p.sources))
        emit = Signal()
        step = Signal()
        m.d.comb += [
            emit.eq((left != 0) & (spike[0] | readout[0])),
            step.eq((left != 0) & (~emit | queue.i.ready)),
            queue.i.valid.eq(emit | (self.end & ~self.mute)),
            queue.i.p.kind.eq(
                Mux(emit, Mux(readout[0], OUTPUT_KINDS["readout"], 0), OUTPUT_KINDS["end"])
            ),
            queue.i.p.last.eq(self.last & ~emit),
            queue.i.p.source.eq(Mux(emit, source, 0)),
            queue.i.p.value.eq(Mux(emit & readout[0], values[0], 0)),
            self.ended.eq(self.end & (self.mute | queue.i.ready)),
        ]
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.If(self.i[0].valid):
            m.d.sync += [
                left.eq(p.lanes),
                source.eq(p.inputs + self.slot),
                spike.eq(Mux(self.mute, 0, Cat(i.p.spike for i in self.i))),
                readout.eq(Mux(self.mute, 0, Cat(i.p.readout for i in self.i))),
                *(value.eq(i.p.value) for value, i in zip(values, self.i, strict=True)),
            ]
        with m.If(step):
            m.d.sync += [
                left.eq(left - 1),
                source.eq(source + p.slots),
                spike.eq(spike >> 1),
                readout.eq(readout >> 1),
                *(a.eq(b) for a, b in pairwise(values)),
            ]
            with m.If(left == 1):
                m.d.sync += self.busy.eq(0)
        return m
