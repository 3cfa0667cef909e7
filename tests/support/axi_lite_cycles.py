"""A bench of the AXI4-Lite wrapper, cycle by cycle: every register, resets in between."""

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
from triodia_hw.gateware.axi_lite import REGISTERS
from triodia_hw.machine.words import COUNTERS
from triodia_sim.scoreboard import Scoreboard

__all__ = ["axi_lite"]

OKAY, SLVERR = 0, 2


class AxiMaster:
    """A write and a read at a time, each channel with pauses of its own; checks the rules."""

    def __init__(self, dut, ctx, seed):
        self.dut, self.ctx, self.chance = dut, ctx, random.Random(seed)
        self.was = {}
        self.stall, self.age = 0.3, 0  # age: cycles since reset

    async def tick(self, **values):
        """A cycle; what the slave shows."""
        dut, ctx = self.dut, self.ctx
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            ctx.set(getattr(dut, f"s_axi_{name}"), values.get(name, 0))
        for name in ("awaddr", "wdata", "wstrb", "araddr", "awprot", "arprot"):
            signal = getattr(dut, f"s_axi_{name}")
            ctx.set(signal, values.get(name, self.chance.getrandbits(len(signal))))
        names = ("awready", "wready", "arready", "bvalid", "bresp", "rvalid", "rresp", "rdata")
        _, _, irq, *seen = await ctx.tick().sample(
            dut.irq, *(getattr(dut, f"s_axi_{n}") for n in names)
        )
        s = dict(zip(names, seen, strict=True)) | {"irq": irq}
        self.age += 1
        for channel, content in (("b", ("bresp",)), ("r", ("rresp", "rdata"))):
            shown = tuple(s[n] for n in content)
            if channel in self.was:
                assert s[f"{channel}valid"] and shown == self.was[channel]
            stays = s[f"{channel}valid"] and not values.get(f"{channel}ready", 0)
            self.was = {k: v for k, v in self.was.items() if k != channel}
            if stays:
                self.was[channel] = shown
        return s

    async def access(self, write=None, read=None):
        """Write (address, data, strobes) and read an address at once; both responses."""
        offered = {"aw": False, "w": False, "ar": False}
        done = {"aw": not write, "w": not write, "b": not write}
        done |= {"ar": read is None, "r": read is None}
        response, value, late = None, None, 0
        while not all(done.values()):
            drive = {}
            for channel in offered:
                offered[channel] |= self.chance.random() >= self.stall
                drive[f"{channel}valid"] = int(offered[channel] and not done[channel])
            if not done["aw"]:  # what nobody offers is anything
                drive["awaddr"] = write[0]
            if not done["w"]:
                drive |= {"wdata": write[1], "wstrb": write[2]}
            if not done["ar"]:
                drive["araddr"] = read
            for channel in ("b", "r"):
                drive[f"{channel}ready"] = int(self.chance.random() >= self.stall)
            s = await self.tick(**drive)
            assert not s["bvalid"] or (done["aw"] and done["w"] and not done["b"])
            assert not s["rvalid"] or (done["ar"] and not done["r"])
            waits = done["aw"] and done["w"] and not done["b"] and not s["bvalid"]
            late = late + 1 if waits else 0
            assert late < 3
            if s["bvalid"] and drive["bready"]:
                done["b"], response = True, s["bresp"]
            if s["rvalid"] and drive["rready"]:
                done["r"], value = True, (s["rresp"], s["rdata"])
            for channel in offered:
                done[channel] |= bool(drive[f"{channel}valid"] and s[f"{channel}ready"])
        assert response in (None, OKAY, SLVERR)
        return response, value

    async def read(self, address):
        """Value, or None where the slave refused."""
        response, value = (await self.access(read=address))[1]
        assert response in (OKAY, SLVERR) and (response == OKAY or value == 0)
        return value if response == OKAY else None

    async def write(self, address, data, strobes=15):
        return (await self.access(write=(address, data, strobes)))[0] == OKAY


async def axi_registers(bus):
    at = REGISTERS
    shows = {at["STATUS"]: 1, at["SHAPE"]: 1 | OUT_PARTS << 8}
    for value in (2, 3, 1, 0):
        assert await bus.write(at["IRQ_ENABLE"], value | 0x55555500)
        shows |= {at["IRQ_ENABLE"]: value, at["IRQ_PENDING"]: value & 1}
        assert not await bus.write(at["IRQ_ENABLE"], 3 - value, 15 ^ 1 << value)
        for address, shown in shows.items():
            assert await bus.read(address) == shown
        assert (await bus.tick())["irq"] == value & 1
    counters = [at[name.upper()] for name in COUNTERS]
    outputs = range(at["OUTPUT"] + 4, at["OUTPUT"] + 4 * OUT_PARTS, 4)
    for address in range(0, 128, 4):
        readable = address in (*shows, *counters, *outputs)
        assert (await bus.read(address + bus.chance.randrange(4)) is not None) == readable
        if address not in (at["CONTROL"], at["IRQ_ENABLE"], at["INPUT"]):
            assert not await bus.write(address, 1)
    for strobes in (*(15 ^ 1 << k for k in range(4)), 0):
        for name in ("CONTROL", "INPUT"):
            assert not await bus.write(at[name], 1, strobes)
    assert await bus.write(at["CONTROL"], 0xFFFFFFFE)
    assert await bus.read(at["STATUS"]) == 1


