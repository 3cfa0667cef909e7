# amaranth: UnusedElaboratable=no
import random

import pytest

from tests.support.bench import simulate
from triodia_hw.compile.options import Options
from triodia_hw.gateware.accumulator import Accumulator
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams

GRADED = MachineParams(inputs=9, neurons=12, lanes=1, accumulator_bits=22)
SPIKES = MachineParams(inputs=9, neurons=12, lanes=1, accumulator_bits=22, payload_bits=1)
NARROW = MachineParams(inputs=9, neurons=1, lanes=1, payload_bits=3, fraction_bits=1)
SUMS = ("sums_0", "sums_1")
OPTIONS = [Options(poison=True), Options(poison=True, distributed=SUMS), Options()]
NOTHING = {"valid": 0, "end": 0, "last": 0, "read": 0, "what": 0, "some": 0}
SETTLED = 4  # cycles from an end until the sums of its step can be read
READ = 2  # cycles from an address to its sum


class Bench:
    """Feed steps of ``(target, weight, payload)`` or None (a gap), sweep each, record everything.

    An operation of weight 0 is a filler; ``"read"`` is an end that only reads state.
    """

    def __init__(self, p, options, *, clear=True):
        self.dut, self.p, self.clear = Accumulator(p, Units(options)), p, clear
        self.sums, self.lasts, self.operations = [], [], 0
        self.reads = []  # what the ends that only read state asked for
        self.sweeping = None  # slot that is read in this cycle; until then, cycles left

    def run(self, steps):
        async def testbench(ctx):
            for number, step in enumerate(steps):
                for operation in step:
                    await self.cycle(ctx, self.word(operation))
                while self.sweeping is not None:
                    await self.cycle(ctx, NOTHING)
                await self.end(ctx, number % 3 == 2)
            while self.sweeping is not None:
                await self.cycle(ctx, NOTHING)

        simulate(self.dut, testbench)
        return self.sums

    def word(self, operation):
        if operation is None:
            return NOTHING
        if operation[0] == "read":
            return NOTHING | {"end": 1, "read": 1, "what": operation[1]}
        target, weight, payload = operation
        halves = bool(weight & 15) + 2 * bool(weight >> 4)
        synapse = {"target": target, "weight": weight, "some": halves}
        return NOTHING | {"valid": 1, "payload": payload} | synapse

    async def end(self, ctx, last):
        """End a step, after which the next may enter at once; its sweep starts when it may."""
        self.sweeping = -SETTLED
        self.sums.append([])
        await self.cycle(ctx, NOTHING | {"end": 1, "last": last})

    async def cycle(self, ctx, word):
        dut, slot = self.dut, self.sweeping
        reading = slot is not None and slot >= READ  # the sum of a slot is there
        flags = {name: word[name] for name in ("valid", "end", "last", "read", "what")}
        for name, value in flags.items():
            ctx.set(getattr(dut.i, name), value)
        ctx.set(dut.i.payload, {n: v for n, v in word.items() if n not in flags})
        sweep = dut.sweep
        ctx.set(sweep.addr, max(slot or 0, 0) % self.p.slots)
        ctx.set(sweep.clear, reading and self.clear)
        ctx.set(sweep.clear_addr, slot - READ if reading else 0)
        _, _, end, last, read, what, operation, total = await ctx.tick().sample(
            sweep.end, sweep.last, sweep.read, sweep.what, dut.operation, sweep.sum
        )
        self.operations += operation
        assert end == word["end"]
        if end and read:
            self.reads.append(what)
        elif end:
            self.lasts.append(last)
        if reading:
            self.sums[-1].append(total)
        if slot is not None:
            self.sweeping = slot + 1 if slot + 1 < self.p.slots + READ else None


def expected(p, steps):
    for step in steps:
        sums = [0] * p.slots
        for target, weight, payload in (one for one in step if one and one[0] != "read"):
            sums[target] += weight * (payload if p.graded else 1)
        yield sums


def operations(p, count, seed, targets, gaps=0.0):
    chance = random.Random(seed)
    limit = p.greatest_payload
    return [
        None
        if chance.random() < gaps
        else (
            chance.randrange(targets),
            chance.randrange(-128, 128),
            chance.randrange(-limit, limit) if p.graded else 0,
        )
        for _ in range(count)
    ]


def check(p, steps, options):
    bench = Bench(p, options)
    assert bench.run(steps) == list(expected(p, steps))
    words = [one for step in steps for one in step if one]
    assert bench.operations == sum(1 for one in words if one[0] != "read" and one[1])
    assert bench.lasts == [number % 3 == 2 for number in range(len(steps))]
    assert bench.reads == [what for kind, what, *_ in words if kind == "read"]
    return bench


