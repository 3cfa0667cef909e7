"""A bench of the Wishbone wrapper, cycle by cycle: every register, resets in between."""

import random

from tests.support.bus_words import (
    IMAGE,
    OUT_BITS,
    OUT_PARTS,
    START,
    fill,
    finished,
    in_words,
    sequences,
)
from tests.support.wrappers_bench import compare
from triodia_hw.gateware.wishbone import REGISTERS
from triodia_sim.scoreboard import Scoreboard

__all__ = ["wishbone"]

STATUS, SHAPE, INPUT, OUTPUT, IRQ_ENABLE, IRQ_PENDING = (
    REGISTERS[name] for name in ("STATUS", "SHAPE", "INPUT", "OUTPUT", "IRQ_ENABLE", "IRQ_PENDING")
)
READABLE = (STATUS, SHAPE, IRQ_ENABLE, IRQ_PENDING, *(OUTPUT + k for k in range(OUT_PARTS)))


class WishboneMaster:
    """Pipelined, or classic: a request stays until it ends. Checks each end against the bus."""

    def __init__(self, dut, ctx, seed):
        self.dut, self.ctx, self.chance = dut, ctx, random.Random(seed)
        self.owed, self.age, self.irq = 0, 0, 0  # age: cycles since reset
        self.before = 0, 0  # address of the last cycle, and what was shown

    async def tick(self, request=None, cyc=1, rst=0):
        """Drive ``request`` (write, address, data, sel) for a cycle; whether taken, and an end."""
        dut, ctx = self.dut, self.ctx
        other = self.chance.randrange(2), self.chance.randrange(16), 1, 15
        write, address, data, sel = request or other
        values = {"wb_cyc": cyc, "wb_stb": request is not None, "wb_we": write, "rst": rst}
        values |= {"wb_adr": address, "wb_dat_i": data, "wb_sel": sel}
        for name, value in values.items():
            ctx.set(getattr(dut, name), value)
        *_, ack, err, stall, shown, self.irq = await ctx.tick().sample(
            dut.wb_ack, dut.wb_err, dut.wb_stall, dut.wb_dat_o, dut.irq
        )
        self.age = 0 if rst else self.age + 1
        assert ack + err == (self.owed & cyc)
        assert stall == self.owed
        assert self.before[0] in READABLE or shown == self.before[1]
        self.before = address, shown
        taken = request is not None and not stall and cyc and not rst
        self.owed = int(taken)
        return taken, (("ack", shown) if ack else ("err", None) if err else None)

    async def do(self, *requests, classic=False):
        """All ``requests``, with idle cycles between; their ends."""
        ends, todo = [], list(requests)
        while todo or self.owed:
            idle = not todo or (self.chance.random() < 0.2 and not (classic and self.owed))
            taken, end = await self.tick(None if idle else todo[0])
            if taken and not classic:
                todo.pop(0)
            if end:
                ends.append(end)
                if classic:
                    todo.pop(0)
        assert len(ends) == len(requests)
        return ends

    async def read(self, address):
        return (await self.do((0, address, 0, self.chance.randrange(16))))[0]

    async def write(self, address, data, sel=15):
        return (await self.do((1, address, data, sel)))[0][0] == "ack"

    async def interrupt(self):
        """The interrupt in the next cycle, and why."""
        await self.tick()
        return self.irq, (await self.read(IRQ_PENDING))[1]


async def wishbone_registers(bus):
    """What is refused does nothing, and what the others show is right."""
    assert await bus.read(IRQ_ENABLE) == ("ack", 0) and await bus.interrupt() == (0, 0)
    for value in (2, 3, 1, 0):
        assert await bus.write(IRQ_ENABLE, value | 0x55555500)
        assert not await bus.write(IRQ_ENABLE, 3 - value, 15 ^ 1 << value)
        assert await bus.read(IRQ_ENABLE) == ("ack", value)
        assert await bus.interrupt() == (value & 1, value & 1)
    for address in range(16):
        kind, shown = await bus.read(address)
        there = address in READABLE and address != OUTPUT
        assert kind == ("ack" if there else "err"), address
        if address == SHAPE:
            assert shown == 1 | OUT_PARTS << 8
        if address == STATUS:
            assert shown == 1
        if address not in (STATUS, INPUT, IRQ_ENABLE):
            assert not await bus.write(address, 1)
    for sel in (*(15 ^ 1 << k for k in range(4)), 0):
        assert not await bus.write(INPUT, 0, sel)
        assert not await bus.write(STATUS, 1, sel)
    assert await bus.write(STATUS, 0xFFFFFFFE)
    for _ in range(3):
        assert (await bus.read(STATUS)) == ("ack", 1)


