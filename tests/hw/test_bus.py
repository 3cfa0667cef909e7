# amaranth: UnusedElaboratable=no
"""The bus: inputs and returned spikes to all PEs, step by step."""

import random

import pytest

from tests.support.bench import simulate
from triodia_hw.gateware.bus import Bus
from triodia_hw.machine.params import MachineParams

BUS = MachineParams(inputs=60, neurons=4, lanes=3)


def bus_words(steps, seed):
    """Tokens of each input of the bus, their numbers in ``payload``; each step ends with an end."""
    chance, sides, number = random.Random(seed), [[], []], 0
    for step in range(steps):
        for side, words in enumerate(sides):
            for _ in range(chance.choice([0, 0, 1, 5, 20])):
                number = (number + 1) % 128
                words.append({"source": 10 * side, "payload": number, "end": 0})
            words.append({"source": 10 * side, "payload": step % 128, "end": 1})
    return sides


class BusBench:
    """Offer tokens on both sides; note what was taken and what came out, cycle by cycle."""

    def __init__(self, sides, *, idle=0.0, room=None):
        self.dut, self.left = Bus(BUS), [list(words) for words in sides]
        self.idle, self.room, self.chance = idle, room or (lambda _: 7), random.Random(5)
        self.taken, self.got, self.offered = [], [], [False, False]
        self.cycle = self.events = self.stalls = self.late = self.latest = 0

    async def tick(self, ctx):
        dut, sides = self.dut, (self.dut.inputs, self.dut.returns)
        room = self.room(self.cycle)
        for k, lane in enumerate(dut.lanes):
            ctx.set(lane.room, room >> k & 1)
        for side, stream in enumerate(sides):
            more = bool(self.left[side]) and self.chance.random() >= self.idle
            self.offered[side] = self.offered[side] or more
            ctx.set(stream.valid, self.offered[side])
            ctx.set(stream.payload, self.left[side][0] if self.offered[side] else {})
        lane = dut.lanes[0]
        _, _, *ready, valid, token, event, stall = await ctx.tick().sample(
            *(stream.ready for stream in sides), lane.valid, lane.payload, dut.event, dut.stall
        )
        self.late = self.late + valid if room != 7 else 0
        self.latest = max(self.latest, self.late)
        assert event == (valid and not token.end)
        self.got += [(self.cycle, token)] if valid else []
        self.events, self.stalls = self.events + event, self.stalls + stall
        moved = [side for side in (0, 1) if ready[side] and self.offered[side]]
        for side in moved:
            self.taken.append((self.cycle, side, self.left[side].pop(0)))
            self.offered[side] = False
        self.check_stall(stall, moved)
        self.cycle += 1

    def check_stall(self, stall, moved):
        """A stall means that a token could go if there were room."""
        heads = [self.left[side][0]["end"] if self.offered[side] else None for side in (0, 1)]
        waits = not moved and (0 in heads or heads == [1, 1])
        assert stall == waits, self.cycle

    def run(self, cycles):
        async def testbench(ctx):
            for _ in range(cycles):
                await self.tick(ctx)

        simulate(self.dut, testbench)
        return self


@pytest.mark.parametrize("idle", [0, 0.5, 0.9])
def test_bus(idle):
    """Nothing lost or across an end, latency 1; after ``room`` goes low at most 2 more come."""
    chance, sides = random.Random(7), bus_words(30, seed=2)
    rooms = [chance.choice([7, 7, 7, chance.randrange(8)]) for _ in range(6000)]
    bench = BusBench(sides, idle=idle, room=lambda cycle: rooms[cycle]).run(6000)
    assert bench.left == [[], []]
    items = [[], []]
    steps = []
    for _, token in bench.got:
        if token.end:
            assert (token.source, token.payload) == (0, len(steps))  # that of ``inputs``
            steps.append(items)
            items = [[], []]
        else:
            items[token.source // 10].append(token.payload)
    assert items == [[], []]
    assert len(steps) == 30
    for side, words in enumerate(sides):
        want = [[]]
        for word in words:
            if word["end"]:
                want.append([])
            else:
                want[-1].append(word["payload"])
        assert [step[side] for step in steps] == want[:-1]
    sent = sorted({(cycle, word["end"]) for cycle, _, word in bench.taken})
    assert [(cycle - 1, token.end) for cycle, token in bench.got] == sent
    assert bench.events == sum(map(len, sides)) - 60
    assert bench.stalls > 50 or idle
    assert bench.latest == 2 or (idle > 0.5 and bench.latest < 2)


def test_bus_throughput_and_order():
    """One token per cycle, ends included; spikes go first."""
    sides = bus_words(12, seed=3)
    bench = BusBench(sides).run(1000)
    cycles = [cycle for cycle, _ in bench.got]
    assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))
    order = [2 * token.end or 1 - token.source // 10 for _, token in bench.got]
    for step in "".join(map(str, order)).split("2"):
        assert list(step) == sorted(step)
