# amaranth: UnusedElaboratable=no
import random

import pytest
from amaranth import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tests.bench import simulate
from tests.streams import STALLS, run_streams
from triodia_hw.gateware.merge import Merge, merge_tree

ITEM = data.StructLayout({"end": 1, "way": 4, "number": 12})


class Tree(wiring.Component):
    """``merge_tree`` over ``count`` inputs."""

    def __init__(self, count, ways):
        self.count, self.ways = count, ways
        signature = stream.Signature(ITEM)
        super().__init__({"i": In(signature).array(count), "o": Out(signature)})

    def elaborate(self, platform):
        m = Module()
        inputs = [flipped(self.i[k]) for k in range(self.count)]
        connect(m, merge_tree(m, ITEM, inputs, ways=self.ways), flipped(self.o))
        return m


def bits(**fields):
    return ITEM.const(fields).as_bits()


def steps_of(ways, steps, seed, most=6):
    """For each input its items, step by step, and the words that say so."""
    chance = random.Random(seed)
    items = [
        [
            [bits(way=way, number=16 * step + k) for k in range(chance.randrange(most))]
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


def check(items, words, got):
    """Nothing lost, doubled, out of order or across an end; ends carry the payload of input 0."""
    steps, current = [], []
    for word in got:
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


def run(dut, words, stall=(0, 0)):
    # One end for all inputs instead of one each:
    ends = sum(ITEM.from_bits(word).end for word in words[0])
    expect = sum(map(len, words)) - (len(words) - 1) * ends
    inputs = [(dut.i[way], rows) for way, rows in enumerate(words)]
    return run_streams(dut, inputs, dut.o, expect=expect, stall=stall)


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("ways", [1, 2, 3, 4, 5])
def test_merge(ways, stall):
    items, words = steps_of(ways, 12, seed=ways)
    log = run(Merge(ITEM, ways), words, stall)
    check(items, words, log.words)


@pytest.mark.parametrize("stall", [(0, 0), (0.7, 0), (0, 0.5)])
@pytest.mark.parametrize("ways", [2, 3, 5])
def test_no_item_waits_for_more_than_each_other_once(ways, stall):
    _, words = steps_of(ways, 5, seed=7, most=30)
    log = run(Merge(ITEM, ways), words, stall)
    taken = [
        (cycle, way)
        for way, cycles in enumerate(log.sent)
        for cycle, word in zip(cycles, words[way], strict=True)
        if not ITEM.from_bits(word).end
    ]
    longest = 0
    for way, rows in enumerate(words):
        spans = zip(log.offered[way], log.sent[way], rows, strict=True)
        for first, last, word in spans:
            if not ITEM.from_bits(word).end:
                others = sum(first <= cycle < last and w != way for cycle, w in taken)
                longest = max(longest, others)
    assert longest == ways - 1  # the bound holds, and is met


@pytest.mark.parametrize("ways", [1, 2, 3, 4, 5])
def test_merge_latency_and_throughput(ways):
    _, words = steps_of(ways, 5, seed=3)
    log = run(Merge(ITEM, ways), words)
    assert log.cycles == list(range(1, len(log.got) + 1))


def test_ready_does_not_follow_the_output():
    dut = Merge(ITEM, 2)

    async def run(ctx):
        ctx.set(dut.i[0].valid, 1)
        for taken in (1, 1, 0, 0):  # two places
            for take in (1, 0):
                ctx.set(dut.o.ready, take)
                assert ctx.get(dut.i[0].ready) == taken
            await ctx.tick()

    simulate(dut, run)


@pytest.mark.parametrize("ways", [0, -1])
def test_ways(ways):
    with pytest.raises(ValueError, match=rf"^ways must be at least 1, not {ways}$"):
        Merge(ITEM, ways)


@pytest.mark.parametrize("stall", [(0, 0), (0.4, 0.4)])
@pytest.mark.parametrize(("count", "ways"), [(1, 2), (2, 2), (3, 2), (5, 2), (7, 3), (16, 4)])
def test_tree(count, ways, stall):
    items, words = steps_of(count, 6, seed=count, most=4)
    log = run(Tree(count, ways), words, stall)
    check(items, words, log.words)
