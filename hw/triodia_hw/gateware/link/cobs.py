"""Frames from bytes and bytes from frames: Consistent Overhead Byte Stuffing."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CobsDecoder", "CobsEncoder", "decoded_layout", "framed_layout"]

decoded_layout = data.StructLayout({"byte": 8, "end": 1, "bad": 1})
framed_layout = data.StructLayout({"byte": 8, "last": 1})


class CobsDecoder(wiring.Component):
    """Decode bytes as they come (:func:`triodia_hw.link.frame.cobs_decode`), one a cycle.

    Members
    -------
    i : In(stream.Signature(8)), always ready.
    o : Out(stream.Signature(decoded_layout)), to be taken at once, in the cycle of its byte: a byte
        of a frame; or the ``end`` of one, ``bad`` if it was cut. An empty frame puts out nothing.
    """

    def __init__(self) -> None:
        super().__init__({
            "i": In(stream.Signature(8, always_ready=True)),
            "o": Out(stream.Signature(decoded_layout, always_ready=True)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # bytes left in the group; whether a 0 follows it
        left = Signal(8)
        zero = Signal()
        begun = Signal()
        byte = self.i.payload
        m.d.comb += self.o.p.byte.eq(Mux(left == 0, 0, byte))
        with m.If(self.i.valid):
            with m.If(byte == 0):
                m.d.comb += [self.o.valid.eq(begun), self.o.p.end.eq(1), self.o.p.bad.eq(left != 0)]
                m.d.sync += [left.eq(0), zero.eq(0), begun.eq(0)]
            with m.Elif(left == 0):
                m.d.comb += self.o.valid.eq(zero)
                m.d.sync += [left.eq(byte - 1), zero.eq(byte != 255), begun.eq(1)]
            with m.Else():
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += left.eq(left - 1)
        return m


class CobsEncoder(wiring.Component):
    """Encode frames of at most 127 bytes (:func:`triodia_hw.link.frame.cobs_encode`), then a 0.

    The encoder takes bytes up to a 0 or the end of the frame, one per cycle, then sends them, one
    every second cycle, and repeats. A longer frame gives undefined output.

    Members
    -------
    i : In(stream.Signature(framed_layout)). o : Out(stream.Signature(8)).
    """

    def __init__(self) -> None:
        super().__init__({
            "i": In(stream.Signature(framed_layout)),
            "o": Out(stream.Signature(8)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.group = group = memory.Memory(
            shape=8, depth=128, init=[], attrs={"ram_style": "distributed"}
        )
        write, read = group.write_port(), group.read_port()
        # frame ends here; with a 0
        size = Signal(7)
        final = Signal()
        zero = Signal()
        i = self.i.p
        m.d.comb += [write.addr.eq(size), write.data.eq(i.byte), self.o.valid.eq(0)]
        with m.FSM():
            with m.State("Fill"):
                m.d.comb += [self.i.ready.eq(1), write.en.eq(self.i.valid & (i.byte != 0))]
                with m.If(self.i.valid):
                    m.d.sync += [final.eq(i.last), zero.eq(i.byte == 0)]
                    m.d.sync += size.eq(size + (i.byte != 0))
                    with m.If(i.last | (i.byte == 0)):
                        m.next = "Code"
            with m.State("Code"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(size + 1)]
                m.d.sync += read.addr.eq(0)
                with m.If(self.o.ready):
                    m.next = "Read"
            with m.State("Read"):
                m.next = "Drain"
                with m.If(read.addr == size):
                    m.d.sync += size.eq(0)
                    m.next = "Fill"
                    with m.If(final):
                        # A 0 at the end of the frame becomes a group of its own.
                        m.d.sync += zero.eq(0)
                        m.next = "End"
                        with m.If(zero):
                            m.next = "Code"
            with m.State("Drain"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(read.data)]
                with m.If(self.o.ready):
                    m.d.sync += read.addr.eq(read.addr + 1)
                    m.next = "Read"
            with m.State("End"):
                m.d.comb += self.o.valid.eq(1)  # 0
                with m.If(self.o.ready):
                    m.next = "Fill"
        return m
