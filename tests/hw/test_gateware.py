# amaranth: UnusedElaboratable=no
"""Queues and counters."""

import random
from collections import deque

import pytest
from amaranth.lib import data

from tests.support.bench import simulate
from tests.support.streams import STALLS, through
from triodia_hw.gateware.counters import Counters
from triodia_hw.gateware.queue import Queue
from triodia_hw.machine.words import COUNTERS

WORD = data.StructLayout({"low": 5, "high": 3})


def payloads(count, seed=0):
    chance = random.Random(seed)
    return [chance.randrange(256) for _ in range(count)]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("depth", [2, 16])
def test_order(depth, stall):
    words = payloads(200)
    log = through(Queue(8, depth=depth), words, stall=stall)
    assert log.words == words


@pytest.mark.parametrize("depth", [2, 4, 16])
def test_latency_and_throughput(depth):
    log = through(Queue(WORD, depth=depth), payloads(50))
    assert log.sent[0] == list(range(50))
    assert log.cycles == [cycle + 2 for cycle in range(50)]


@pytest.mark.parametrize(("depth", "places"), [(4, 5), (16, 17)])
def test_full(depth, places):
    """A queue holds exactly its depth while nobody takes, and returns everything."""
    dut, words = Queue(8, depth=depth), payloads(40)

    async def run(ctx):
        ctx.set(dut.i.valid, 1)
        for k in range(places + 5):
            ctx.set(dut.i.payload, words[min(k, places)])
            *_, ready = await ctx.tick().sample(dut.i.ready)
            assert ready == (k < places), k
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 1)
        for k in range(places):
            *_, valid, word = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert (valid, word) == (1, words[k])
        assert not ctx.get(dut.o.valid)

    simulate(dut, run)


@pytest.mark.parametrize(("depth", "spare"), [(2, 0), (4, 3), (16, 0), (16, 4)])
def test_room(depth, spare):
    """``room`` is low while ``spare`` places or fewer are free."""
    dut = Queue(8, depth=depth, spare=spare)

    async def run(ctx):
        for count in range(depth + 2):  # one of them in the output register
            held = max(count - 1, 0)
            assert ctx.get(dut.room) == (depth - held > spare), count
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            await ctx.tick()
            await ctx.tick()

    simulate(dut, run)


def test_room_stops_a_producer_in_time():
    """A producer with ``spare - 1`` payloads in flight never meets a full queue."""
    spare, chance, count = 4, random.Random(3), 300
    dut, words = Queue(8, spare=spare), payloads(300)

    async def run(ctx):
        flight, sent, got, full = deque([None] * (spare - 1)), 0, [], False
        for cycle in range(4000):
            go = ctx.get(dut.room) and sent < count
            flight.append(words[sent] if go else None)
            sent += go
            word = flight.popleft()
            ctx.set(dut.i.valid, word is not None)
            ctx.set(dut.i.payload, word or 0)
            ctx.set(dut.o.ready, (cycle // 60) % 2 and chance.random() < 0.5)
            *_, valid, ready, taken, out = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.i.ready, dut.o.payload
            )
            assert taken or word is None, cycle
            full |= not ctx.get(dut.room)
            got += [out] if valid and ready else []
        assert got == words
        assert full

    simulate(dut, run)


@pytest.mark.parametrize("depth", [-1, 0, 1, 3, 12])
def test_queue_depth(depth):
    with pytest.raises(ValueError, match=rf"^depth must be a power of two from 2, not {depth}$"):
        Queue(8, depth=depth)


@pytest.mark.parametrize("spare", [-1, 8])
def test_queue_spare(spare):
    with pytest.raises(ValueError, match=rf"^spare must be in 0\.\.7, not {spare}$"):
        Queue(8, depth=8, spare=spare)


def test_counters():
    """Each equals the number of its pulses, 3 cycles late at most."""
    dut, chance = Counters(5), random.Random(2)
    pulses = {"events": dut.event, "bus_stalls": dut.bus_stall, "output_stalls": dut.output_stall}

    async def run(ctx):
        history = []
        count = dict.fromkeys(COUNTERS, 0)
        for _ in range(200):
            for name, pulse in pulses.items():
                up = chance.random() < 0.3
                ctx.set(pulse, up)
                count[name] += up
            done = chance.randrange(32)
            ctx.set(dut.operation, done)
            count["operations"] += done.bit_count()
            count["cycles"] += 1
            history.append(dict(count))
            await ctx.tick()
            for name in COUNTERS:
                got = ctx.get(getattr(dut, name))
                assert (history[-3][name] if len(history) > 2 else 0) <= got <= count[name], name
        for signal in (*pulses.values(), dut.operation):
            ctx.set(signal, 0)
        await ctx.tick().repeat(3)
        count["cycles"] += 3
        assert {name: ctx.get(getattr(dut, name)) for name in COUNTERS} == count

    simulate(dut, run)
