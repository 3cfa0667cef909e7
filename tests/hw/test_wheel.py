# amaranth: UnusedElaboratable=no
"""The wheel of events by itself: every event again after each delay, whatever waits."""

import random

import pytest

from tests.support.bench import simulate
from triodia_hw.compile.options import Options
from triodia_hw.gateware.units import Units
from triodia_hw.gateware.wheel import Wheel
from triodia_hw.machine.params import MachineParams

MACHINES = [
    MachineParams(inputs=5, neurons=4, lanes=2, delays=(1, 2, 5)),
    MachineParams(inputs=3, neurons=4, lanes=3, delays=(3,), payload_bits=1),
    MachineParams(inputs=1, neurons=1, lanes=1, delays=(2, 4, 6, 63)),
]


class WheelBench:
    """Send events and ends as the bus does; take replays; a plain model says what must come."""

    def __init__(self, p, *, idle=0.0, stall=0.0):
        self.p, self.idle, self.stall = p, idle, stall
        self.dut, self.chance = Wheel(p, Units(Options(poison=True))), random.Random(7)
        self.past, self.now, self.got = [], [], []
        self.cycle, self.waited = 0, []  # cycles from an end to each replay of the next step

    def due(self):
        """(source, payload) of all replays of a step, in order."""
        return [
            (k * self.p.sources + source, payload)
            for k, delay in enumerate(self.p.delays, 1)
            if delay <= len(self.past)
            for source, payload in self.past[delay - 1]
        ]

    async def tick(self, ctx, token=None):
        """One cycle; whether the end of the replays is there."""
        dut = self.dut
        ctx.set(dut.i.valid, token is not None)
        ctx.set(dut.i.payload, token or {})
        end = ctx.get(dut.o.valid) and ctx.get(dut.o.p.end)
        take = not end and self.chance.random() >= self.stall
        ctx.set(dut.o.ready, take)
        _, _, valid, word = await ctx.tick().sample(dut.o.valid, dut.o.payload)
        if valid and take:
            self.got.append((word.source, word.payload))
            self.waited.append(self.cycle)
        self.cycle += 1
        return bool(end)

    async def step(self, ctx, events, *, last=False, reads=0):
        """Send the events of a step, wait for the replays, and end it."""
        for source, payload in events:
            while self.chance.random() < self.idle:
                await self.tick(ctx)
            await self.tick(ctx, {"source": source, "payload": payload})
            if self.chance.random() < reads:
                await self.tick(ctx, {"end": 1, "read": 1})
        while not await self.tick(ctx):
            assert self.cycle < 200_000
        assert self.got == self.due()
        self.dut_end(ctx)
        await ctx.tick()  # the bus takes the end; it leaves a cycle later
        ctx.set(self.dut.o.ready, 0)
        self.got, self.waited, self.cycle = [], [], 0
        await self.tick(ctx, {"end": 1, "last": int(last)})
        self.past = [] if last else [events[: self.p.wheel_events], *self.past][:63]

    def dut_end(self, ctx):
        ctx.set(self.dut.i.valid, 0)
        ctx.set(self.dut.o.ready, 1)


def events_of(p, chance, most):
    """Events of distinct sources, up to ``most``; a spike machine has no payloads."""
    sources = chance.sample(range(p.sources), min(most, p.sources, p.wheel_events))
    return [(s, chance.randint(-64, 63) if p.graded else 0) for s in sources]


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.6, 0), (0, 0.7), (0.3, 0.3)])
@pytest.mark.parametrize("p", MACHINES, ids=lambda p: str(p.delays))
def test_every_event_comes_again_after_each_delay(p, idle, stall):
    """Through full and empty steps, reads, the ends of sequences, and the end of the ring."""
    bench, replayed = WheelBench(p, idle=idle, stall=stall), 0

    async def run(ctx):
        nonlocal replayed
        for step in range(160):
            most = bench.chance.choice([0, 1, 2, p.wheel_events, p.wheel_events])
            events = events_of(p, bench.chance, most)
            replayed += len(bench.due())
            await bench.step(ctx, events, last=step in (7, 20, 21), reads=0.2)

    simulate(bench.dut, run, timeout=200_000)
    assert replayed > 150


def test_more_events_than_sources_change_no_other_step():
    """A channel that sends twice: a list keeps the first events, and the others stay whole."""
    p = MACHINES[0]
    bench = WheelBench(p)

    async def run(ctx):
        for step in range(40):
            events = [(s % 5, step) for s in range(p.wheel_events + 4 * (step % 3))]
            await bench.step(ctx, events)

    simulate(bench.dut, run, timeout=50_000)


def test_latency_and_throughput():
    """10 cycles to the first replay, then one per cycle; an empty list costs 3 cycles."""
    p = MachineParams(inputs=9, neurons=4, lanes=2, delays=(1, 2, 3, 4))
    bench = WheelBench(p)
    full = [(s, s) for s in range(9)]

    async def run(ctx):
        for events in (full, full, [], [], full):
            await bench.step(ctx, events)
            for _ in range(60):
                await bench.tick(ctx)
            came.append([*bench.waited])

    came = []
    simulate(bench.dut, run, timeout=10_000)
    assert came[0] == list(range(10, 19))
    assert came[1] == list(range(10, 28))
    assert came[2] == list(range(13, 31))  # the list of delay 1 is empty
    assert came[3] == list(range(16, 34))
    assert came[4] == [*range(10, 19), *range(22 + 3, 34)]