async def wishbone_patient(bus, board):
    """A master that looks at nothing until the interrupt says that a word is there; its words."""
    todo, words = in_words(board), []
    assert await bus.write(IRQ_ENABLE, 2)
    while not board.done or todo:
        if todo and await bus.write(INPUT, todo[0]):
            todo = todo[1:]
        for _ in range(60):
            await bus.tick()
        while bus.irq:
            parts = [(await bus.read(OUTPUT + k))[1] for k in range(OUT_PARTS)]
            words.append(sum(part << 32 * k for k, part in enumerate(parts)))
            compare(board, IMAGE, words[-1])
            await bus.tick()
    finished(board)
    return words


async def wishbone_steps(bus, board):
    todo, shown = in_words(board), None
    while not board.done or todo:
        classic = bus.chance.random() < 0.5
        if todo and bus.chance.random() < 0.6:
            ((kind, _),) = await bus.do((1, INPUT, todo[0], 15), classic=classic)
            todo = todo[kind == "ack" :]
        if bus.chance.random() < 0.2:  # what is not there takes no word off and sends none
            used = (STATUS, INPUT, OUTPUT, IRQ_ENABLE)
            address = bus.chance.choice([k for k in range(16) if k not in used])
            await bus.do((0, address, 0, 15), (1, address, 1, 15), (1, OUTPUT, 1, 15))
            assert not await bus.write(INPUT, 0, 14)
        if bus.chance.random() < (0.02 if len(todo) > 5 else 0.6):
            status = (await bus.read(STATUS))[1] if bus.chance.random() < 0.5 else 0
            kind, low = await bus.read(OUTPUT)
            assert status < 4 and (kind == "ack" or not status & 2)
            if kind == "ack":
                shown = [low] + [(await bus.read(OUTPUT + k))[1] for k in range(1, OUT_PARTS)]
                word = sum(part << 32 * k for k, part in enumerate(shown))
                assert word >> OUT_BITS == 0
                compare(board, IMAGE, word)
            elif shown:  # the rest of the word that was taken last
                assert [(await bus.read(OUTPUT + k))[1] for k in range(1, OUT_PARTS)] == shown[1:]
    finished(board)
    assert (await bus.read(OUTPUT))[0] == "err"


async def wishbone_rest(bus, board, words):
    """The same ``words`` come again; most are taken without a look at their upper part."""
    rests = {}
    for word in words:
        rests.setdefault(word % (1 << 32), set()).add(word >> 32)
    todo, taken, seen = in_words(board), 0, set()
    while taken < len(words):
        if todo and await bus.write(INPUT, todo[0]):
            todo = todo[1:]
        kind, low = await bus.read(OUTPUT)
        taken += kind == "ack"
        if kind == "ack" and bus.chance.random() < 0.3:
            rest = [(await bus.read(OUTPUT + k))[1] << 32 * (k - 1) for k in range(1, OUT_PARTS)]
            assert sum(rest) in rests[low]
            seen.add(sum(rest))
    assert len(seen) > 1


async def wishbone_waits(bus):
    """Interrupts: for a word, then for room."""
    assert await bus.write(IRQ_ENABLE, 2) and await bus.interrupt() == (0, 0)
    await fill(lambda word: bus.write(INPUT, word))
    assert await bus.interrupt() == (1, 2) and await bus.read(STATUS) == ("ack", 2)
    assert await bus.write(IRQ_ENABLE, 1) and await bus.interrupt() == (0, 0)
    assert await bus.write(IRQ_ENABLE, 3) and await bus.interrupt() == (1, 2)


def wishbone(dut, simulate):
    async def started(bus):
        """Until the status shows room, which it must from a certain cycle on."""
        while (shown := await bus.read(STATUS)) == ("ack", 0):
            assert bus.age < START + 9
            if bus.age < START - 18:
                assert not await bus.write(INPUT, 0)
                assert (await bus.read(OUTPUT))[0] == "err"
        assert shown == ("ack", 1) and bus.age >= START

    async def run(ctx):
        bus = WishboneMaster(dut, ctx, 5)
        for k in range(3):
            for _ in range(1 + k % 2):
                await bus.tick((1, INPUT, 0, 15), rst=1)
            for _ in range(3):
                await bus.tick(None)
            await started(bus)
            await wishbone_registers(bus)
            await wishbone_steps(bus, Scoreboard(IMAGE, sequences(k)))
            words = await wishbone_patient(bus, Scoreboard(IMAGE, sequences(k + 6)))
            await wishbone_rest(bus, Scoreboard(IMAGE, sequences(k + 6)), words)
            await wishbone_waits(bus)
            assert await bus.write(STATUS, 1)
            bus.age = 0
            assert await bus.read(STATUS) == ("ack", 0)
            assert bus.irq == 0 and await bus.read(IRQ_ENABLE) == ("ack", 3)
            await started(bus)
            assert await bus.interrupt() == (1, 1)
            await wishbone_steps(bus, Scoreboard(IMAGE, sequences(k + 3)))
            for _ in range(20):  # a master that goes away, or has no cycle
                await bus.tick((0, STATUS, 0, 15), cyc=bus.chance.randrange(2))
            await bus.tick(None)
            await fill(lambda word: bus.write(INPUT, word))

    simulate(dut, run, timeout=100_000)
