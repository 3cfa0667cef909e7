"""Bytes for the machine, kept when their frame is good."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...link.frame import MAX_PAYLOAD

__all__ = ["Inbox", "inbox_layout"]

inbox_layout = data.StructLayout({"byte": 8, "load": 1})

_SPARE = 4  # a frame's CRC is written too, before it is known to be one


class Inbox(wiring.Component):
    """A ring of ``depth`` bytes with tentative writes; a byte leaves every third cycle at most.

    Bytes of a frame are written after those already kept, and count only once ``keep`` comes.

    Parameters
    ----------
    depth : a power of two from 256 to 32768; one bit more a byte says that it is to be loaded.

    Members
    -------
    clear : In(1). Forget everything; positions are 0 again.
    write, byte, load, offset : In. A byte of a frame, ``offset`` after the last one kept.
    keep, size : In. The first ``size`` bytes of the frame are kept, if there was room for them.
    drop : In(1). The frame is over, and none of its bytes counts.
    room : Out(1). Every byte of the frame so far found room.
    received, limit : Out(16). Position after the last byte kept; first position without room.
    o : Out(stream.Signature(inbox_layout)).
    """

    def __init__(self, depth: int = 2048) -> None:
        if depth & (depth - 1) or not 256 <= depth <= 1 << 15:
            raise ValueError(f"depth must be a power of two in 256..32768, not {depth!r}")
        self.depth = depth
        super().__init__({
            "clear": In(1),
            "write": In(1),
            "byte": In(8),
            "load": In(1),
            "offset": In(8),
            "keep": In(1),
            "size": In(range(MAX_PAYLOAD + 1)),
            "drop": In(1),
            "room": Out(1, init=1),
            "received": Out(16),
            "limit": Out(16),
            "o": Out(stream.Signature(inbox_layout)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = memory.Memory(
            shape=9, depth=self.depth, init=[], attrs={"ram_style": "block"}
        )
        write, read = ring.write_port(), ring.read_port()
        consumed = Signal(16)
        free = Signal(range(self.depth + 1), init=self.depth)
        loaded = Signal()
        m.d.sync += free.eq(self.depth - (self.received - consumed)[:16])
        fits = self.offset < free
        m.d.comb += [
            write.addr.eq(self.received + self.offset),
            write.data.eq(Cat(self.byte, self.load)),
            write.en.eq(self.write & fits),
            read.addr.eq(consumed),
            self.limit.eq(consumed + self.depth - _SPARE),
        ]
        with m.If(self.write & ~fits):
            m.d.sync += self.room.eq(0)
        with m.If(self.keep | self.drop):
            m.d.sync += self.room.eq(1)
        with m.If(self.keep & self.room):
            m.d.sync += self.received.eq(self.received + self.size)
        # A word read in the cycle in which it is written is undefined: kept ones were before.
        m.d.sync += loaded.eq((consumed != self.received) & ~self.o.valid & ~loaded)
        with m.If(loaded):
            m.d.sync += [self.o.valid.eq(1), Value.cast(self.o.payload).eq(read.data)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), consumed.eq(consumed + 1)]
        with m.If(self.clear):
            m.d.sync += [self.received.eq(0), consumed.eq(0), self.o.valid.eq(0), loaded.eq(0)]
        return m