async def axi_steps(bus, board, start):
    at, todo, shown = REGISTERS, in_words(board), None
    rest = [at["OUTPUT"] + 4 * k for k in range(1, OUT_PARTS)]
    while not board.done or todo:
        if bus.chance.random() < 0.1:  # what is not there takes no word off and sends none
            used = (at["CONTROL"], at["INPUT"], at["OUTPUT"], at["IRQ_ENABLE"])
            address = bus.chance.choice([k for k in range(0, 128, 4) if k not in used])
            await bus.access((address, 1, 15), address)
            await bus.access((at["OUTPUT"], 1, 15))
            await bus.access((at["INPUT"], 0, 14), at["INPUT"])
        write = todo and bus.chance.random() < 0.6
        read = at["OUTPUT"] if bus.chance.random() < (0.02 if len(todo) > 5 else 0.6) else None
        read = at["STATUS"] if read is None and bus.chance.random() < 0.2 else read
        response, value = await bus.access((at["INPUT"], todo[0], 15) if write else None, read)
        todo = todo[response == OKAY :]
        if read == at["STATUS"]:
            assert value[0] == OKAY and value[1] < 4
        elif read and value[0] == OKAY:
            shown = [value[1]] + [await bus.read(address) for address in rest]
            word = sum(part << 32 * k for k, part in enumerate(shown))
            assert word >> OUT_BITS == 0
            compare(board, IMAGE, word)
        elif read:
            assert value == (SLVERR, 0)
            assert not shown or [await bus.read(address) for address in rest] == shown[1:]
    finished(board)
    assert await bus.read(at["OUTPUT"]) is None
    for _ in range(40):
        await bus.tick()
    counts = {n: (await bus.read(at[n.upper()]) - start) % (1 << 32) for n in COUNTERS}
    assert (counts["events"], counts["operations"]) == (board.events, board.operations)
    assert bus.age - 60 < counts["cycles"] < bus.age
    assert counts["bus_stalls"] < counts["cycles"] and counts["output_stalls"] < counts["cycles"]
    first = await bus.read(at["CYCLES"])
    assert 0 < await bus.read(at["CYCLES"]) - first < 60


async def axi_waits(bus):
    """Interrupts: for a word, then for room."""
    at = REGISTERS
    assert await bus.write(at["IRQ_ENABLE"], 2)
    assert (await bus.tick())["irq"] == 0
    await fill(lambda word: bus.write(at["INPUT"], word))
    assert (await bus.tick())["irq"] == 1 and await bus.read(at["IRQ_PENDING"]) == 2
    assert await bus.write(at["IRQ_ENABLE"], 1)
    assert (await bus.tick())["irq"] == 0 and await bus.read(at["IRQ_PENDING"]) == 0
    assert await bus.read(at["STATUS"]) == 2
    while await bus.read(at["OUTPUT"]) is not None:
        pass
    assert await bus.write(at["IRQ_ENABLE"], 3)


def axi_lite(dut, simulate, start=0):
    """All of it; ``start``: what the machine's counters show at first."""

    async def reset(bus, cycles):
        bus.ctx.set(dut.aresetn, 0)
        for _ in range(cycles):
            bus.was = {}
            s = await bus.tick(**{n: bus.chance.randrange(2) for n in ("awvalid", "arvalid")})
        bus.ctx.set(dut.aresetn, 1)
        bus.was, bus.age = {}, 0
        for _ in range(3):
            s = await bus.tick()
            assert not (s["bvalid"] or s["rvalid"] or s["irq"])

    async def started(bus):
        while (shown := await bus.read(REGISTERS["STATUS"])) == 0:
            assert bus.age < START + 30
            if bus.age < START - 18 and bus.stall < 0.5:
                assert not await bus.write(REGISTERS["INPUT"], 0)
                assert await bus.read(REGISTERS["OUTPUT"]) is None
        assert shown == 1 and bus.age >= START

    async def run(ctx):
        bus = AxiMaster(dut, ctx, 7)
        for k in range(3):
            await reset(bus, 1 + k)
            bus.stall = (0.3, 0.0, 0.7)[k]
            await started(bus)
            await axi_registers(bus)
            await axi_steps(bus, Scoreboard(IMAGE, sequences(k)), start)
            await fill(lambda word: bus.write(REGISTERS["INPUT"], word))
            assert await bus.write(REGISTERS["CONTROL"], 1)
            bus.age = 0
            assert await bus.read(REGISTERS["STATUS"]) == 0
            await started(bus)
            await axi_waits(bus)
            # Responses under way when reset comes.
            drive = {"awvalid": 1, "wvalid": 1, "arvalid": 1}
            await bus.tick(**drive)
            await bus.tick()
            bus.was = {}

    simulate(dut, run, timeout=100_000)
