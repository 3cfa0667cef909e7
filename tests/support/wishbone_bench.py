"""cocotb test of the Wishbone slave with cocotbext-wishbone; ``test_wrappers.py`` starts it."""

import random

import cocotb
from cocotb.triggers import ClockCycles, First, RisingEdge, Timer
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from tests.support.wrappers_bench import JOB, compare, setup, start, words_of
from triodia_hw.gateware.wishbone import REGISTERS
from triodia_sim.scoreboard import Scoreboard

ACK, ERR = 1, 2
STATUS, SHAPE, IRQ_ENABLE, IRQ_PENDING, INPUT, OUTPUT = REGISTERS.values()
_SIGNALS = {
    **{name: name for name in ("cyc", "stb", "we", "adr", "ack")},
    "datwr": "dat_i",
    "datrd": "dat_o",
}


class Classic(WishboneMaster):
    """A master without ``stall``: it holds a request until it ends."""

    _optional_signals = ("sel", "err")


class Pipelined(WishboneMaster):
    """A master that takes a request away as soon as it was taken."""

    _optional_signals = ("sel", "err", "stall")


class Host:
    """Send and receive words over the bus, as a driver on a processor would."""

    def __init__(self, dut, master, chance):
        self.dut, self.master, self.chance = dut, master, chance

    async def cycle(self, *requests):
        """Run requests (address, data to write or None) in one bus cycle; return the results."""
        ops = [
            WBOp(a, d, idle=self.chance.randrange(3) if JOB["stall"] else 0) for a, d in requests
        ]
        results = await self.master.send_cycle(ops)
        assert len(results) == len(ops)
        return [(r.ack, r.datrd) for r in results]

    async def read(self, address):
        ((ack, data),) = await self.cycle((address, None))
        return int(data) if ack == ACK else None

    async def write(self, address, data):
        return (await self.cycle((address, data)))[0][0] == ACK

    async def send(self, word):
        high = [(INPUT + k, word >> 32 * k & 0xFFFFFFFF) for k in range(1, self.i_parts)]
        *before, (ack, _) = await self.cycle(*high, (INPUT, word & 0xFFFFFFFF))
        assert all(a == ACK for a, _ in before)
        return ack == ACK

    async def receive(self):
        """A word, or None if none is there."""
        low = await self.read(OUTPUT)
        if low is None:
            return None
        word = low
        for k in range(1, self.o_parts):
            word |= await self.read(OUTPUT + k) << 32 * k
        return word

    async def begin(self):
        shape = await self.read(SHAPE)
        self.i_parts, self.o_parts = shape & 0xFF, shape >> 8


async def whole(host, image, sequences):
    """Run every step of ``sequences``; poll the status now and then, otherwise try blindly.

    Once everything is sent, wait for the interrupt.
    """
    board = Scoreboard(image, sequences)
    todo = [word for _, _, events, last in board.plan for word in words_of(image, events, last)]
    refused = interrupts = 0
    while not board.done:
        if not todo:
            assert await host.write(IRQ_ENABLE, 2)
            if not int(host.dut.irq.value):
                await First(RisingEdge(host.dut.irq), Timer(50, "us"))
            assert int(host.dut.irq.value) and await host.read(IRQ_PENDING) == 2
            interrupts += 1
        status = await host.read(STATUS) if host.chance.random() < 0.5 else 3
        if todo and status & 1:
            if await host.send(todo[0]):
                todo.pop(0)
            else:
                assert status == 3  # it was not asked
                refused += 1
        if status & 2 and host.chance.random() < (0.3 if JOB["stall"] else 1):
            word = await host.receive()
            if word is None:
                refused += 1
            else:
                compare(board, image, word)
    assert board.mismatches == 0, board.first
    assert not todo and board.spikes > 10 and refused > 0 and interrupts > 3
    assert await host.read(OUTPUT) is None and int(host.dut.irq.value) == 0
    assert await host.write(IRQ_ENABLE, 0)


async def strange(host):
    """Requests to missing registers are refused and do nothing."""
    assert not await host.write(SHAPE, 1)
    assert not await host.write(OUTPUT, 1)
    assert not await host.write(IRQ_PENDING, 1)
    assert await host.read(INPUT) is None
    assert await host.read(15) is None
    (result,) = await host.master.send_cycle([WBOp(INPUT, 0, sel=7)])
    assert result.ack == ERR


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wishbone(dut):
    """All steps; then a reset in mid-step by the bus, and all again; and one by the pin."""
    image, sequences = setup()
    for name in ("cyc", "stb", "we", "adr", "dat_i"):
        getattr(dut, f"wb_{name}").value = 0
    await start(dut.clk, dut.rst)
    # The master sets its signals at once, which is of no effect before time begins.
    kind = Pipelined if JOB["pipelined"] else Classic
    master = kind(dut, "wb", dut.clk, timeout=1000, signals_dict=_SIGNALS)
    host = Host(dut, master, random.Random(3))
    await host.begin()
    for way in ("bus", "pin", ""):
        while not await host.read(STATUS) & 1:
            pass
        await strange(host)
        await whole(host, image, sequences)
        # Events of a step that never ends, and one whose results nobody takes.
        for events, last in ((sequences[0][0], 0), (sequences[0][1], 0)):
            for word in words_of(image, events, last):
                while not await host.send(word):
                    pass
        await ClockCycles(dut.clk, 25)
        if way == "bus":
            assert await host.write(STATUS, 1)
            assert await host.read(STATUS) == 0
        if way == "pin":
            dut.rst.value = 1
            await ClockCycles(dut.clk, 1)
            dut.rst.value = 0
