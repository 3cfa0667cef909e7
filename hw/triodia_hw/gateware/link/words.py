"""Stream words as bytes, lowest byte first."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...machine.params import MachineParams
from ...machine.words import INPUT_KINDS, input_fields, output_fields, width_of
from ..shapes import struct
from .inbox import inbox_layout

__all__ = ["Gather", "Scatter", "bytes_of_word"]


def bytes_of_word(width: int) -> int:
    """Bytes that carry a word of ``width`` bits."""
    return -(-width // 8)


class Gather(wiring.Component):
    """Input words from bytes: each byte to be loaded is one, of the others some make one.

    Members
    -------
    clear : In(1). Forget the bytes of a word that is not complete.
    i : In(stream.Signature(inbox_layout)). o : Out(stream.Signature(struct(input_fields))).
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({
            "clear": In(1),
            "i": In(stream.Signature(inbox_layout)),
            "o": Out(stream.Signature(struct(input_fields(p)))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = width_of(input_fields(self.p))
        count = bytes_of_word(width)
        parts = Signal(8 * count)
        have = Signal(range(count))
        load = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid),
            Value.cast(self.o.payload).eq(parts),
        ]
        with m.If(load):
            m.d.comb += [
                Value.cast(self.o.payload).eq(0),
                self.o.p.kind.eq(INPUT_KINDS["load"]),
                self.o.p.source.eq(parts[-8:]),
            ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            full = self.i.p.load | (have == count - 1)
            m.d.sync += [
                parts.eq(Cat(parts[8:], self.i.p.byte)),
                load.eq(self.i.p.load),
                have.eq(Mux(full, 0, have + 1)),
                self.o.valid.eq(full),
            ]
        with m.If(self.clear):
            m.d.sync += [self.o.valid.eq(0), have.eq(0)]
        return m


class Scatter(wiring.Component):
    """Bytes of output words.

    Members
    -------
    clear : In(1). Begin with the first byte of a word again.
    i : In(stream.Signature(struct(output_fields))). o : Out(stream.Signature(8)).
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({
            "clear": In(1),
            "i": In(stream.Signature(struct(output_fields(p)))),
            "o": Out(stream.Signature(8)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = width_of(output_fields(self.p))
        count = bytes_of_word(width)
        rest = Signal(8 * count)
        left = Signal(range(count + 1))
        m.d.comb += [
            self.i.ready.eq(left == 0),
            self.o.valid.eq(left != 0),
            self.o.payload.eq(rest[:8]),
        ]
        with m.If(left == 0):
            with m.If(self.i.valid):
                m.d.sync += [rest.eq(Value.cast(self.i.payload)), left.eq(count)]
        with m.Elif(self.o.ready):
            m.d.sync += [rest.eq(rest >> 8), left.eq(left - 1)]
        with m.If(self.clear):
            m.d.sync += left.eq(0)
        return m
