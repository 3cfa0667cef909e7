# amaranth: UnusedElaboratable=no
"""Memories, queues, bus and counters."""

import random
from collections import deque

import pytest
from amaranth.hdl import Value
from amaranth.lib import data

from tests.bench import simulate
from tests.streams import STALLS, through
from triodia_hw.contract import MachineParams
from triodia_hw.gateware.bus import Bus
from triodia_hw.gateware.counters import COUNTERS, Counters
from triodia_hw.gateware.options import Options
from triodia_hw.gateware.queue import Buffer, Queue
from triodia_hw.gateware.ram import Ram

WORD = data.StructLayout({"low": 5, "high": 3})


@pytest.mark.parametrize("poison", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 5, 16])
def test_ram(depth, poison):
    """Reads lag by one cycle; a collision gives the inverse of the old word with ``poison``."""
    dut = Ram(WORD, depth=depth, options=Options(poison=poison))
    chance, model, collisions = random.Random(0), [0] * depth, 0

    async def run(ctx):
        nonlocal collisions
        for _ in range(300):
            read, write = chance.randrange(depth), chance.randrange(depth)
            enable, word = chance.random() < 0.5, chance.randrange(256)
            ctx.set(dut.r_addr, read)
            ctx.set(dut.w_addr, write)
            ctx.set(dut.w_en, enable)
            ctx.set(Value.cast(dut.w_data), word)
            await ctx.tick()
            got = ctx.get(Value.cast(dut.r_data))
            if not (enable and read == write):
                assert got == model[read]
            elif poison:
                assert got == model[read] ^ 0xFF
                collisions += 1
            if enable:
                model[write] = word

    simulate(dut, run)
    assert collisions > 5 or not poison


def test_content_ram_is_read_only():
    words = [3, 250, 77]
    dut = Ram(WORD, depth=3, init=words)
    assert not hasattr(dut, "w_en")

    async def run(ctx):
        for address, word in enumerate(words):
            ctx.set(dut.r_addr, address)
            await ctx.tick()
            assert ctx.get(Value.cast(dut.r_data)) == word
            assert ctx.get(dut.r_data.high) == word >> 5

    simulate(dut, run)


def payloads(count, seed=0):
    chance = random.Random(seed)
    return [chance.randrange(256) for _ in range(count)]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    "make", [lambda: Buffer(8), *(lambda d=d: Queue(8, depth=d) for d in (2, 16))]
)
def test_order(make, stall):
    words = payloads(200)
    log = through(make(), words, stall=stall)
    assert log.words == words


@pytest.mark.parametrize(
    ("make", "latency"), [(lambda: Buffer(8), 1), (lambda: Queue(WORD, depth=4), 2)]
)
def test_latency_and_throughput(make, latency):
    log = through(make(), payloads(50))
    assert log.sent[0] == list(range(50))
    assert log.cycles == [cycle + latency for cycle in range(50)]


@pytest.mark.parametrize(("make", "places"), [(lambda: Buffer(8), 2), (lambda: Queue(8), 17)])
def test_full(make, places):
    """Holds exactly as many as it says while nobody takes, and gives all of them back."""
    dut, words = make(), payloads(40)

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


def test_bus():
    """Tokens reach all PEs in order; after ``room`` goes low at most 3 more come."""
    p = MachineParams(inputs=60, neurons=4, lanes=3)
    dut, chance = Bus(p), random.Random(5)

    async def run(ctx):
        sent, got, events, stalls, offered, late = [], [], 0, 0, None, 0
        for cycle in range(600):
            offered = offered or (chance.randrange(60) if chance.random() < 0.8 else None)
            room = chance.choice([7, 7, 7, chance.randrange(8)])
            ctx.set(dut.room, room)
            ctx.set(dut.i.valid, offered is not None)
            end = offered is not None and offered % 5 == 0
            ctx.set(dut.i.payload, {"source": offered or 0, "end": end, "payload": -3})
            _, _, ready, valid, token, event, stall = await ctx.tick().sample(
                dut.i.ready, dut.valid, dut.token, dut.event, dut.stall
            )
            late = late + valid if room != 7 else 0
            assert late <= 3, cycle
            assert event == (valid and not token.end)
            assert stall == (offered is not None and not ready)
            got += [(cycle, token.source, token.end)] if valid else []
            events, stalls = events + event, stalls + stall
            if offered is not None and ready:
                sent.append((cycle + 1, offered, end))  # latency 1 cycle
                offered = None
        assert got == [word for word in sent if word[0] < 600]
        assert len(got) > 200
        assert events > 100 < stalls

    simulate(dut, run)


def test_bus_throughput():
    dut = Bus(MachineParams(inputs=60, neurons=4, lanes=2))

    async def run(ctx):
        ctx.set(dut.room, 3)
        await ctx.tick()
        ctx.set(dut.i.valid, 1)
        for source in range(50):
            ctx.set(dut.i.p.source, source)
            await ctx.tick()
            assert ctx.get(dut.valid)
            assert ctx.get(dut.token.source) == source

    simulate(dut, run)


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
