"""The board's side of the link: bytes of a line on one side, the machine on the other."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...link.frame import Kind
from ...link.welcome import Welcome
from ...machine.params import MachineParams
from ...machine.words import input_fields, output_fields
from ..shapes import struct
from .checker import FrameChecker
from .cobs import CobsDecoder, CobsEncoder
from .framer import Framer
from .inbox import Inbox
from .outbox import Outbox
from .words import Gather, Scatter

__all__ = ["DEPTH", "Link"]

DEPTH = 2048  # bytes of either buffer: one block RAM of an ECP5

_HOLD = 16  # cycles of reset, after which nothing from before leaves the machine


class Link(wiring.Component):
    """Receive and send frames as :class:`triodia_hw.link.model.BoardModel` does.

    Nothing of a frame reaches the machine before its check sum was found right. Until a session
    begins the machine is in reset, and each new session resets it.

    Parameters
    ----------
    p : machine. welcome : what the board says of itself. depth : bytes of either buffer.

    Members
    -------
    reset : In(1). Start afresh, without a session.
    i : In(stream.Signature(8, always_ready=True)); bytes at least 4 cycles apart.
    o : Out(stream.Signature(8)). Bytes to the line.
    machine_reset : Out(1). To the machine.
    words : Out(stream.Signature(struct(input_fields))). To the machine.
    results : In(stream.Signature(struct(output_fields))). From the machine.
    fault : In(1). The machine found a memory word that had changed by itself; all frames say so.
    open : Out(1), there is a session. refused : Out(1), for a cycle: a frame was not taken.
    """

    def __init__(self, p: MachineParams, welcome: Welcome, *, depth: int = DEPTH) -> None:
        self.p, self.welcome, self.depth = p, welcome, depth
        super().__init__({
            "reset": In(1),
            "i": In(stream.Signature(8, always_ready=True)),
            "o": Out(stream.Signature(8)),
            "machine_reset": Out(1),
            "words": Out(stream.Signature(struct(input_fields(p)))),
            "results": In(stream.Signature(struct(output_fields(p)))),
            "fault": In(1),
            "open": Out(1),
            "refused": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        decoder, checker, inbox = CobsDecoder(), FrameChecker(), Inbox(self.depth)
        gather, scatter = Gather(self.p), Scatter(self.p)
        outbox, framer, encoder = Outbox(self.depth), Framer(), CobsEncoder()
        units = {
            "decoder": decoder,
            "checker": checker,
            "inbox": inbox,
            "gather": gather,
            "scatter": scatter,
            "outbox": outbox,
            "framer": framer,
            "encoder": encoder,
        }
        for name, unit in units.items():
            m.submodules[name] = ResetInserter(self.reset)(unit)
        connect(m, flipped(self.i), decoder.i)
        # Bytes are far apart, so what becomes of one has several cycles.
        m.d.sync += [
            checker.i.valid.eq(decoder.o.valid & ~self.reset),
            checker.i.payload.eq(decoder.o.payload),
        ]
        connect(m, inbox.o, gather.i)
        connect(m, framer.o, encoder.i)
        connect(m, encoder.o, flipped(self.o))
        connect(m, scatter.o, outbox.i)
        session, clear = self._sessions(m, checker)
        self._machine(m, gather, scatter, session, clear)
        for unit in (inbox, gather, scatter, outbox):
            m.d.comb += unit.clear.eq(clear)
        replies = self._receive(m, checker, inbox, outbox, session)
        self._send(m, replies, session, inbox, outbox, framer)
        return m

    def _sessions(self, m: Module, checker: FrameChecker) -> tuple[Signal, Signal]:
        """The session there is, and whether a new one clears all that was before."""
        session = Signal(16)
        clear = Signal()
        hello = checker.good & (checker.header.kind == Kind.HELLO)
        m.d.sync += clear.eq(hello & (checker.header.session != session))
        with m.If(hello):
            m.d.sync += session.eq(checker.header.session)
        with m.If(self.reset):
            m.d.sync += [session.eq(0), clear.eq(1)]
        m.d.comb += self.open.eq(session != 0)
        return session, clear

    def _machine(
        self, m: Module, gather: Gather, scatter: Scatter, session: Signal, clear: Signal
    ) -> None:
        """Streams to and from the machine; in a reset what it still puts out is dropped."""
        left = Signal(range(_HOLD + 1), init=_HOLD)
        held = Signal(init=1)
        m.d.comb += held.eq((left != 0) | clear)
        with m.If(clear | (session == 0)):
            m.d.sync += left.eq(_HOLD)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.comb += [
            self.machine_reset.eq(held),
            self.words.valid.eq(gather.o.valid & ~held),
            self.words.payload.eq(gather.o.payload),
            gather.o.ready.eq(self.words.ready & ~held),
            scatter.i.valid.eq(self.results.valid & ~held),
            scatter.i.payload.eq(self.results.payload),
            self.results.ready.eq(scatter.i.ready | held),
        ]

    def _receive(
        self, m: Module, checker: FrameChecker, inbox: Inbox, outbox: Outbox, session: Signal
    ) -> dict[str, Signal]:
        """What frames do; returns what is owed to the host, flags that last until ``sent``."""
        header = checker.header
        sent = Signal()
        hello = checker.good & (header.kind == Kind.HELLO)
        ours = checker.good & ~hello & (header.session == session) & (session != 0)
        some = ours & (checker.size != 0)
        ahead = Signal(16)
        refused = Signal()
        m.d.sync += ahead.eq(header.seq - inbox.received)  # both are there long before the verdict
        m.d.comb += [
            inbox.write.eq(checker.write),
            inbox.byte.eq(checker.byte),
            inbox.offset.eq(checker.offset),
            inbox.load.eq(header.kind == Kind.LOAD),
            inbox.size.eq(checker.size),
            inbox.keep.eq(some & (ahead == 0)),
            inbox.drop.eq((checker.good | checker.bad) & ~inbox.keep),
            outbox.acked.eq(ours),
            outbox.ack.eq(header.ack),
            outbox.again.eq(header.again),
            refused.eq(checker.bad | (some & ~ahead[-1] & ((ahead != 0) | ~inbox.room))),
            self.refused.eq(refused),
        ]
        owed = {}
        for name, event in (
            ("hello", hello),
            ("reply", checker.good | checker.bad),
            ("refused", refused),
        ):
            owed[name] = flag = Signal(name=f"owes_{name}")
            m.d.sync += flag.eq((event | (flag & ~sent)) & ~self.reset)
        # A host that waits for room hears when half of it is there again.
        free = Signal(16)
        half = Signal()
        m.d.comb += free.eq(inbox.limit - inbox.received)
        m.d.sync += half.eq(free < self.depth // 2)
        with m.If(half & (free >= self.depth // 2)):
            m.d.sync += owed["reply"].eq(1)
        return owed | {"sent": sent}

    def _send(
        self,
        m: Module,
        owed: dict[str, Signal],
        session: Signal,
        inbox: Inbox,
        outbox: Outbox,
        framer: Framer,
    ) -> None:
        """Begin a frame when something is owed or there are bytes that were not sent."""
        text = self.welcome.encode()
        spelled = Signal(8)
        first = Signal(16)
        greeting = Signal()
        with m.Switch(framer.index):
            for k, byte in enumerate(text):
                with m.Case(k):
                    m.d.sync += spelled.eq(byte)
        # Not while a frame that came changes what is to be sent.
        start = Signal()
        moved = Signal()
        moving = Signal()
        m.d.sync += moved.eq(moving)
        m.d.comb += [
            moving.eq(framer.busy | outbox.clear | outbox.acked),
            start.eq(~(moving | moved) & (owed["reply"] | (outbox.size != 0))),
        ]
        m.d.comb += [
            framer.start.eq(start),
            owed["sent"].eq(start),
            framer.size.eq(Mux(owed["hello"], len(text), outbox.size)),
            framer.header.kind.eq(Mux(owed["hello"], Kind.HELLO, Kind.WORDS)),
            framer.header.refused.eq(owed["refused"]),
            framer.header.fault.eq(self.fault),
            framer.header.session.eq(session),
            framer.header.seq.eq(outbox.next),
            framer.header.ack.eq(inbox.received),
            framer.header.limit.eq(inbox.limit),
            framer.byte.eq(Mux(greeting, spelled, outbox.r_data)),
            outbox.sent.eq(start & ~owed["hello"]),
            outbox.r_addr.eq(first + framer.index),
        ]
        with m.If(start):
            m.d.sync += [first.eq(outbox.next), greeting.eq(owed["hello"])]
