"""cocotb test of the AXI4-Lite slave by other people's master; ``test_wrappers.py`` starts it."""

import random

import cocotb
from cocotb.triggers import ClockCycles, First, RisingEdge, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from tests.support.wrappers_bench import JOB, compare, pauses, setup, start, words_of
from triodia_hw.gateware.axi_lite import REGISTERS
from triodia_hw.machine.words import COUNTERS
from triodia_sim.scoreboard import Scoreboard


class Host:
    """Words over the bus, as a driver on a processor would send and read them."""

    def __init__(self, dut, master):
        self.dut, self.master, self.chance = dut, master, random.Random(4)

    async def read(self, name, part=0):
        """Value of a register, or None if the slave refused."""
        result = await self.master.read(REGISTERS[name] + 4 * part, 4)
        assert result.resp in (AxiResp.OKAY, AxiResp.SLVERR)
        value = int.from_bytes(result.data, "little")
        if result.resp == AxiResp.SLVERR:
            assert value == 0
            return None
        return value

    async def write(self, name, value, part=0):
        data = value.to_bytes(4, "little")
        result = await self.master.write(REGISTERS[name] + 4 * part, data)
        assert result.resp in (AxiResp.OKAY, AxiResp.SLVERR)
        return result.resp == AxiResp.OKAY

    async def send(self, word):
        for part in reversed(range(self.i_parts)):
            done = await self.write("INPUT", word >> 32 * part & 0xFFFFFFFF, part)
        return done

    async def receive(self):
        """A word, or None if none is there."""
        parts = [await self.read("OUTPUT", part) for part in range(self.o_parts)]
        if parts[0] is None:
            return None
        return sum(value << 32 * part for part, value in enumerate(parts))


async def whole(host, image, sequences):
    """Every step of ``sequences``; waits for the interrupt where it can."""
    board, dut = Scoreboard(image, sequences), host.dut
    todo = [word for _, _, events, last in board.plan for word in words_of(image, events, last)]
    refused = interrupts = 0
    while not board.done:
        if not todo:
            assert await host.write("IRQ_ENABLE", 2)
            if not int(dut.irq.value):
                await First(RisingEdge(dut.irq), Timer(50, "us"))
            assert int(dut.irq.value) and await host.read("IRQ_PENDING") == 2
            interrupts += 1
        status = await host.read("STATUS") if host.chance.random() < 0.5 else 3
        if todo and status & 1 and host.chance.random() < 0.7:
            if await host.send(todo[0]):
                todo.pop(0)
            else:
                refused += 1
        if status & 2 and host.chance.random() < (0.3 if JOB["stall"] else 1):
            word = await host.receive()
            if word is None:
                refused += 1
            else:
                compare(board, image, word)
    assert board.mismatches == 0, board.first
    assert not todo and board.spikes > 10 and refused > 0 and interrupts > 3
    assert await host.read("OUTPUT") is None
    assert int(dut.irq.value) == 0
    return board


async def registers(host):
    """Each register does what it says, and what there is not is refused."""
    dut = host.dut
    for value in (0, 1, 2, 3):
        assert await host.write("IRQ_ENABLE", value)
        assert await host.read("IRQ_ENABLE") == value
        assert await host.read("IRQ_PENDING") == value & 1  # there is room, and no word
        assert int(dut.irq.value) == value & 1
    assert await host.write("IRQ_ENABLE", 0)
    for name in ("STATUS", "SHAPE", "IRQ_PENDING", "OUTPUT", "CYCLES"):
        assert not await host.write(name, 1)
    assert await host.read("INPUT") is None and await host.read("CONTROL") is None
    assert await host.read("CYCLES", 14) is None and await host.read("OUTPUT_STALLS", 1) is None
    # Half a word of the bus is refused and changes nothing.
    result = await host.master.write(REGISTERS["IRQ_ENABLE"], b"\3\0")
    assert result.resp == AxiResp.SLVERR and await host.read("IRQ_ENABLE") == 0
    result = await host.master.write(REGISTERS["INPUT"], b"\1\0")
    assert result.resp == AxiResp.SLVERR
    first = await host.read("CYCLES")
    assert first < await host.read("CYCLES")


async def counted(host, board):
    """The counters tell what the reference did."""
    values = {name: await host.read(name.upper()) for name in COUNTERS}
    assert values["operations"] == board.operations and values["events"] == board.events


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def axi_lite(dut):
    """All steps; then a reset in mid-step by the bus, and all again; and one by the pin."""
    image, sequences = setup()
    bus, clock, reset = AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, dut.aresetn
    master = AxiLiteMaster(bus, clock, reset, reset_active_level=False)
    if JOB["stall"]:
        write, read = master.write_if, master.read_if
        channels = write.aw_channel, write.w_channel, write.b_channel, read.ar_channel
        for seed, channel in enumerate((*channels, read.r_channel)):
            channel.set_pause_generator(pauses(seed))
    await start(clock, reset, active=0)
    host = Host(dut, master)
    shape = await host.read("SHAPE")
    host.i_parts, host.o_parts = shape & 0xFF, shape >> 8
    for way in ("bus", "pin", ""):
        while not await host.read("STATUS") & 1:
            pass
        await registers(host)
        await counted(host, await whole(host, image, sequences))
        # Events of a step that never ends, and one whose results nobody takes.
        for events, last in ((sequences[0][0], 0), (sequences[0][1], 0)):
            for word in words_of(image, events, last):
                while not await host.send(word):
                    pass
        await ClockCycles(clock, 25)
        if way == "bus":
            assert await host.write("CONTROL", 1)
        if way == "pin":
            assert await host.write("IRQ_ENABLE", 3)
            reset.value = 0
            await ClockCycles(clock, 1)
            reset.value = 1
            await ClockCycles(clock, 2)
            assert int(dut.irq.value) == 0
