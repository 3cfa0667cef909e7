"""cocotb test of the bus wrapper with cocotbext-axi; ``test_wrappers.py`` starts it."""

import itertools
import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from triodia_hw.gateware.wrappers import bus_bits
from triodia_hw.machine.image import load_image
from triodia_hw.machine.words import (
    INPUT_KINDS,
    input_fields,
    output_fields,
    pack,
    unpack,
    width_of,
)
from triodia_sim.scoreboard import Scoreboard

JOB = json.loads(os.environ.get("TRIODIA_WRAPPER_JOB", "{}"))


def setup():
    image = load_image(JOB["image"])
    return image, [[tuple(map(tuple, step)) for step in s] for s in JOB["sequences"]]


def words_of(image, events, last):
    fields = input_fields(image.params)
    for source, payload in events:
        word = {"kind": INPUT_KINDS["event"], "last": 0, "source": source, "payload": payload}
        yield pack(fields, word)
    end = {"kind": INPUT_KINDS["end"], "last": int(last), "source": 0, "payload": 0}
    yield pack(fields, end)


def compare(board, image, word):
    w = unpack(output_fields(image.params), word)
    board.word(w["kind"], w["last"], w["source"], w["value"], 0)


async def start(clock, reset, active=1):
    reset.value = active
    Clock(clock, 10, unit="ns").start()
    await ClockCycles(clock, 4)
    reset.value = 1 - active
    await RisingEdge(clock)


def pauses(seed):
    chance = random.Random(seed)
    return (chance.random() < 0.4 for _ in itertools.count())


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def axi_stream(dut):
    """Every step a frame of AXI4-Stream each way; then a reset in mid-step, and all again."""
    image, sequences = setup()
    clock, reset = dut.aclk, dut.aresetn
    ends = [AxiStreamBus.from_prefix(dut, name) for name in ("s_axis", "m_axis")]
    source = AxiStreamSource(ends[0], clock, reset, reset_active_level=False)
    sink = AxiStreamSink(ends[1], clock, reset, reset_active_level=False)
    if JOB["stall"]:
        source.set_pause_generator(pauses(1))
        sink.set_pause_generator(pauses(2))
    await start(clock, reset, active=0)
    size = bus_bits(width_of(input_fields(image.params))) // 8
    lanes = bus_bits(width_of(output_fields(image.params))) // 8
    for _ in range(2):
        board = Scoreboard(image, sequences)
        for _, _, events, last in board.plan:
            data = b"".join(w.to_bytes(size, "little") for w in words_of(image, events, last))
            source.send_nowait(AxiStreamFrame(data))
        for number in range(len(board.plan)):
            frame = await sink.recv(compact=False)
            data = bytes(frame.tdata)
            assert all(frame.tkeep)  # whole words
            for k in range(0, len(data), lanes):
                compare(board, image, int.from_bytes(data[k : k + lanes], "little"))
            assert board.steps == number + 1
        assert board.done and board.mismatches == 0, board.first
        assert board.spikes > 10
        # Events of a step that never ends, and one whose results nobody takes.
        for events, last in ((sequences[0][0], 0), (sequences[0][1], 0)):
            data = b"".join(w.to_bytes(size, "little") for w in words_of(image, events, last))
            await source.send(AxiStreamFrame(data))
        await ClockCycles(clock, 25)
        reset.value = 0
        await RisingEdge(clock)
        source.clear()
        reset.value = 1
        await ClockCycles(clock, 30)
        sink.clear()
