# amaranth: UnusedElaboratable=no
from dataclasses import replace

import numpy as np
import pytest

from tests.support.bench import simulate
from tests.support.networks import random_image
from triodia_hw.compile.contents import contents
from triodia_hw.compile.options import Options
from triodia_hw.gateware.lane import Lane
from triodia_hw.gateware.units import Units

NEURONS = 24


@pytest.fixture
def lane():
    """A PE whose neurons all fire in every step, and its image."""
    image = random_image(
        2, lanes=1, neurons=NEURONS, readouts=0, inputs=30, bias_bits=24, state_bits=24
    )
    ones = np.ones(NEURONS, np.int64)
    image = replace(image, neurons=replace(image.neurons, bias=ones * 4_000_000, threshold=ones))
    words = contents(image)[0]
    return Lane(image.params, contents=words, units=Units(Options(poison=True))), image


async def start(ctx, dut):
    """Let the first sweep pass."""
    ctx.set(dut.o.ready, 1)
    end = 0
    while not end:
        *_, valid, end = await ctx.tick().sample(dut.o.valid, dut.o.p.end)
        end = valid and end


def test_latency(lane):
    """From the end token to the first record, and to the ``end`` one per slot later."""
    dut, _ = lane
    seen = []

    async def run(ctx):
        await start(ctx, dut)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, {"end": 1})
        for cycle in range(100):
            *_, valid, end = await ctx.tick().sample(dut.o.valid, dut.o.p.end)
            ctx.set(dut.i.valid, 0)
            seen.extend([(cycle, end)] if valid else [])

    simulate(dut, run)
    assert [cycle for cycle, _ in seen] == list(range(25, 25 + NEURONS + 1))
    assert [end for _, end in seen] == [0] * NEURONS + [1]


def test_one_operation_per_cycle(lane):
    """While events wait, a PE takes exactly one cycle per synapse."""
    dut, image = lane
    done, sources = [], range(image.params.inputs)

    async def run(ctx):
        await start(ctx, dut)
        waiting, cycle, late = list(sources), 0, 0
        while late < 60:
            room = ctx.get(dut.i.room) and waiting
            ctx.set(dut.i.valid, bool(room))
            if room:
                ctx.set(dut.i.payload, {"source": waiting.pop(0), "payload": 3})
            *_, operation = await ctx.tick().sample(dut.operation)
            done.extend([cycle] if operation else [])
            cycle += 1
            late = 0 if waiting or operation else late + 1

    simulate(dut, run)
    synapses = int(image.row_start[image.params.inputs])
    assert synapses > 200
    assert done == list(range(done[0], done[0] + synapses))


def test_room_is_for_two(lane):
    """Two tokens sent blindly after any cycle with ``room`` both arrive."""
    dut, image = lane

    async def run(ctx):
        await start(ctx, dut)
        sent = cycle = operations = 0
        blind = 0
        while cycle < 3000:
            if ctx.get(dut.i.room) and not blind and sent < 300:
                blind = 3
            ctx.set(dut.i.valid, blind > 0)
            ctx.set(dut.i.payload, {"source": sent % image.params.inputs, "payload": 1})
            sent += blind > 0
            blind -= blind > 0
            *_, operation = await ctx.tick().sample(dut.operation)
            operations += operation
            cycle += 1
        assert sent == 300
        assert operations == 10 * image.row_start[image.params.inputs]

    simulate(dut, run)
