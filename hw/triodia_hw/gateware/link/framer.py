"""Frames to the host: header, payload and check sum, byte by byte."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ...link.frame import MAX_PAYLOAD, BoardFrame
from .cobs import framed_layout

__all__ = ["Framer", "reply_layout"]

reply_layout = data.StructLayout({
    "kind": 6,
    "fault": 1,
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
    o : Out(stream.Signature(framed_layout)), a byte every second cycle at most. Registered,
        because a block RAM's output, its check sum and a buffer do not fit into one cycle.
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
        header = Signal(8 * _HEAD)
        size = Signal.like(self.size)
        left = Signal(range(_HEAD + 1))
        tail = Signal(range(5))
        summing = Signal()
        o, taken = self.o.p, self.o.valid & self.o.ready
        m.d.comb += [crc.data.eq(o.byte), crc.valid.eq(taken & summing), self.busy.eq(1)]
        with m.If(taken):
            m.d.sync += self.o.valid.eq(0)

        def send(byte: Value, last: Value | int = 0, *, summed: bool = True) -> list:
            return [o.byte.eq(byte), o.last.eq(last), self.o.valid.eq(1), summing.eq(summed)]

        with m.FSM():
            with m.State("Idle"):
                m.d.comb += [self.busy.eq(0), crc.start.eq(1)]
                m.d.sync += [header.eq(self.header), size.eq(self.size), left.eq(_HEAD)]
                m.d.sync += [self.index.eq(0), tail.eq(0)]
                with m.If(self.start):
                    m.next = "Header"
            with m.State("Header"):
                with m.If(left == 0):
                    m.next = "Fetch"
                with m.Elif(~self.o.valid):
                    m.d.sync += [*send(header[:8]), header.eq(header >> 8), left.eq(left - 1)]
            with m.State("Fetch"):
                m.next = "Payload"
                with m.If(self.index == size):
                    m.next = "Check"
            with m.State("Payload"):
                with m.If(~self.o.valid):
                    m.d.sync += [*send(self.byte), self.index.eq(self.index + 1)]
                    m.next = "Fetch"
            with m.State("Check"):
                with m.If(~self.o.valid & (tail == 4)):
                    m.next = "Idle"
                # The check sum includes a byte one cycle after it was taken.
                with m.Elif(~self.o.valid & ~summing):
                    m.d.sync += send(crc.crc.word_select(tail[:2], 8), tail == 3, summed=False)
                    m.d.sync += tail.eq(tail + 1)
                with m.Elif(~self.o.valid):
                    m.d.sync += summing.eq(0)
        return m
