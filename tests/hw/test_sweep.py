# amaranth: UnusedElaboratable=no
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.support.bench import simulate
from tests.support.networks import random_image
from triodia_hw.compile.contents import accumulator_width, contents
from triodia_hw.compile.options import Options
from triodia_hw.gateware.sweep import Sweep
from triodia_hw.gateware.units import Units
from triodia_hw.machine.neuron import NEURON, State
from triodia_hw.machine.words import READ_KINDS, readable

CASES = [
    {"neurons": 20},
    {"neurons": 1, "readouts": 0},
    {"neurons": 2, "readouts": 1, "payload_bits": 1},
    {"neurons": 33, "synaptic": True, "refractory_bits": 2, "reset": "value", "bias_bits": 8},
    {"neurons": 21, "adaptive": True, "refractory_bits": 2},
]


class Bench:
    """A sweep with a stand-in for the accumulator, and the contract beside it."""

    def __init__(self, image, options, ready):
        self.image, self.ready = image, ready
        p = self.p = image.params
        self.order = np.argsort(image.slot)  # neuron of each slot
        words = contents(image)[0]["neurons"]
        self.dut = Sweep(p, init=words, units=Units(options))
        self.state = State.zero(p.neurons)
        self.sums = np.full(p.slots, 3)  # as the memory may be before the first sweep
        self.records, self.cycle, self.addresses = [], 0, [0, 0]
        self.clears = []  # (cycle, slot)
        self.starts = []

    async def tick(self, ctx, start=0, **flags):
        dut, cycle = self.dut, self.cycle
        sums = dut.sums
        ctx.set(dut.base, self.p.inputs)
        ctx.set(sums.end, start)
        for name in ("last", "read", "what"):
            ctx.set(getattr(sums, name), flags.get(name, cycle & 1))  # with a start only
        address = self.addresses[-2]  # of two cycles ago
        ctx.set(sums.sum, int(self.sums[address]) if address < self.p.slots else 0)
        take = self.ready(cycle)
        ctx.set(dut.o.ready, take)
        (
            _,
            _,
            address,
            valid,
            word,
            clear,
            slot,
            self.clear_all,
            self.up,
        ) = await ctx.tick().sample(
            sums.addr,
            dut.o.valid,
            dut.o.p,
            sums.clear,
            sums.clear_addr,
            sums.clear_all,
            dut.ready,
        )
        self.addresses.append(address)
        if clear:
            self.clears.append((cycle, slot))
        if take and valid:
            self.records.append((cycle, word))
        self.cycle += 1

    async def begin(self, ctx):
        """The first sweep after reset: clears everything, emits its end alone."""
        assert not ctx.get(self.dut.ready)
        every = True
        while not self.records:
            await self.tick(ctx)
            every &= bool(self.clear_all) or not self.clears or len(self.clears) == self.p.slots
        assert every and self.up
        assert [slot for _, slot in self.clears] == list(range(self.p.slots))
        assert self.records.pop()[1].end

    async def step(self, ctx, sums, last):
        """Sweep once; compare the records with the contract."""
        self.sums, p = sums, self.p
        self.records, self.clears = [], []
        self.starts.append(self.cycle)
        await self.tick(ctx, start=1, last=last, read=0)
        while not (self.records and self.records[-1][1].end):
            assert not self.clear_all
            await self.tick(ctx)
        a = np.zeros(p.neurons, np.int64)
        a[self.order] = sums << (0 if p.graded else p.fraction_bits)
        self.state, spike = NEURON.step(p, self.image.neurons, self.state, a)
        want = []
        for slot, i in enumerate(self.order.tolist()):
            if self.image.neurons.readout[i]:
                want.append((p.inputs + slot, 1, int(self.state.v[i])))
            elif spike[i]:
                want.append((p.inputs + slot, 0, None))
        got = [(w.source, w.readout, w.value if w.readout else None) for _, w in self.records[:-1]]
        assert got == want
        assert self.records[-1][1].last == last
        assert [slot for _, slot in self.clears] == list(range(p.slots))
        assert all(w.value == 0 for _, w in self.records if w.end or not w.readout)
        if last:
            self.state = State.zero(p.neurons)
        return spike

    async def show(self, ctx, what):
        """Read a word of the state: every slot's, and nothing is cleared."""
        self.records, self.clears, p = [], [], self.p
        await self.tick(ctx, start=1, last=0, read=1, what=READ_KINDS[what])
        while not (self.records and self.records[-1][1].end):
            await self.tick(ctx)
        values = getattr(self.state, what)[self.order].tolist()
        got = [(w.source, w.readout, w.last, w.value) for _, w in self.records[:-1]]
        assert got == [(p.inputs + slot, 1, 0, value) for slot, value in enumerate(values)]
        assert self.records[-1][1].last == 0
        assert not self.clears


