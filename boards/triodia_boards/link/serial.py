"""Serial port: bytes on a wire."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["LEAST_DIVISOR", "Receiver", "Transmitter", "check_divisor"]

LEAST_DIVISOR = 4  # clock cycles per bit


def check_divisor(divisor: int) -> int:
    """Return ``divisor`` if a bit is long enough to be sampled in its middle."""
    if divisor < LEAST_DIVISOR:
        raise ValueError(f"divisor must be at least {LEAST_DIVISOR}, not {divisor!r}")
    return divisor


class Receiver(wiring.Component):
    """Receive bytes: 8 data bits, no parity, 1 stop bit, ``divisor`` clock cycles per bit.

    Samples in mid-bit. A byte whose stop bit is low is dropped, and the next one starts only after
    the line has been high. Each byte is offered for one cycle; the receiver must take it.

    Members
    -------
    rx : In(1), asynchronous, idle high. o : Out(stream.Signature(8, always_ready=True)).
    """

    def __init__(self, divisor: int) -> None:
        self.divisor = check_divisor(divisor)
        super().__init__({"rx": In(1, init=1), "o": Out(stream.Signature(8, always_ready=True))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rx = Signal(init=1)
        shift = Signal(9)
        m.submodules.sync = FFSynchronizer(self.rx, rx, init=1)
        timer = Signal(range(self.divisor + self.divisor // 2))
        bits = Signal(range(11))
        idle = Signal()  # the line has been high since the last byte
        m.d.sync += self.o.valid.eq(0)
        with m.If(bits == 0):
            m.d.sync += timer.eq(self.divisor + self.divisor // 2 - 1)
            with m.If(rx):
                m.d.sync += idle.eq(1)
            with m.Elif(idle):
                m.d.sync += bits.eq(9)
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                timer.eq(self.divisor - 1),
                bits.eq(bits - 1),
                shift.eq(Cat(shift[1:], rx)),
            ]
            with m.If(bits == 1):
                m.d.sync += idle.eq(rx)
            with m.If((bits == 1) & rx):
                m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(shift[1:])]
        return m


class Transmitter(wiring.Component):
    """Send bytes: 8 data bits, no parity, 1 stop bit, ``divisor`` clock cycles per bit.

    Members
    -------
    i : In(stream.Signature(8)). tx : Out(1), idle high.
    """

    def __init__(self, divisor: int) -> None:
        self.divisor = check_divisor(divisor)
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self.divisor))
        bits = Signal(range(11))
        shift = Signal(10, init=1)
        m.d.comb += [self.i.ready.eq(bits == 0), self.tx.eq(shift[0])]
        with m.If(bits == 0):
            with m.If(self.i.valid):
                m.d.sync += [
                    shift.eq(Cat(C(0, 1), self.i.payload, C(1, 1))),
                    bits.eq(10),
                    timer.eq(self.divisor - 1),
                ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                timer.eq(self.divisor - 1),
                bits.eq(bits - 1),
                shift.eq(Cat(shift[1:], C(1, 1))),
            ]
        return m
