"""Simulation helpers for all gateware tests."""

import os
import random
from contextlib import contextmanager
from zlib import crc32

from amaranth.sim import Simulator

CLK_PERIOD = 1e-6  # nothing else names a time
engines = []  # the last one simulates instead of Amaranth, if there is one
CHANCE = random.Random()  # behind every stall; seeded anew for each test


@contextmanager
def compiled(engine, mutant=0):
    """Let :func:`simulate` run benches on ``engine``, a :class:`tests.sim.compiled.Compiled`."""
    engine.mutant = mutant
    engines.append(engine)
    try:
        yield
    finally:
        engines.pop()


def seed_stalls(test):
    """Seed the stalls of a test by its name, or by TRIODIA_SEED; returns the seed."""
    seed = int(os.environ.get("TRIODIA_SEED", crc32(test.encode())))
    CHANCE.seed(seed)
    return seed


async def put(ctx, stream, payload, stall=0.0):
    """Offer ``payload`` until it is taken, after idling with probability ``stall`` per cycle."""
    while CHANCE.random() < stall:
        await ctx.tick()
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    ready = 0
    while not ready:  # one-shot waits: `.until()` is noisy at teardown (amaranth#1638)
        *_, ready = await ctx.tick().sample(stream.ready)
    ctx.set(stream.valid, 0)


async def get(ctx, stream, stall=0.0):
    """Take one payload, after idling with probability ``stall`` per cycle."""
    while CHANCE.random() < stall:
        await ctx.tick()
    ctx.set(stream.ready, 1)
    valid = 0
    while not valid:
        *_, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
    ctx.set(stream.ready, 0)
    return payload


def simulate(dut, *testbenches, timeout=100_000, vcd=None):
    """Run ``testbenches`` to completion; fail if that takes more than ``timeout`` cycles."""

    if engines:
        engines[-1].run(*testbenches, timeout=timeout)
        return

    async def watchdog(ctx):
        await ctx.delay(timeout * CLK_PERIOD)
        raise TimeoutError(f"simulation still running after {timeout} cycles")

    sim = Simulator(dut)
    sim.add_clock(CLK_PERIOD)
    for testbench in testbenches:
        sim.add_testbench(testbench)
    sim.add_testbench(watchdog, background=True)
    if vcd is None:
        sim.run()
    else:
        with sim.write_vcd(vcd):
            sim.run()
