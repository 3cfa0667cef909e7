# amaranth: UnusedElaboratable=no
import random

import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tests.support.bench import simulate
from tests.support.streams import STALLS, through
from triodia_boards.link.serial import Receiver, Transmitter


class Chain(wiring.Component):
    """A transmitter's wire into a receiver."""

    def __init__(self, divisor):
        self.first, self.second = Transmitter(divisor), Receiver(divisor)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.first, m.submodules.second = self.first, self.second
        m.d.comb += self.second.rx.eq(self.first.tx)
        connect(m, flipped(self.i), self.first.i)
        m.d.comb += [self.o.valid.eq(self.second.o.valid), self.o.payload.eq(self.second.o.payload)]
        return m


@pytest.mark.parametrize("stall", [s for s in STALLS if s[1] == 0])  # a byte must be taken at once
@pytest.mark.parametrize("divisor", [4, 5, 25])
def test_transmitter_to_receiver(divisor, stall):
    words = [0, 255, 0x55, 0xAA, 1, 128, *random.Random(1).randbytes(20)]
    dut = Chain(divisor)
    log = through(dut, words, stall=stall, extra=12 * divisor)
    assert log.words == words
    if stall == (0, 0):  # 10 bits a byte, and a cycle to take the next one
        assert {b - a for a, b in zip(log.sent[0], log.sent[0][1:], strict=False)} == {
            10 * divisor + 1
        }


def frame(byte, stop=1):
    """Bits of a byte on the wire."""
    return [0, *((byte >> k) & 1 for k in range(8)), stop]


def receive(divisor, bits, period, offset=0.0):
    """Bytes that a receiver decodes from ``bits`` of ``period`` cycles each."""
    dut, got = Receiver(divisor), []

    async def run(ctx):
        for cycle in range(int(len(bits) * period) + 12 * divisor):
            at = int((cycle + offset) / period)
            ctx.set(dut.rx, bits[at] if at < len(bits) else 1)
            *_, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            got.extend([byte] if valid else [])

    simulate(dut, run)
    return got


@pytest.mark.parametrize("period", [19.3, 20, 20.7])
def test_receiver_tolerates_another_clock(period):
    words = [0x00, 0xFF, 0x55, 0x80, 0x01, *random.Random(2).randbytes(10)]
    bits = [1, 1, *(bit for word in words for bit in frame(word))]
    assert receive(20, bits, period, 7.5) == words


def test_byte_without_stop_bit_is_dropped():
    idle = [1] * 12
    bits = [*idle, *frame(0x42), *frame(0x37, stop=0), *idle, *frame(0x99), *idle]
    assert receive(8, bits, 8) == [0x42, 0x99]


def test_line_held_low_gives_nothing():
    bits = [1, 1, *[0] * 45, *[1] * 12, *frame(0x5A)]
    assert receive(8, bits, 8) == [0x5A]


@pytest.mark.parametrize("make", [Receiver, Transmitter])
@pytest.mark.parametrize("divisor", [-1, 0, 3])
def test_divisor(make, divisor):
    with pytest.raises(ValueError, match=rf"^divisor must be at least 4, not {divisor}$"):
        make(divisor)
