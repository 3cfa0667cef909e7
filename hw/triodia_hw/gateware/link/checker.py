"""Frames to the board checked: header apart, payload out, and a verdict at the end."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from ...link.frame import MAX_PAYLOAD, HostFrame, Kind
from .cobs import decoded_layout

__all__ = ["FrameChecker", "header_layout"]

header_layout = data.StructLayout({
    "kind": 7,
    "again": 1,
    "session": 16,
    "seq": 16,
    "ack": 16,
})

_HEAD = HostFrame.HEADER.size
_CRC = 4


class FrameChecker(wiring.Component):
    """Check frames (:meth:`triodia_hw.link.frame.HostFrame.decode`), one byte per cycle.

    No part of a frame may count before its verdict, which comes 2 cycles after its end.

    Members
    -------
    i : In(stream.Signature(decoded_layout)), always ready; an end and the next byte are at least
        3 cycles apart (on a serial line they are).
    byte, offset, write : Out. ``write``: ``byte`` is the ``offset``-th of the payload, or of the 4
        bytes after it. ``header.kind`` is right by then.
    header : Out(header_layout). size : Out. Bytes of payload. Both with the verdict.
    good, bad : Out(1). The verdict, for one cycle.
    """

    def __init__(self) -> None:
        super().__init__({
            "i": In(stream.Signature(decoded_layout, always_ready=True)),
            "byte": Out(8),
            "offset": Out(8),
            "write": Out(1),
            "header": Out(header_layout),
            "size": Out(range(MAX_PAYLOAD + 1)),
            "good": Out(1),
            "bad": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC().create()
        longest = _HEAD + MAX_PAYLOAD + _CRC
        count = Signal(range(longest + 2))  # bytes so far; more than the longest frame is bad
        ended = Signal()
        cut = Signal()
        fits = Signal()
        header = Signal(8 * _HEAD)
        byte = self.i.valid & ~self.i.p.end
        m.d.comb += [
            crc.data.eq(self.i.p.byte),
            crc.valid.eq(byte),
            crc.start.eq(ended),
            Value.cast(self.header).eq(header),
            self.byte.eq(self.i.p.byte),
            self.offset.eq(count - _HEAD),
            self.write.eq(byte & (count >= _HEAD)),
        ]
        with m.If(byte):
            for k in range(_HEAD):
                with m.If(count == k):
                    m.d.sync += header.word_select(k, 8).eq(self.i.p.byte)
            with m.If(count != longest + 1):
                m.d.sync += count.eq(count + 1)
        m.d.sync += [ended.eq(self.i.valid & self.i.p.end), cut.eq(self.i.p.bad)]
        kinds = [self.header.kind == kind for kind in Kind]
        m.d.comb += fits.eq((count >= _HEAD + _CRC) & (count <= longest) & Cat(kinds).any())
        # Behind the end, when the check sum has taken the last byte.
        good = ~cut & fits & crc.match_detected
        m.d.sync += [self.good.eq(ended & good), self.bad.eq(ended & ~good)]
        with m.If(ended):
            m.d.sync += [self.size.eq(count - (_HEAD + _CRC)), count.eq(0)]
        return m
