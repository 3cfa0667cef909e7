"""A bench of the serial port: both wires, cycle by cycle."""

import random

from tests.support.bench import simulate

__all__ = ["DIVISOR", "port_works"]

DIVISOR = 5
_BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, 0x7F, 0xFE]


def bits_of(byte, stop=1):
    return [0, *((byte >> k) & 1 for k in range(8)), stop]


def port_works(dut):
    """What is sent is on ``tx`` at once and for as long as it should; what is on ``rx`` comes out.

    The sender of ``rx`` has a clock that is off by up to 4 %, pauses, leaves out stop bits and
    holds the line low.
    """
    chance = random.Random(12)
    simulate(dut, lambda ctx: sends(dut, ctx, chance), timeout=100_000)
    for period in (0.96 * DIVISOR, DIVISOR, 1.04 * DIVISOR):
        simulate(dut, lambda ctx, p=period: receives(dut, ctx, chance, p), timeout=100_000)


async def sends(dut, ctx, chance):
    """Bytes with and without pauses, each bit of each in its cycles."""
    ctx.set(dut.rx, 1)
    for byte in [*_BYTES, *chance.randbytes(30)]:
        for _ in range(chance.choice([0, 0, 1, 2, 30])):
            *_, tx, ready = await ctx.tick().sample(dut.tx, dut.i.ready)
            assert (tx, ready) == (1, 1)
        ctx.set(dut.i.payload, byte)
        ctx.set(dut.i.valid, 1)
        *_, tx, ready = await ctx.tick().sample(dut.tx, dut.i.ready)
        assert (tx, ready) == (1, 1)
        ctx.set(dut.i.valid, chance.random() < 0.5)  # must not count while a byte is sent
        ctx.set(dut.i.payload, chance.randrange(256))
        for bit in bits_of(byte):
            for _ in range(DIVISOR):
                *_, tx, ready = await ctx.tick().sample(dut.tx, dut.i.ready)
                assert (tx, ready) == (bit, 0)
        ctx.set(dut.i.valid, 0)


async def receives(dut, ctx, chance, period):
    """Bytes at a rate that is a little off, some without stop bit, some after a line held low."""
    wire, want = [1] * 3, []
    for byte in [*_BYTES, *chance.randbytes(60)]:
        kind = chance.random()
        if kind < 0.1:
            wire += bits_of(byte, stop=0) + [0] * chance.randrange(30) + [1] * 2
        else:
            wire += bits_of(byte)
            want.append(byte)
        wire += [1] * chance.choice([0, 0, 0, 1, 7])
    got, offset = [], chance.random() * period
    for cycle in range(int(len(wire) * period) + 20 * DIVISOR):
        at = int((cycle + offset) / period)
        ctx.set(dut.rx, wire[at] if at < len(wire) else 1)
        *_, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
        got += [byte] if valid else []
    assert got == want
