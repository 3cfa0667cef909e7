"""Row look-up: from an event to the segment of its row that a PE holds."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..contract import MachineParams
from ..layout import pointer_fields, row_depth
from .queue import Queue
from .ram import Ram
from .shapes import row_layout, struct, token_layout

__all__ = ["Fetcher"]

_IN_FLIGHT = 3  # look-ups between the issue of an address and the row queue, and one to spare


class Fetcher(wiring.Component):
    """Look up the row segment of each event; latency 4 cycles, throughput 1 event per cycle.

    In order. An event whose source has no synapse in this PE leaves nothing; the end of a step
    leaves a row without synapses. Looks ahead by a queue of 16 rows, so that the walker finds its
    next row waiting.

    Parameters
    ----------
    init : contents of the pointer memory, one word a source.

    Members
    -------
    i : In(stream.Signature(token_layout)). o : Out(stream.Signature(row_layout)).
    """

    def __init__(self, p: MachineParams, *, init: list[int]) -> None:
        self.p, self.init = p, init
        super().__init__({
            "i": In(stream.Signature(token_layout(p))),
            "o": Out(stream.Signature(row_layout(p))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = struct(pointer_fields(self.p))
        m.submodules.pointers = pointers = Ram(
            shape, depth=row_depth(self.p.sources), init=self.init
        )
        m.submodules.rows = rows = Queue(row_layout(self.p), spare=_IN_FLIGHT)
        connect(m, rows.o, flipped(self.o))

        # Stage 1: the memory reads. Stage 2: its word, registered, goes to the queue, which has
        # room for all that is in flight: nothing here ever waits.
        tokens = [Signal(token_layout(self.p), name=f"token_{k}") for k in (1, 2)]
        valid = Signal(2)
        pointer = Signal(shape)
        m.d.comb += [self.i.ready.eq(rows.room), pointers.r_addr.eq(self.i.p.source)]
        m.d.sync += [
            valid.eq(Cat(self.i.valid & self.i.ready, valid[0])),
            tokens[0].eq(self.i.payload),
            tokens[1].eq(tokens[0]),
            pointer.eq(pointers.r_data),
        ]
        end = tokens[1].end
        m.d.comb += [
            rows.i.valid.eq(valid[1] & (end | (pointer.length != 0))),
            rows.i.p.end.eq(end),
            rows.i.p.last.eq(tokens[1].last),
            rows.i.p.single.eq(end | (pointer.length == 1)),
            rows.i.p.start.eq(pointer.start),
            rows.i.p.length.eq(pointer.length),
            rows.i.p.payload.eq(tokens[1].payload),
        ]
        return m
