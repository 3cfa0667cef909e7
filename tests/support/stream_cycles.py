"""A bench of the AXI4-Stream wrapper, cycle by cycle: every stall, resets in between."""

import random

from tests.support.bus_words import IMAGE, OUT_BITS, START, finished, in_words, sequences
from tests.support.networks import random_events
from tests.support.wrappers_bench import compare
from triodia_hw.machine.words import (
    COUNTERS,
    INPUT_KINDS,
    OUTPUT_KINDS,
    READ_KINDS,
    input_fields,
    pack,
)
from triodia_sim.scoreboard import Scoreboard

__all__ = ["axi_stream"]


class Streams:
    """Both streams in one loop; the rules of each are checked in every cycle."""

    def __init__(self, dut, ctx, seed):
        self.dut, self.ctx, self.chance = dut, ctx, random.Random(seed)
        self.held, self.offer, self.got = None, None, []

    async def tick(self, send, receive):
        """A cycle; ``send``: a word to offer, or None. Returns whether it was taken."""
        dut, ctx = self.dut, self.ctx
        ctx.set(dut.s_axis_tvalid, send is not None)
        ctx.set(dut.s_axis_tdata, self.chance.getrandbits(16) if send is None else send)
        ctx.set(dut.s_axis_tlast, self.chance.randrange(2))
        ctx.set(dut.s_axis_tkeep, self.chance.randrange(16))
        ctx.set(dut.m_axis_tready, receive)
        *_, taken, valid, data, keep, last = await ctx.tick().sample(
            dut.s_axis_tready,
            dut.m_axis_tvalid,
            dut.m_axis_tdata,
            dut.m_axis_tkeep,
            dut.m_axis_tlast,
        )
        assert self.held is None or (valid and (data, last) == self.held)
        self.held = (data, last) if valid and not receive else None
        if valid:
            assert keep == (1 << len(dut.m_axis_tkeep)) - 1 and data >> OUT_BITS == 0
            assert last == (data & 3 == 2)
            self.got += [data] if receive else []
        self.ready, self.valid = taken, valid
        return send is not None and taken

    async def reset(self, cycles):
        """Nothing moves in reset, and the machine starts when it should."""
        self.held = None
        self.ctx.set(self.dut.aresetn, 0)
        for _ in range(cycles):
            await self.tick(self.chance.choice([None, 5]), self.chance.randrange(2))
            assert not self.ready and not self.valid
        self.ctx.set(self.dut.aresetn, 1)
        for _ in range(START):
            await self.tick(self.chance.choice([None, 5]), self.chance.randrange(2))
            assert not self.ready and not self.valid
        await self.tick(None, 0)
        assert self.ready

    async def steps(self, board, stall):
        """Every word of ``board``'s plan."""
        todo, offered, quiet = in_words(board), False, 0
        self.got = []
        while quiet < 60:
            offered = bool(todo) and (offered or self.chance.random() >= stall)
            took = await self.tick(todo[0] if offered else None, self.chance.random() >= stall)
            if took:
                todo.pop(0)
                offered = False
            while self.got:
                compare(board, IMAGE, self.got.pop(0))
            quiet = quiet + 1 if board.done and not todo else 0
        finished(board)

    async def counters(self):
        """Counters come as two words each, of a kind of their own; none ends a step."""
        fields = {"kind": INPUT_KINDS["read"], "last": 0, "payload": 0}
        word = pack(input_fields(IMAGE.params), fields | {"source": READ_KINDS["counters"]})
        self.got = []
        while not await self.tick(word, 1):
            pass
        for _ in range(60):
            await self.tick(None, 1)
        assert [data & 3 for data in self.got] == 2 * len(COUNTERS) * [OUTPUT_KINDS["count"]]


def axi_stream(dut, simulate):
    async def run(ctx):
        streams = Streams(dut, ctx, 3)
        for k, (cycles, stall) in enumerate(((3, 0.0), (1, 0.5), (2, 0.9), (1, 0.2))):
            await streams.reset(cycles)
            await streams.reset(1)  # the machine is ready when it comes
            await streams.steps(Scoreboard(IMAGE, sequences(k)), stall)
            await streams.counters()
            # Words are offered on both sides when reset comes.
            todo = in_words(Scoreboard(IMAGE, [random_events(IMAGE, 9, 9)]))
            for _ in range(300):
                if await streams.tick(todo[0], 0):
                    todo.pop(0)
            assert streams.valid

    simulate(dut, run, timeout=60_000)
