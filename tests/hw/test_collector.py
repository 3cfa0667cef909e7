# amaranth: UnusedElaboratable=no
"""The collector merges the records of all PEs into one stream."""

import itertools
import random

import pytest
from amaranth.hdl import Value
from amaranth.lib import data

from tests.support.bench import simulate
from triodia_hw.gateware.collector import IN_FLIGHT, Collector

ITEM = data.StructLayout({"end": 1, "way": 5, "number": 12})
LATENCY = 4
STALLS = [(0, 0), (0.7, 0), (0, 0.5), (0.4, 0.4)]


def bits(**fields):
    return ITEM.const(fields).as_bits()


def steps_of(ways, steps, seed, most=6):
    """For each input its items, step by step, and the words that say so."""
    chance = random.Random(seed)
    items = [
        [
            [bits(way=way, number=32 * step + k) for k in range(chance.randrange(most))]
            for step in range(steps)
        ]
        for way in range(ways)
    ]
    words = [
        [
            word
            for step, row in enumerate(rows)
            for word in (*row, bits(end=1, way=way, number=step))
        ]
        for way, rows in enumerate(items)
    ]
    return items, words


class Bench:
    """Offer words on every input, take what comes; a word taken that was not offered is an error.

    ``offered`` and ``taken`` are cycles; ``late`` most that came while ``room`` was low.
    """

    def __init__(self, words, stall=(0, 0)):
        self.dut, self.words, self.stall = Collector(ITEM, len(words)), words, stall
        self.offered, self.taken = [[] for _ in words], [[] for _ in words]
        self.got, self.late = [], 0

    def run(self, cycles):
        async def testbench(ctx):
            chance, late = random.Random(1), 0
            for cycle in range(cycles):
                self.offer(ctx, cycle, chance)
                room = chance.random() >= self.stall[1]
                ctx.set(self.dut.o.room, room)
                ready = [i.ready for i in self.dut.i]
                _, _, valid, word, *ready = await ctx.tick().sample(
                    self.dut.o.valid, Value.cast(self.dut.o.payload), *ready
                )
                late = 0 if room else late + valid
                self.late = max(self.late, late)
                self.got += [(cycle, word)] if valid else []
                self.take(cycle, ready)

        simulate(self.dut, testbench)
        return self

    def offer(self, ctx, cycle, chance):
        for way, i in enumerate(self.dut.i):
            at = len(self.taken[way])
            some = at < len(self.words[way])
            if some and len(self.offered[way]) == at and chance.random() >= self.stall[0]:
                self.offered[way].append(cycle)
            waiting = len(self.offered[way]) > at
            ctx.set(i.valid, waiting)
            # What is not offered may be anything.
            ctx.set(Value.cast(i.payload), self.words[way][at] if waiting else (1 << 18) - 1)

    def take(self, cycle, ready):
        for way, taken in enumerate(ready):
            if taken:
                assert len(self.offered[way]) > len(self.taken[way]), "ready without valid"
                self.taken[way].append(cycle)


def check(items, words, got):
    """Nothing lost, doubled, out of order or across an end; ends carry the payload of input 0."""
    steps, current = [], []
    for _, word in got:
        if ITEM.from_bits(word).end:
            steps.append(current)
            assert word == bits(end=1, way=0, number=len(steps) - 1)
            current = []
        else:
            current.append(word)
    assert not current
    assert len(steps) == len(items[0])
    for number, step in enumerate(steps):
        for way, rows in enumerate(items):
            assert [word for word in step if ITEM.from_bits(word).way == way] == rows[number]
        assert len(step) == sum(len(rows[number]) for rows in items)


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("ways", [1, 2, 3, 5, 16, 32])
def test_collector(ways, stall):
    items, words = steps_of(ways, 12, seed=ways, most=4 if ways > 5 else 8)
    bench = Bench(words, stall).run(400 + 60 * ways)
    check(items, words, bench.got)
    assert bench.late <= IN_FLIGHT


def test_as_many_come_late_as_it_says():
    """The bound on records after ``room`` falls is tight to within one."""
    _, words = steps_of(8, 30, seed=5)
    late = [Bench(words, (0, stall)).run(1500).late for stall in (0.3, 0.6, 0.9)]
    assert IN_FLIGHT - 1 <= max(late) <= IN_FLIGHT


@pytest.mark.parametrize("stall", STALLS[:3])
@pytest.mark.parametrize("ways", [2, 3, 8])
def test_no_item_waits_for_more_than_each_other_twice(ways, stall):
    _, words = steps_of(ways, 5, seed=7, most=30)
    bench = Bench(words, stall).run(2000)
    taken = [
        (cycle, way)
        for way, cycles in enumerate(bench.taken)
        for cycle, word in zip(cycles, words[way], strict=True)
        if not ITEM.from_bits(word).end
    ]
    longest = 0
    for way, rows in enumerate(words):
        for first, last, word in zip(bench.offered[way], bench.taken[way], rows, strict=True):
            if not ITEM.from_bits(word).end:
                others = sum(first <= cycle < last and w != way for cycle, w in taken)
                longest = max(longest, others)
    assert ways - 1 <= longest <= 2 * ways


def test_latency_and_throughput():
    """4 cycles; an item in each cycle if three inputs have items, every third if one has."""
    one = [bits(number=k) for k in range(20)]
    alone = Bench([one]).run(100)
    cycles = [cycle for cycle, _ in alone.got]
    assert cycles[0] == alone.offered[0][0] + LATENCY
    assert [b - a for a, b in itertools.pairwise(cycles)] == [3] * 19
    for ways in (3, 4, 16):
        bench = Bench([one] * ways).run(600)
        cycles = [cycle for cycle, _ in bench.got]
        assert cycles == list(range(cycles[0], cycles[0] + 20 * ways))


@pytest.mark.parametrize("ways", [0, -1])
def test_ways(ways):
    with pytest.raises(ValueError, match=rf"^ways must be at least 1, not {ways}$"):
        Collector(ITEM, ways)
