"""Counters as words of the output stream."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import COUNTERS, OUTPUT_KINDS, output_fields
from .shapes import struct

__all__ = ["Report"]


class Report(wiring.Component):
    """Send all counters, as they were at the request: two words each, low half first.

    The ``k``-th word of a report has ``source`` k and 16 bits in ``value``.

    Members
    -------
    start : In(1). Take a report; only while not ``busy``. busy : Out(1).
    counts : In, one member a counter. o : Out(stream.Signature(struct(output_fields))).
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({
            "start": In(1),
            "busy": Out(1),
            "counts": In(32 * len(COUNTERS)),
            "o": Out(stream.Signature(struct(output_fields(p)))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = 2 * len(COUNTERS)
        asked = Signal()
        loaded = Signal()
        taken = Signal.like(self.counts, reset_less=True)
        index = Signal(range(words))
        value = Signal(16, reset_less=True)
        source = Signal(range(words), reset_less=True)
        m.d.comb += [
            self.o.valid.eq(loaded),
            self.o.p.kind.eq(OUTPUT_KINDS["count"]),
            self.o.p.source.eq(source),
            self.o.p.value.eq(value),
        ]
        # Every second cycle: the choice has a cycle of its own.
        m.d.sync += [
            asked.eq(self.start),
            value.eq(_choose(index, [taken.word_select(k, 16) for k in range(words)])),
            source.eq(index),
            loaded.eq(Mux(loaded, ~self.o.ready, self.busy & ~asked)),
        ]
        with m.If(asked):
            m.d.sync += taken.eq(self.counts)
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), index.eq(0)]
        with m.Elif(loaded & self.o.ready):
            m.d.sync += index.eq(index + 1)
            with m.If(index == words - 1):
                m.d.sync += self.busy.eq(0)
        return m


def _choose(index: Value, values: list[Value]) -> Value:
    """``values[index]`` as a tree of 2-way multiplexers; anything where it is out of range."""
    if len(values) == 1:
        return values[0]
    pairs = [
        Mux(index[0], values[k + 1], values[k]) if k + 1 < len(values) else values[k]
        for k in range(0, len(values), 2)
    ]
    return _choose(index[1:], pairs)
