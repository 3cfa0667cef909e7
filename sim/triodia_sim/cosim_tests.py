"""cocotb test of an exported machine; :mod:`triodia_sim.runner` starts it inside a simulator.

The job (image, input sequences, options) comes as a JSON file named by TRIODIA_JOB; the result
goes to the file that the job names.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event, First, Timer

from triodia_hw.compile.loading import load_bytes
from triodia_hw.cost.cycles import cycles_and_stalls
from triodia_hw.machine.image import load_image

from .bench import Bench
from .clock import power_up
from .exercise import Action, exercise
from .result import exact_sequences
from .simulators import PERIOD_NS


class Run:
    """The samples of a job, then the exercise, on one machine."""

    def __init__(self, dut: SimHandleBase, job: dict) -> None:
        self.job, self.image = job, load_image(job["image"])
        self.bench = Bench(dut, self.image, job)
        self.finished = Event()
        self.result: dict | None = None  # of the samples, once they are over

    def samples(self) -> Iterator[Action]:
        """The network to load, if there is one, and every step of every sequence."""
        if self.job["load"]:
            yield "load", load_bytes(self.image), self.image
        for number, sequence in enumerate(self.job["sequences"]):
            self.bench.label = (number, 0)
            for step, events in enumerate(sequence):
                yield from (("event", channel, payload) for channel, payload in events)
                yield "end", step == len(sequence) - 1
        yield ("wait",)

    async def drive(self) -> None:
        """Send everything; ends the run."""
        bench, job = self.bench, self.job
        await bench.run(self.samples())
        if job["counts"] and not bench.board.mismatches:
            await bench.settled()
            bench.compare_counters()
            self.compare_cycles()
        self.result = self.summary()
        if job["exercise"] and not bench.board.mismatches:
            bench.label = (len(job["sequences"]), 0)
            await bench.run(exercise(self.image, job["seed"], loadable=job["loadable"]))
        bench.check_rules()
        self.finished.set()

    def summary(self) -> dict:
        """What was compared so far."""
        bench = self.bench
        result = bench.board.summary()
        result |= {"counters": bench.counters(), "ends": list(bench.ends)}
        return result | ({"seen": bench.board.seen} if self.job["record"] else {})

    def compare_cycles(self) -> None:
        """Without pauses, each step ends when the cycle model says, and the bus stalls as often."""
        job, bench = self.job, self.bench
        if job["state"] or job["load"] or any(job["stall"]):
            return
        some = exact_sequences(job["sequences"])
        ends, stalls = cycles_and_stalls(self.image, some)
        for expected, got in zip(ends.tolist(), bench.ends, strict=False):
            if expected != got:
                bench.board.differ(-1, "cycle of an end", expected, got, got)
                return
        if len(some) == len(job["sequences"]):
            got = bench.counters()["bus_stalls"]
            bench.board.counter("bus_stalls", stalls, got, bench.cycle())

    def write(self) -> None:
        """Write the result: the samples, and what the exercise added."""
        final = self.summary()
        result = self.result or final
        names = ("steps", "words")
        result["exercise"] = {name: final[name] - result[name] for name in names}
        result |= {name: final[name] for name in ("mismatches", "first")}
        Path(self.job["result"]).write_text(json.dumps(result))


@cocotb.test()
async def equals_reference(dut: SimHandleBase) -> None:
    """Every word of every step, the rules of the streams, and the counters, equal the reference."""
    job = json.loads(Path(os.environ["TRIODIA_JOB"]).read_text())
    run = Run(dut, job)
    await power_up(dut, netlist=job["netlist"])
    cocotb.start_soon(run.drive())
    cocotb.start_soon(run.bench.watch())
    guard = cocotb.start_soon(run.bench.guard())
    if job["stop_cycle"] is not None:
        await Timer(job["stop_cycle"] * PERIOD_NS, unit="ns")
        return
    await First(run.finished.wait(), guard)
    run.bench.check_rules()
    run.write()
