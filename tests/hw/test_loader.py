# amaranth: UnusedElaboratable=no
"""The loader: from bytes to writes."""

import random
import struct

import pytest

from tests.support.bench import simulate
from triodia_hw.compile.contents import memory_shapes
from triodia_hw.gateware.loader import Loader
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import MEMORY_NUMBERS

MACHINES = {
    # Bytes of a pointer, a synapse, a neuron: 3, 2, 4; 5, 3, 8; 2, 1, 4.
    "plain": MachineParams(inputs=100, neurons=300, lanes=3, synapse_words=4000),
    "wide": MachineParams(
        inputs=9,
        neurons=90,
        lanes=2,
        weight_bits=16,
        rows_per_pointer=4,
        reset="value",
        bias_bits=12,
    ),
    "narrow": MachineParams(
        inputs=1, neurons=2, lanes=2, weight_bits=4, state_bits=12, synapse_words=9
    ),
}


def sizes(p):
    """By memory number: bits and bytes of a word."""
    shapes = {s.name: s.width for s in memory_shapes(p) if s.content}
    return {n: (shapes[name], -(-shapes[name] // 8)) for name, n in MEMORY_NUMBERS.items()}


def random_blocks(p, count, seed):
    """``(lane, memory, address, words)``; each memory follows each other one in every lane."""
    chance, blocks = random.Random(seed), []
    for number in range(count):
        memory = chance.randrange(3)
        width, _ = sizes(p)[memory]
        lane = chance.randrange(p.lanes) if number % 4 else chance.randrange(32)
        words = [chance.getrandbits(width) for _ in range(chance.choice([1, 1, 2, 5]))]
        blocks.append((lane, memory, chance.choice([0, 127, 128, 250]), words))
    return blocks


def bytes_of(p, blocks):
    data = b""
    for lane, memory, address, words in blocks:
        data += struct.pack("<BBHH", lane, memory, address, len(words))
        data += b"".join(word.to_bytes(sizes(p)[memory][1], "little") for word in words)
    return data


def writes_of(blocks):
    return [
        (lane, memory, address + k, word)
        for lane, memory, address, words in blocks
        for k, word in enumerate(words)
    ]


class Bench:
    """Feed bytes, ``last`` at some; note the writes, and the cycles in which it holds."""

    def __init__(self, p, idle=0.0):
        self.p, self.dut, self.idle = p, Loader(p), idle
        self.writes, self.holds, self.sent, self.written = [], [], [], []
        self.chance = random.Random(5)

    async def tick(self, ctx, byte=None, last=0):
        dut, cycle = self.dut, len(self.holds)
        ctx.set(dut.i.valid, byte is not None)
        ctx.set(dut.i.payload, {"byte": byte or 0, "last": last})
        if byte is not None:
            self.sent.append(cycle)
        o = dut.o
        _, _, hold, lane, which, address, data = await ctx.tick().sample(
            dut.hold, o.lane, o.memory, o.address, o.data
        )
        self.holds.append(hold)
        if which:
            memory = {1: 0, 2: 1, 4: 2}[which]
            width, size = sizes(self.p)[memory]
            word = data >> (len(o.data) - 8 * size)
            self.writes.append((lane, memory, address, word & ((1 << width) - 1)))
            self.written.append(cycle)

    async def send(self, ctx, data, last=True):
        for k, byte in enumerate(data):
            while self.chance.random() < self.idle:
                await self.tick(ctx)
            await self.tick(ctx, byte, last and k == len(data) - 1)

    def run(self, testbench):
        simulate(self.dut, testbench)


@pytest.mark.parametrize("idle", [0, 0.6])
@pytest.mark.parametrize("name", MACHINES)
def test_blocks(name, idle):
    p = MACHINES[name]
    blocks, bench = random_blocks(p, 60, seed=1), Bench(p, idle)

    async def run(ctx):
        await bench.send(ctx, bytes_of(p, blocks))
        for _ in range(10):
            await bench.tick(ctx)

    bench.run(run)
    assert bench.writes == writes_of(blocks)


def test_machines_have_words_of_many_sizes():
    assert [[size for _, size in sizes(p).values()] for p in MACHINES.values()] == [
        [3, 2, 4],
        [5, 3, 8],
        [1, 1, 4],
    ]


def test_hold():
    """``hold`` is high from one cycle after the first byte to four after the last."""
    p = MACHINES["plain"]
    bench = Bench(p, 0.7)

    async def run(ctx):
        for _ in range(7):
            await bench.tick(ctx)
        await bench.send(ctx, bytes_of(p, random_blocks(p, 5, seed=2)))
        for _ in range(20):
            await bench.tick(ctx)

    bench.run(run)
    held = [cycle for cycle, hold in enumerate(bench.holds) if hold]
    assert held == list(range(bench.sent[0] + 1, bench.sent[-1] + 5))
    assert bench.written[-1] < held[-1]


@pytest.mark.parametrize("cut", range(1, 30))
def test_cut_block(cut):
    """A load that ends early writes its complete words; the next load is unaffected."""
    p = MACHINES["plain"]
    first, second = [(1, 2, 7, [5, 6, 7, 8, 9])], random_blocks(p, 6, seed=3)
    data, bench = bytes_of(p, first)[:cut], Bench(p)
    whole = max(0, cut - 6) // 4

    async def run(ctx):
        await bench.send(ctx, data)
        for _ in range(9):
            await bench.tick(ctx)
        await bench.send(ctx, bytes_of(p, second))
        for _ in range(9):
            await bench.tick(ctx)

    bench.run(run)
    assert bench.writes == writes_of(first)[:whole] + writes_of(second)


def test_loads_without_a_pause():
    """The first byte of a load may follow the last one of another."""
    p = MACHINES["wide"]
    loads, bench = [random_blocks(p, 4, seed) for seed in (4, 5)], Bench(p)

    async def run(ctx):
        for blocks in loads:
            await bench.send(ctx, bytes_of(p, blocks))
        for _ in range(9):
            await bench.tick(ctx)

    bench.run(run)
    assert bench.writes == [write for blocks in loads for write in writes_of(blocks)]
    assert all(bench.holds[cycle + 1] for cycle in bench.written)


def test_unknown_memory_is_ignored():
    p = MACHINES["plain"]
    blocks, bench = random_blocks(p, 6, seed=6), Bench(p)
    unknown = struct.pack("<BBHH", 0, 3, 0, 2) + bytes(2)

    async def run(ctx):
        await bench.send(ctx, unknown + bytes_of(p, blocks))
        for _ in range(9):
            await bench.tick(ctx)

    bench.run(run)
    assert bench.writes == writes_of(blocks)