def sums_of(p, rng):
    limit = 1 << (accumulator_width(p) - 1)
    wide = rng.integers(-limit, limit, p.slots)
    return np.where(rng.random(p.slots) < 0.5, wide, rng.integers(-9, 10, p.slots))


STALLS = {
    "none": lambda cycle: True,
    "random": lambda cycle: random.Random(cycle).random() < 0.4,
    "bursts": lambda cycle: cycle % 97 > 80,  # long enough for all places to fill up
    "trickle": lambda cycle: cycle % 23 == 0,
}


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_contract(case, stall):
    image = random_image(2, lanes=1, **case)
    bench = Bench(image, Options(poison=True), STALLS[stall])
    rng, spikes = np.random.default_rng(4), 0

    async def run(ctx):
        nonlocal spikes
        await bench.begin(ctx)
        for step in range(12):
            for what in readable(image.params) if step % 3 == 2 else "":
                await bench.show(ctx, what)
                for _ in range(12):
                    await bench.tick(ctx)
            for _ in range(12):  # the least there is between an end and the next start
                await bench.tick(ctx)
            spike = await bench.step(ctx, sums_of(image.params, rng), last=int(step % 5 == 4))
            spikes += spike.sum()

    simulate(bench.dut, run)
    assert spikes >= 3


def busy_image(neurons=40):
    """Every neuron fires in every step."""
    image = random_image(2, lanes=1, neurons=neurons, readouts=0, bias_bits=8)
    ones = np.ones(neurons, np.int64)
    return replace(image, neurons=replace(image.neurons, bias=ones * 9, threshold=ones))


def test_throughput_and_latency():
    """slots + 1 cycles for slots neurons and the end; 13 from a neuron's address to its spike."""
    image = busy_image()
    bench = Bench(image, Options(), STALLS["none"])

    async def run(ctx):
        await bench.begin(ctx)
        await bench.step(ctx, np.zeros(40, int), last=0)

    simulate(bench.dut, run)
    cycles = [cycle for cycle, _ in bench.records]
    assert cycles == list(range(cycles[0], cycles[0] + 41))
    read = [cycle for cycle, _ in bench.clears]  # a sum is cleared when it has been read
    assert read == list(range(bench.starts[0] + 6, bench.starts[0] + 46))
    assert cycles[0] - (bench.starts[0] + 1) == 13


def test_places_run_out_and_come_back():
    """With the output held, 17 neurons start, one per place; all records arrive later."""
    bench = Bench(busy_image(), Options(poison=True), lambda cycle: not 150 < cycle < 400)

    async def run(ctx):
        await bench.begin(ctx)
        while bench.cycle < 160:
            await bench.tick(ctx)
        await bench.step(ctx, np.zeros(40, int), last=0)
        assert sum(cycle < 400 for cycle, _ in bench.clears) == 17
        assert len(bench.records) == 41

    simulate(bench.dut, run)


def test_last_step_clears_the_state():
    """With zero sums and no bias, only left-over state could make a neuron fire."""
    image = random_image(2, lanes=1, neurons=8, readouts=8)
    n = image.neurons
    image = replace(image, neurons=replace(n, beta=np.full(8, 1024)))
    bench = Bench(image, Options(poison=True), STALLS["none"])
    values = []

    async def run(ctx):
        await bench.begin(ctx)
        for sums, last in ((50, 0), (0, 1), (0, 0)):
            await bench.step(ctx, np.full(8, sums), last=last)
            values.append([word.value for _, word in bench.records[:-1]])

    simulate(bench.dut, run)
    assert values == [[50] * 8, [50] * 8, [0] * 8]
