"""cocotb test of the drivers on the simulated bus; ``test_drivers.py`` starts it."""

import ctypes
import importlib.util
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from cocotbext.wishbone.driver import WBOp

from tests.support.wishbone_bench import _SIGNALS, Classic
from tests.support.wrappers_bench import JOB, setup
from triodia_hw.compile.loading import load_bytes
from triodia_hw.machine.image import load_image
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import COUNTERS

FOLDER = Path(os.environ.get("TRIODIA_KIT", "."))


class AxiLite:
    """Registers by byte offset, on AXI4-Lite."""

    def __init__(self, dut):
        self.clock, self.reset, self.active = dut.aclk, dut.aresetn, 0
        bus = AxiLiteBus.from_prefix(dut, "s_axi")
        self.master = AxiLiteMaster(bus, dut.aclk, dut.aresetn, reset_active_level=False)

    def start(self):
        """Nothing to do: the master is there from the first."""

    async def read(self, offset):
        return int.from_bytes((await self.master.read(offset, 4)).data, "little")

    async def write(self, offset, value):
        await self.master.write(offset, value.to_bytes(4, "little"))


class Wishbone:
    """Registers by byte offset, on Wishbone."""

    def __init__(self, dut):
        self.clock, self.reset, self.active, self.dut = dut.clk, dut.rst, 1, dut
        for name in ("cyc", "stb", "we", "adr", "dat_i"):
            getattr(dut, f"wb_{name}").value = 0

    def start(self):
        """Make the master, which sets its signals at once."""
        self.master = Classic(self.dut, "wb", self.dut.clk, timeout=1000, signals_dict=_SIGNALS)

    async def read(self, offset):
        (result,) = await self.master.send_cycle([WBOp(offset // 4, None)])
        return int(result.datrd) if result.ack == 1 else 0

    async def write(self, offset, value):
        await self.master.send_cycle([WBOp(offset // 4, value)])


class CDriver:
    """The C driver, with its accesses handed to ``mmio``."""

    def __init__(self, mmio, p):
        self.p, self.library = p, ctypes.CDLL(str(FOLDER / "driver.so"))
        word = ctypes.c_uint32
        self.hooks = (
            ctypes.CFUNCTYPE(word, word)(mmio.read),
            ctypes.CFUNCTYPE(None, word, word)(mmio.write),
        )
        self.library.connect(*self.hooks)

    def reset(self):
        self.library.reset()

    def step(self, payloads, last):
        values = (ctypes.c_int32 * JOB["readouts"])()
        spikes = (ctypes.c_uint8 * self.p.neurons)()
        self.library.step((ctypes.c_int32 * self.p.inputs)(*payloads), int(last), values, spikes)
        return [n for n, spiked in enumerate(spikes) if spiked], list(values)

    def classify(self, steps):
        flat = [payload for payloads in steps for payload in payloads]
        return self.library.classify((ctypes.c_int32 * len(flat))(*flat), len(steps))

    def count(self):
        counts = (ctypes.c_uint32 * len(COUNTERS))()
        self.library.count(counts)
        return dict(zip(COUNTERS, counts, strict=True))

    def load(self, blocks):
        self.library.load(blocks, len(blocks))

    def enable_irq(self, bits):
        self.library.enable_irq(bits)

    def pending_irq(self):
        return self.library.pending_irq()


def python_driver(mmio, _):
    """The Python driver, from the folder itself."""
    spec = importlib.util.spec_from_file_location("net_driver", FOLDER / "net_driver.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Accelerator(mmio)


class Mmio:
    """What a driver sees: calls that block while the simulation goes on."""

    def __init__(self, bus):
        self.read, self.write = resume(bus.read), resume(bus.write)


def run(image, sequences, driver):
    """All sequences by the driver; spikes, values, classes and counts are the reference's."""
    reference, spikes, sent = Reference(image), 0, 0
    driver.step([1] * image.params.inputs, False)
    driver.reset()  # in the middle of a sequence
    assert driver.count()["events"] == 0
    for sequence in sequences:
        events = [[event for event in step if event[1]] for step in sequence]  # as drivers do
        steps = [[dict(e).get(c, 0) for c in range(image.params.inputs)] for e in events]
        totals = 0
        for number, (payloads, step) in enumerate(zip(steps, events, strict=True)):
            last = number == len(steps) - 1
            result = reference.step(step, last)
            assert driver.step(payloads, last) == (result.spikes.tolist(), result.readouts.tolist())
            totals, spikes = totals + result.readouts, spikes + result.spikes.size
            sent += 2 * result.events  # here, and once more in `classify`
        assert driver.classify(steps) == totals.argmax()
    assert spikes > 10
    counts = driver.count()
    assert counts["events"] == sent and counts["cycles"] > counts["operations"] > sent
    return spikes


def run_interrupt(driver, dut):
    """The interrupt follows what the driver enables; the machine has room and no word."""
    driver.reset()
    for bits in (1, 2, 3, 0):
        driver.enable_irq(bits)
        assert driver.pending_irq() == bits & 1 == int(dut.irq.value)


def run_another(image, other, sequences, driver):
    """The readouts of ``other``, loaded, are its own. Their order is that of their sources."""
    driver.load(load_bytes(other))
    reference, differ = Reference(other), False
    order = image.source_of_neuron()[image.readouts]
    assert sorted(order) == sorted(other.source_of_neuron()[other.readouts])
    place = {source: k for k, source in enumerate(other.source_of_neuron()[other.readouts])}
    for events in sequences:
        for number, step in enumerate(events):
            payloads = [dict(step).get(c, 0) for c in range(image.params.inputs)]
            result = reference.step(step, number == len(events) - 1)
            _, values = driver.step(payloads, number == len(events) - 1)
            assert values == [int(result.readouts[place[source]]) for source in order]
            differ |= any(values)
    assert differ
    driver.load(load_bytes(image))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def drivers(dut):
    """Each driver runs every sequence."""
    image, sequences = setup()
    bus = AxiLite(dut) if hasattr(dut, "aclk") else Wishbone(dut)
    bus.reset.value = bus.active
    Clock(bus.clock, 10, unit="ns").start()
    await ClockCycles(bus.clock, 16)
    bus.reset.value = 1 - bus.active
    bus.start()
    for make in (python_driver, CDriver):
        driver = make(Mmio(bus), image.params)
        await bridge(run_interrupt)(driver, dut)
        await bridge(run)(image, sequences, driver)
        await bridge(run_another)(image, load_image(JOB["other"]), sequences, driver)
