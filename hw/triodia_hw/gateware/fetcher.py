"""Row lookup: from an event to the segment of its row that a PE holds."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..machine.params import MachineParams
from ..machine.words import pointer_fields, read_bits, row_depth
from .loader import write_port
from .shapes import row_layout, struct, token_layout
from .signatures import Flow, LoadPort
from .units import Units

__all__ = ["Fetcher"]

_STAGES = 4  # cycles from a token to the row queue
# Rows that may still come when `room` goes low: one a stage, and the bus looks at it a cycle late
# and has a register on the way.
_SPARE = _STAGES + 2


class Fetcher(wiring.Component):
    """Look up the row segment of each event; latency 6 cycles, throughput 1 event per cycle.

    Rows leave in order. An event whose source has no synapse in this PE produces no row; the end
    of a step produces a row without synapses. The fetcher holds up to 17 rows, so the walker finds
    its next row ready while the lookup runs ahead.

    Parameters
    ----------
    init : contents of the pointer memory, one word for each ``rows_per_pointer`` sources.

    Members
    -------
    i : In(Flow(token_layout)). While ``room`` is low, 2 more tokens fit than are on their way here.
    o : Out(stream.Signature(row_layout)).
    fault : Out(1), 0 without parity: of the memory. load : In(LoadPort), to the pointer memory.
    """

    def __init__(self, p: MachineParams, *, init: list[int], units: Units | None = None) -> None:
        self.p, self.init, self.units = p, init, units or Units()
        super().__init__({
            "i": In(Flow(token_layout(p))),
            "o": Out(stream.Signature(row_layout(p))),
            "load": In(LoadPort(p)),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pointers = self.units.memory(
            m,
            struct(pointer_fields(self.p)),
            depth=row_depth(self.p.pointer_words),
            init=self.init,
            name="pointers",
        )
        write_port(m, pointers, self.load, "pointers")
        m.d.comb += self.fault.eq(pointers.fault)
        rows = self.units.queue(m, row_layout(self.p), name="rows", spare=_SPARE)
        connect(m, rows.o, flipped(self.o))
        low = self.p.rows_per_pointer.bit_length() - 1

        # Cycles 1 and 2: the memory reads. 3: which of the group's rows. 4: where it starts.
        valid = Signal(_STAGES)
        tokens = [self.i.payload]
        for k in range(1, _STAGES + 1):
            tokens.append(Signal(token_layout(self.p), name=f"token_{k}", reset_less=True))
            m.d.sync += tokens[k].eq(tokens[k - 1])
        m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += [self.i.room.eq(rows.room), pointers.r_addr.eq(self.i.payload.source >> low)]

        row, end = rows.i.p, tokens[3].end
        word, asked = pointers.r_data, tokens[2]
        lengths = [word[f"length_{k}"] for k in range(self.p.rows_per_pointer)]
        chosen = asked.source[:low]
        length = Signal(len(lengths[0]), reset_less=True)
        with m.Switch(chosen):
            for k, own in enumerate(lengths):
                with m.Case(k):
                    m.d.sync += length.eq(own)
        # An end has its own start.
        begin = Signal(len(row.start), reset_less=True)
        m.d.sync += begin.eq(Mux(asked.end, asked.source[: read_bits(self.p)], word.start))
        before = self._before(m, asked, lengths)

        start = Signal(len(row.start))
        some = Signal()
        single = Signal()
        span = Signal(len(length), reset_less=True)
        m.d.sync += [
            start.eq(sum(_pair([begin, *before]))),
            span.eq(length),
            some.eq(end | (length != 0)),
            single.eq(end | (length == 1)),
        ]
        m.d.comb += [
            rows.i.valid.eq(valid[3] & some),
            row.end.eq(tokens[4].end),
            row.last.eq(tokens[4].last),
            row.read.eq(tokens[4].read),
            row.single.eq(single),
            row.start.eq(start),
            row.length.eq(span),
            row.payload.eq(tokens[4].payload),
        ]
        if self.p.shared_rows:
            bases = [word.base, *(Signal.like(word.base, reset_less=True) for _ in range(2))]
            m.d.sync += [bases[k + 1].eq(bases[k]) for k in range(2)]
            m.d.comb += row.base.eq(bases[2])
        return m

    def _before(self, m: Module, asked: data.View, lengths: list[Value]) -> list[Signal]:
        """One or two numbers, in cycle 4: their sum is how far in its group the row starts.

        The memory is far away, so in cycle 3 there is no time for an adder.
        """
        chosen = asked.source[: self.p.rows_per_pointer.bit_length() - 1]
        parts = _pair([Mux(chosen > k, length, 0) for k, length in enumerate(lengths[:-1])])
        before = []
        for k, part in enumerate(parts):
            before.append(Signal(len(part), name=f"before_{k}", reset_less=True))
            m.d.sync += before[k].eq(Mux(asked.end, 0, part))
        return before


def _pair(terms: list[Value]) -> list[Value]:
    """At most two numbers with the sum of ``terms``: carries are saved, not added."""
    while len(terms) > 2:
        a, b, c, *rest = terms
        terms = [*rest, a ^ b ^ c, ((a & b) | (a & c) | (b & c)) << 1]
    return terms
