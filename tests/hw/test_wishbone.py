# amaranth: UnusedElaboratable=no
"""The Wishbone slave, cycle by cycle, with a master that uses everything the bus allows."""

import random

import pytest
from amaranth.sim import Simulator

from tests.support.networks import random_events, random_image
from tests.support.wrappers_bench import compare, words_of
from triodia_hw.compile.contents import contents
from triodia_hw.gateware.wishbone import REGISTERS, WishboneTop, parts
from triodia_hw.machine.words import output_fields, width_of
from triodia_sim.scoreboard import Scoreboard

IMAGE = random_image(3, lanes=1)
STATUS, SHAPE, IRQ_ENABLE, IRQ_PENDING, INPUT, OUTPUT = REGISTERS.values()


class Master:
    """Pipelined: a request a cycle where none is stalled. Checks each ending against the bus."""

    def __init__(self, dut, ctx, seed):
        self.dut, self.ctx, self.chance = dut, ctx, random.Random(seed)
        self.owed = 0

    async def tick(self, request=None):
        """Drive ``request`` (write, address, data, sel) for a cycle; whether taken, and an end."""
        dut, ctx = self.dut, self.ctx
        write, address, data, sel = request or (0, self.chance.randrange(16), 0, 15)
        values = {"cyc": 1, "stb": request is not None, "we": write}
        for name, value in (values | {"adr": address, "dat_i": data, "sel": sel}).items():
            ctx.set(getattr(dut, f"wb_{name}"), value)
        *_, ack, err, stall, shown = await ctx.tick().sample(
            dut.wb_ack, dut.wb_err, dut.wb_stall, dut.wb_dat_o
        )
        assert ack + err == self.owed  # exactly one end a request, a cycle behind it
        taken = request is not None and not stall
        self.owed = int(taken)
        return taken, (("ack", shown) if ack else ("err", None) if err else None)

    async def do(self, requests):
        """All ``requests``, with idle cycles between; their ends."""
        ends, todo = [], list(requests)
        while todo or self.owed:
            idle = not todo or self.chance.random() < 0.2
            taken, end = await self.tick(None if idle else todo[0])
            if taken:
                todo.pop(0)
            ends += [end] if end else []
        assert len(ends) == len(requests)
        return ends


def bench(run):
    dut = WishboneTop(IMAGE.params, contents=contents(IMAGE))

    async def testbench(ctx):
        ctx.set(dut.rst, 1)
        await ctx.tick().repeat(2)
        ctx.set(dut.rst, 0)
        await run(ctx, Master(dut, ctx, 5))

    async def clock(ctx):
        while True:
            ctx.set(dut.clk, 1 - ctx.get(dut.clk))
            await ctx.delay(0.5e-6)

    simulator = Simulator(dut)
    simulator.add_testbench(clock, background=True)
    simulator.add_testbench(testbench)
    simulator.run()


def read(address):
    return (0, address, 0, 15)


def write(address, data, sel=15):
    return (1, address, data, sel)


def test_steps():
    """Words one by one and results compared, among requests that are refused."""
    sequences = [random_events(IMAGE, 5, 1)]
    board = Scoreboard(IMAGE, sequences)

    async def run(ctx, master):
        while not (await master.do([read(STATUS)]))[0][1] & 1:
            pass
        (_, shape), (_, status) = await master.do([read(SHAPE), read(STATUS)])
        size = parts(width_of(output_fields(IMAGE.params)))
        assert (shape & 0xFF, shape >> 8) == (1, size) and status == 1
        for number, (_, _, events, last) in enumerate(board.plan):
            for word in words_of(IMAGE, events, last):
                while (await master.do([write(INPUT, word)]))[0][0] != "ack":
                    pass
            while board.steps <= number:
                ends = await master.do([read(OUTPUT), write(OUTPUT, 1), read(SHAPE), read(12)])
                assert [kind for kind, _ in ends[1:]] == ["err", "ack", "err"]
                if ends[0][0] == "ack":
                    compare(board, IMAGE, ends[0][1])

    bench(run)
    assert board.done and board.mismatches == 0 and board.spikes > 5


def test_reset_by_the_bus():
    """A bus reset holds both status bits low until the machine restarts; no old word is left."""
    seen = []

    async def run(ctx, master):
        while not (await master.do([read(STATUS)]))[0][1] & 1:
            pass
        words = list(words_of(IMAGE, random_events(IMAGE, 1, 1)[0], 0))
        await master.do([write(INPUT, word) for word in words])
        ends = await master.do([write(STATUS, 1), read(STATUS), write(INPUT, 0), read(OUTPUT)])
        assert [kind for kind, _ in ends] == ["ack", "ack", "err", "err"] and ends[1][1] == 0
        for _ in range(60):
            seen.append((await master.do([read(STATUS)]))[0][1])
        await master.do([write(STATUS, 0), write(STATUS, 1, sel=14)])
        assert (await master.do([read(STATUS)]))[0][1] == 1

    bench(run)
    assert 0 in seen and seen[-1] == 1 and 2 not in seen and 3 not in seen


def test_interrupt():
    """Enable bits choose among the status bits; a reset by the pin clears them, by the bus not."""

    async def run(ctx, master):
        dut, do = master.dut, master.do

        async def state():
            """Enable and pending bits, and the interrupt."""
            (_, enabled), (_, pending) = await do([read(IRQ_ENABLE), read(IRQ_PENDING)])
            return enabled, pending, ctx.get(dut.irq)

        while not (await do([read(STATUS)]))[0][1] & 1:
            assert await state() == (0, 0, 0)
        for enabled in (1, 3, 2, 0):
            assert await do([write(IRQ_ENABLE, enabled), write(IRQ_ENABLE, 3 - enabled, sel=14)])
            assert await state() == (enabled, enabled & 1, enabled & 1)  # room, and no word
        assert (await do([write(IRQ_PENDING, 0)]))[0][0] == "err"
        await do([write(IRQ_ENABLE, 2)])
        for word in words_of(IMAGE, random_events(IMAGE, 1, 1)[0], 1):
            assert not ctx.get(dut.irq)
            await do([write(INPUT, word)])
        while not ctx.get(dut.irq):
            await ctx.tick()
        assert await state() == (2, 2, 1)
        while (await do([read(STATUS)]))[0][1] & 2:
            assert (await do([read(OUTPUT)]))[0][0] == "ack"
            await ctx.tick().repeat(20)  # the next word, if there is one
        assert await state() == (2, 0, 0)
        await do([write(IRQ_ENABLE, 3), write(STATUS, 1)])
        assert await state() == (3, 0, 0)  # in reset
        await ctx.tick().repeat(60)
        assert await state() == (3, 1, 1)
        ctx.set(dut.rst, 1)
        await ctx.tick()
        ctx.set(dut.rst, 0)
        await ctx.tick().repeat(60)
        assert await state() == (0, 0, 0)

    bench(run)


def test_wide_words():
    with pytest.raises(ValueError, match=r"^a word must have at most 128 bits, not 129$"):
        parts(129)
