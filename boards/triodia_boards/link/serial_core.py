"""The machine on a serial line, with the link in between."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from triodia_hw.compile.options import DEFAULT, Options
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.link.link import DEPTH, Link
from triodia_hw.gateware.signatures import SdramPins
from triodia_hw.gateware.units import Units
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.params import MachineParams

from .serial import Receiver, Transmitter, check_divisor

__all__ = ["SerialCore"]


class SerialCore(wiring.Component):
    """The machine at the end of a :class:`triodia_hw.gateware.link.link.Link` over ``rx``, ``tx``.

    Parameters
    ----------
    p, contents, options : as for :class:`triodia_hw.gateware.core.Core`.
    divisor : clock cycles per bit, at least 4. welcome, depth : as for the link.

    Members
    -------
    reset : In(1). Everything starts afresh, without a session.
    rx : In(1), asynchronous, idle high. tx : Out(1), idle high.
    open : Out(1), a session is open. refused : Out(1), for one cycle: a frame was refused.
    waiting : Out(1), the machine waits for room to send a word.
    sdram : Out(SdramPins), only with synapses in an SDRAM.
    """

    def __init__(
        self,
        p: MachineParams,
        contents: list[dict[str, list[int]]],
        *,
        divisor: int,
        welcome: Welcome,
        options: Options = DEFAULT,
        depth: int = DEPTH,
    ) -> None:
        self.p, self.contents, self.options = p, contents, options
        self.divisor, self.welcome, self.depth = check_divisor(divisor), welcome, depth
        super().__init__({
            "reset": In(1),
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "open": Out(1),
            "refused": Out(1),
            "waiting": Out(1),
            **({"sdram": Out(SdramPins())} if p.external else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        receiver, transmitter = Receiver(self.divisor), Transmitter(self.divisor)
        m.submodules.receiver = ResetInserter(self.reset)(receiver)
        m.submodules.transmitter = ResetInserter(self.reset)(transmitter)
        m.submodules.link = link = Link(self.p, self.welcome, depth=self.depth)
        m.submodules.core = core = Core(self.p, contents=self.contents, units=Units(self.options))
        connect(m, receiver.o, link.i)
        connect(m, link.o, transmitter.i)
        connect(m, link.words, core.i)
        connect(m, core.o, link.results)
        if self.p.external:
            connect(m, core.sdram, flipped(self.sdram))
        m.d.comb += [
            link.reset.eq(self.reset),
            core.reset.eq(link.machine_reset),
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            self.open.eq(link.open),
            self.refused.eq(link.refused),
            self.waiting.eq(core.o.valid & ~core.o.ready),
            link.fault.eq(core.fault),
        ]
        return m
