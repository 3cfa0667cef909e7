"""Bytes of the machine, kept until the host has them."""

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...link.frame import MAX_PAYLOAD

__all__ = ["Outbox"]


class Outbox(wiring.Component):
    """A ring of ``depth`` bytes that can be sent again from the last one acknowledged.

    Parameters
    ----------
    depth : a power of two from 256 to 32768.

    Members
    -------
    clear : In(1). Forget everything; positions are 0 again.
    i : In(stream.Signature(8)). Ready while there is room.
    acked, ack, again : In. ``acked``: the host has all before position ``ack``; with ``again``
        what follows is to be sent again. An ``ack`` of bytes that are not here changes nothing. It
        must be there a cycle before ``acked`` already.
    next : Out(16). Position of the first byte to send. size : Out. How many a frame can have; right
        from the second cycle after ``clear``, ``acked`` or ``sent`` on.
    sent : In(1). ``size`` bytes from ``next`` are being sent.
    r_addr : In(16), a position. r_data : Out(8), its byte, a cycle later.
    """

    def __init__(self, depth: int = 2048) -> None:
        if depth & (depth - 1) or not 256 <= depth <= 1 << 15:
            raise ValueError(f"depth must be a power of two in 256..32768, not {depth!r}")
        self.depth = depth
        super().__init__({
            "clear": In(1),
            "i": In(stream.Signature(8)),
            "acked": In(1),
            "ack": In(16),
            "again": In(1),
            "next": Out(16),
            "size": Out(range(MAX_PAYLOAD + 1)),
            "sent": In(1),
            "r_addr": In(16),
            "r_data": Out(8),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = memory.Memory(
            shape=8, depth=self.depth, init=[], attrs={"ram_style": "block"}
        )
        write, read = ring.write_port(), ring.read_port()
        # positions after the last byte, and of the first byte
        head = Signal(16)
        tail = Signal(16)
        waiting = Signal(16)
        known = Signal(16)
        ahead = Signal(16)
        mine = Signal()
        m.d.comb += [
            write.addr.eq(head),
            write.data.eq(self.i.payload),
            write.en.eq(self.i.valid & self.i.ready),
            self.i.ready.eq((head - tail)[: len(head)] < self.depth),
            read.addr.eq(self.r_addr),
            self.r_data.eq(read.data),
            waiting.eq(head - self.next),
            known.eq(self.ack - tail),
            ahead.eq(self.ack - self.next),
        ]
        m.d.sync += [
            self.size.eq(Mux(waiting > MAX_PAYLOAD, MAX_PAYLOAD, waiting)),
            mine.eq(known <= (head - tail)[: len(head)]),
        ]
        with m.If(write.en):
            m.d.sync += head.eq(head + 1)
        with m.If(self.sent):
            m.d.sync += self.next.eq(self.next + self.size)
        with m.If(self.acked & mine):
            m.d.sync += tail.eq(self.ack)
            # What was sent again may be acknowledged before it is sent.
            with m.If(self.again | ((ahead != 0) & ~ahead[-1])):
                m.d.sync += self.next.eq(self.ack)
        with m.If(self.clear):
            m.d.sync += [head.eq(0), tail.eq(0), self.next.eq(0)]
        return m
