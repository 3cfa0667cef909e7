"""Frames to the host: header, payload and check sum, byte by byte."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ...link.frame import MAX_PAYLOAD, BoardFrame
from .cobs import framed_layout

__all__ = ["Framer", "reply_layout"]

reply_layout = data.StructLayout({
    "kind": 7,
    "refused": 1,
    "session": 16,
    "seq": 16,
    "ack": 16,
    "limit": 16,
})

_HEAD = BoardFrame.HEADER.size


class Framer(wiring.Component):
    """Put out a frame (:meth:`triodia_hw.link.frame.BoardFrame.encode`), before COBS.

    Members
    -------
    start : In(1). Begin the frame of ``header`` and ``size`` bytes; only while not ``busy``.
    header : In(reply_layout). size : In. Both are taken with ``start``.
    busy : Out(1).
    index : Out. The byte of the payload that must be at ``byte`` in the next cycle. byte : In(8).
    o : Out(stream.Signature(framed_layout)), a byte every second cycle at most.
    """

    def __init__(self) -> None:
        super().__init__({
            "start": In(1),
            "header": In(reply_layout),
            "size": In(range(MAX_PAYLOAD + 1)),
            "busy": Out(1),
            "index": Out(range(MAX_PAYLOAD + 1)),
            "byte": In(8),
            "o": Out(stream.Signature(framed_layout)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC().create()
        header, size = Signal(8 * _HEAD), Signal.like(self.size)
        left, tail = Signal(range(_HEAD + 1)), Signal(range(4))
        o, taken = self.o.p, self.o.valid & self.o.ready
        m.d.comb += [crc.data.eq(o.byte), self.busy.eq(1)]
        with m.FSM():
            with m.State("Idle"):
                m.d.comb += [self.busy.eq(0), crc.start.eq(1)]
                m.d.sync += [header.eq(self.header), size.eq(self.size), left.eq(_HEAD - 1)]
                m.d.sync += self.index.eq(0)
                with m.If(self.start):
                    m.next = "Header"
            with m.State("Header"):
                m.d.comb += [self.o.valid.eq(1), o.byte.eq(header[:8]), crc.valid.eq(taken)]
                with m.If(taken):
                    m.d.sync += [header.eq(header >> 8), left.eq(left - 1)]
                    with m.If(left == 0):
                        m.next = "Fetch"
            with m.State("Fetch"):
                m.d.sync += tail.eq(0)
                m.next = "Payload"
                with m.If(self.index == size):
                    m.next = "Check"
            with m.State("Payload"):
                m.d.comb += [self.o.valid.eq(1), o.byte.eq(self.byte), crc.valid.eq(taken)]
                with m.If(taken):
                    m.d.sync += self.index.eq(self.index + 1)
                    m.next = "Fetch"
            with m.State("Check"):
                m.d.comb += [
                    self.o.valid.eq(1),
                    o.byte.eq(crc.crc.word_select(tail, 8)),
                    o.last.eq(tail == 3),
                ]
                with m.If(taken):
                    m.d.sync += tail.eq(tail + 1)
                    with m.If(o.last):
                        m.next = "Idle"
        return m
