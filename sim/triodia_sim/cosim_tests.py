"""cocotb test of an exported machine; :mod:`triodia_sim.runner` starts it inside a simulator.

The job (image, input sequences, options) comes as a JSON file named by TRIODIA_JOB; the result
goes to the file that the job names.
"""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event, First, RisingEdge, Timer

from triodia_hw.compile.loading import load_words
from triodia_hw.machine.image import load_image
from triodia_hw.machine.words import COUNTERS, INPUT_KINDS, OUTPUT_KINDS, state_fields, unpack

from .scoreboard import Scoreboard

PERIOD_NS = 10


def integer(handle: SimHandleBase, *, signed: bool = False) -> int | None:
    """Value of a port, None if undefined; cocotb gives one bit and several different types."""
    value = handle.value
    if not value.is_resolvable:
        return None
    if not hasattr(value, "to_unsigned"):
        return int(value)
    return value.to_signed() if signed else value.to_unsigned()


class Bench:
    """Drive and watch one machine; lets Python sleep while nothing is transferred."""

    def __init__(self, dut: SimHandleBase, job: dict) -> None:
        self.dut, self.job = dut, job
        self.image = load_image(job["image"])
        self.board = Scoreboard(self.image, job["sequences"])
        self.loading = load_words(self.image) if job["load"] else []
        self.random = random.Random(job["seed"])
        self.input_stall, self.output_stall = job["stall"]
        self.progress, self.finished = Event(), Event()  # an end came; the last one came
        self.checked = 0  # steps whose state has been compared
        self.taken_at = []  # cycle of the end of each step

    def cycle(self) -> int:
        """Cycles since reset, by the machine's own counter."""
        return self.dut.cycles.value.to_unsigned()

    async def reset(self) -> None:
        """Start the clock and hold reset for a few cycles."""
        dut = self.dut
        for name in ("i_valid", "i_kind", "i_last", "i_source", "i_payload", "o_ready"):
            getattr(dut, name).value = 0
        low = hasattr(dut, "rst_n")
        reset = dut.rst_n if low else dut.rst
        reset.value = int(not low)
        Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start(start_high=False)
        for _ in range(4):
            await RisingEdge(dut.clk)
        reset.value = int(low)

    async def send(self, **fields: int) -> None:
        """Offer an input word until it is taken."""
        dut = self.dut
        while self.random.random() < self.input_stall:
            await RisingEdge(dut.clk)
        for name, value in fields.items():
            getattr(dut, f"i_{name}").value = value
        dut.i_valid.value = 1
        await RisingEdge(dut.clk)
        while not integer(dut.i_ready):
            await RisingEdge(dut.i_ready)
            await RisingEdge(dut.clk)
        dut.i_valid.value = 0

    async def drive(self) -> None:
        """Load, then send every step of the plan; in state mode after the last one was compared."""
        for word in self.loading:
            await self.send(**word)
        for number, (_, _, events, last) in enumerate(self.board.plan):
            for channel, payload in events:
                await self.send(kind=INPUT_KINDS["event"], source=channel, payload=payload, last=0)
            while self.job["state"] and self.checked < number:
                await self.progress.wait()
                self.progress.clear()
            await self.send(kind=INPUT_KINDS["end"], last=int(last))

    async def watch(self) -> None:
        """Take output words and compare them, including those after the last step."""
        dut = self.dut
        dut.o_ready.value = 1
        while True:
            if not integer(dut.o_valid):
                await RisingEdge(dut.o_valid)
            await RisingEdge(dut.clk)
            if integer(dut.o_valid) and integer(dut.o_ready):
                self.take()
            if self.output_stall:
                dut.o_ready.value = int(self.random.random() >= self.output_stall)

    def take(self) -> None:
        """Compare the word on the output."""
        dut = self.dut
        kind, cycle = integer(dut.o_kind), self.cycle()
        self.board.word(
            kind,
            integer(dut.o_last),
            integer(dut.o_source),
            integer(dut.o_value, signed=True),
            cycle,
        )
        if kind == OUTPUT_KINDS["end"] and len(self.taken_at) < len(self.board.plan):
            self.end(cycle)

    def end(self, cycle: int) -> None:
        """A planned step has ended."""
        self.taken_at.append(cycle)
        if self.job["state"]:
            self.compare_state(cycle)
        self.checked = self.board.steps
        self.progress.set()
        if self.checked % 16 == 0:
            Path(self.job["progress"]).write_text(str(self.checked))
        if self.board.done:
            self.finished.set()

    def compare_state(self, cycle: int) -> None:
        """Read every neuron's state word out of the machine's memories."""
        p, fields = self.image.params, state_fields(self.image.params)
        for neuron, slot in enumerate(self.image.slot.tolist()):
            lane = getattr(self.dut.core, f"lane_{slot // p.slots}")
            word = integer(lane.sweep.state.mem_0.mem[slot % p.slots])
            values = {} if word is None else unpack(fields, word)
            for name, *_ in fields:
                self.board.state_word(neuron, name, values.get(name, "undefined"), cycle)

    async def guard(self) -> None:
        """Return when no step has ended for as long as the slowest could take."""
        p = self.image.params
        work = self.image.synapses + p.neurons + 8 * p.sources + len(self.loading)
        slow = 1 / (1 - max(self.input_stall, self.output_stall))
        limit = int((500 + 2 * work + self.job["patience"]) * slow) * PERIOD_NS
        steps = -1
        while self.board.steps > steps:
            steps = self.board.steps
            await Timer(limit, unit="ns")
        self.board.hang(self.cycle())


@cocotb.test()
async def equals_reference(dut: SimHandleBase) -> None:
    """Every word of every step, and the counters, equal the reference."""
    job = json.loads(Path(os.environ["TRIODIA_JOB"]).read_text())
    bench = Bench(dut, job)
    await bench.reset()
    cocotb.start_soon(bench.drive())
    cocotb.start_soon(bench.watch())
    guard = cocotb.start_soon(bench.guard())
    stop = job["stop_cycle"]
    if stop is not None:
        await Timer(stop * PERIOD_NS, unit="ns")
    else:
        await First(bench.finished.wait(), guard)
        # The counters lag, and nothing may come after the last end.
        await Timer((64 + bench.image.params.slots) * PERIOD_NS, unit="ns")
        counters = {name: integer(getattr(dut, name)) for name in COUNTERS}
        if job["counts"] and bench.board.done and not bench.board.mismatches:
            bench.board.counters(counters, bench.cycle())
        ends = bench.taken_at
        result = bench.board.summary() | {"counters": counters, "ends": ends}
        if job["record"]:
            result["seen"] = bench.board.seen
        Path(job["result"]).write_text(json.dumps(result))
