# amaranth: UnusedElaboratable=no
"""Counters as words of the output stream."""

import random

import pytest
from amaranth.hdl import Cat

from tests.support.bench import simulate
from triodia_hw.gateware.report import Report
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import COUNTERS, OUTPUT_KINDS

WORDS = 2 * len(COUNTERS)
MACHINES = {
    "narrow": MachineParams(inputs=1, neurons=1, lanes=1, state_bits=4),
    "wide": MachineParams(inputs=900, neurons=300, lanes=2, state_bits=24),
}


def packed(counts):
    return sum(count << 32 * k for k, count in enumerate(counts))


@pytest.mark.parametrize("stall", [0, 0.7])
@pytest.mark.parametrize("name", MACHINES)
def test_report(name, stall):
    """Every word shows the moment of the request while counters run on; two reports in a row."""
    dut, chance, got, asked = Report(MACHINES[name]), random.Random(2), [], []

    async def run(ctx):
        held = None
        for _ in range(600):
            counts = [chance.choice([0, 0xFFFF, 0x10000, chance.getrandbits(32)]) for _ in COUNTERS]
            start = not ctx.get(dut.busy) and len(asked) < 8 and chance.random() < 0.2
            ctx.set(dut.start, start)
            ctx.set(dut.counts, packed(counts))
            if asked and asked[-1] is None:  # the cycle behind the question
                asked[-1] = counts
            asked.extend([None] if start else [])
            take = chance.random() >= stall
            ctx.set(dut.o.ready, take)
            o = dut.o
            _, _, valid, *word = await ctx.tick().sample(
                o.valid, o.p.kind, o.p.last, o.p.source, Cat(o.p.value)[:16], o.p.value
            )
            assert held is None or (valid and word == held)
            held = word if valid and not take else None
            got.extend([word] if valid and take else [])
        assert not ctx.get(dut.busy)

    simulate(dut, run)
    assert len(asked) == 8
    assert len(got) == 8 * WORDS
    for number, counts in enumerate(asked):
        words = got[number * WORDS : (number + 1) * WORDS]
        assert {(kind, last) for kind, last, *_ in words} == {(OUTPUT_KINDS["count"], 0)}
        assert [source for _, _, source, *_ in words] == list(range(WORDS))
        halves = [half for *_, half, _ in words]
        assert halves == [count >> shift & 0xFFFF for count in counts for shift in (0, 16)]
        if name == "wide":  # as unsigned numbers, where the field has room
            assert [value for *_, value in words] == halves


def test_throughput():
    """The report sends a word every second cycle."""
    dut, cycles = Report(MACHINES["wide"]), []

    async def run(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.start, 1)
        for cycle in range(60):
            *_, valid = await ctx.tick().sample(dut.o.valid)
            ctx.set(dut.start, 0)
            cycles.extend([cycle] if valid else [])

    simulate(dut, run)
    assert cycles == list(range(cycles[0], cycles[0] + 2 * WORDS, 2))