@pytest.mark.parametrize("options", OPTIONS, ids=["poison", "distributed", "plain"])
@pytest.mark.parametrize("p", [GRADED, SPIKES], ids=["graded", "spikes"])
@pytest.mark.parametrize("gaps", [0, 0.4])
def test_random(p, options, gaps):
    steps = [operations(p, 60, seed, 1 + seed % p.slots, gaps) for seed in range(14)]
    check(p, steps, options)


@pytest.mark.parametrize("between", ["others", "gaps"])
@pytest.mark.parametrize("distance", range(1, 9))
def test_same_target_at_every_distance(distance, between):
    steps = []
    for seed in range(3):
        step = operations(GRADED, 40, seed, 1)  # all into target 0
        for k in range(40):
            if k % distance:
                other = 1 + k % distance
                step[k] = None if between == "gaps" else (other, *step[k][1:])
        steps.append(step)
    check(GRADED, steps, Options(poison=True))


def test_banks_do_not_mix():
    """One target at the end of a step and at the start of the next, at every distance."""
    steps = []
    for seed in range(24):
        step = operations(GRADED, 1 + seed % 4, seed, 1)
        steps.append([None] * (seed % 5) + step)
    check(GRADED, steps, Options(poison=True))


def test_one_slot():
    steps = [operations(NARROW, 30, seed, 1, 0.3) for seed in range(8)]
    check(NARROW, steps, Options(poison=True))


@pytest.mark.parametrize("settled", range(SETTLED))
def test_sums_are_not_there_sooner(settled, monkeypatch):
    """Read a cycle sooner than 4 after ``end``, the last sum is still on its way."""
    monkeypatch.setattr("tests.hw.test_accumulator.SETTLED", settled)
    steps = [operations(GRADED, 9, seed, 1) for seed in range(4)]
    bench = Bench(GRADED, Options(poison=True))
    assert bench.run(steps) != list(expected(GRADED, steps))


@pytest.mark.parametrize("p", [GRADED, SPIKES], ids=["graded", "spikes"])
def test_fillers_and_reads(p):
    """Fillers add nothing and are no operations; an end that reads leaves the banks."""
    chance, steps = random.Random(1), []
    for seed in range(12):
        step = operations(p, 50, seed, 3, 0.2)
        for k in range(50):
            if step[k] and chance.random() < 0.3:
                step[k] = (step[k][0], 0, step[k][2])
            elif chance.random() < 0.2:
                step[k] = ("read", chance.randrange(4))
        steps.append(step)
    bench = check(p, steps, Options(poison=True))
    assert len(bench.reads) > 40


def test_greatest_sums():
    """The width is used to its last bit, in both directions."""
    p = MachineParams(inputs=2, neurons=2, lanes=1, accumulator_bits=16)
    steps = [[(0, -128, -128), (0, -128, -127), (1, -128, 127), (1, -128, 127), (1, -128, 2)]]
    assert check(p, steps, Options()).sums == [[32640, -32768]]


def test_without_clear_sums_stay():
    """Without the clear, banks keep their sums: the clear is what empties a bank."""
    bench = Bench(GRADED, Options(), clear=False)
    steps = [[(3, 1, 10)], [(3, 1, 5)], [(3, 1, 100)], []]
    assert [sums[3] for sums in bench.run(steps)] == [10, 5, 110, 5]


def test_clear_all_clears_both_banks():
    bench = Bench(GRADED, Options(poison=True), clear=False)
    bench.run([])
    dut, seen = bench.dut, []

    async def run(ctx):
        for step in ([(k, 7, 7) for k in range(12)], [(k, 5, 5) for k in range(12)]):
            for operation in step:
                await bench.cycle(ctx, bench.word(operation))
            await bench.end(ctx, 0)
            while bench.sweeping is not None:
                await bench.cycle(ctx, NOTHING)
        seen.extend(bench.sums)
        ctx.set(dut.sweep.clear_all, 1)
        for slot in range(12):
            ctx.set(dut.sweep.clear, 1)
            ctx.set(dut.sweep.clear_addr, slot)
            await ctx.tick()
        ctx.set(dut.sweep.clear_all, 0)
        for _ in range(2):
            await bench.end(ctx, 0)
            while bench.sweeping is not None:
                await bench.cycle(ctx, NOTHING)

    simulate(dut, run)
    assert seen == [[49] * 12, [25] * 12]
    assert bench.sums[2:] == [[0] * 12, [0] * 12]
