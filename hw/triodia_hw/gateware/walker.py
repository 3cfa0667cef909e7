"""Row walker: from row segments to synapses, one per cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..contract import MachineParams
from ..layout import row_depth, synapse_fields
from .ram import Ram
from .shapes import payload_shape, row_layout, struct

__all__ = ["Walker", "synapse_layout"]


def synapse_layout(p: MachineParams) -> data.StructLayout:
    """A synapse on its way to the accumulator, or (``end``) the end of a step."""
    return data.StructLayout({
        "valid": 1,
        "end": 1,
        "last": 1,
        "synapse": struct(synapse_fields(p)),
        "payload": payload_shape(p),
    })


class Walker(wiring.Component):
    """Read the synapses of each row: latency 3 cycles, one synapse per cycle, no gap between rows.

    A row of ``n`` synapses takes ``n`` cycles, the end of a step one. In order. The output cannot
    be held up: the accumulator always takes it.

    Parameters
    ----------
    init : contents of the synapse memory.

    Members
    -------
    i : In(stream.Signature(row_layout)).
    o : Out(synapse_layout), registered; ``valid`` and ``end`` are never both high.
    """

    def __init__(self, p: MachineParams, *, init: list[int]) -> None:
        self.p, self.init = p, init
        super().__init__({
            "i": In(stream.Signature(row_layout(p))),
            "o": Out(synapse_layout(p)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.synapses = synapses = Ram(
            struct(synapse_fields(p)), depth=row_depth(p.synapse_words), init=self.init
        )
        row = Signal(row_layout(p))  # the rest of the row: next address, synapses left
        busy = Signal()
        m.d.comb += [self.i.ready.eq(~busy | row.single), synapses.r_addr.eq(row.start)]
        with m.If(self.i.ready):
            m.d.sync += [busy.eq(self.i.valid), row.eq(self.i.payload)]
        with m.Else():
            m.d.sync += [
                row.start.eq(row.start + 1),
                row.length.eq(row.length - 1),
                row.single.eq(row.length == 2),
            ]
        # The memory's output is slow (5.6 ns on an ECP5): nothing but a register behind it.
        read = Signal(synapse_layout(p))
        m.d.sync += [
            read.valid.eq(busy & ~row.end),
            read.end.eq(busy & row.end),
            read.last.eq(row.last),
            read.payload.eq(row.payload),
            self.o.eq(read),
            self.o.synapse.eq(synapses.r_data),
        ]
        return m
