# amaranth: UnusedElaboratable=no
"""Parity: a bit flip in memory is detected before anything computed from it is put out."""

import random
from dataclasses import replace

import pytest

from tests.support.bench import put, simulate
from tests.support.networks import random_events, random_image
from triodia.host.board import open_board
from triodia.host.errors import MemoryFault
from triodia.host.run import run_samples
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import DoesNotFit, check_fit
from triodia_boards.virtual_source import top_source
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.options import Options
from triodia_hw.cost.resources import block_rams
from triodia_hw.export.rtlil import core_rtlil
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.ram import Ram
from triodia_hw.gateware.units import Units
from triodia_hw.link.frame import BoardFrame, Kind
from triodia_hw.machine.words import INPUT_KINDS, OUTPUT_KINDS
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

PARITY = Options(parity=True, poison=True)
MEMORIES = ("pointers", "synapses", "neurons", "state", "sums_0", "sums_1")


@pytest.fixture
def memories(monkeypatch):
    """Memories of a machine while it is elaborated: (name, part of it) to their words."""
    found, column, parity = {}, Ram._column, Ram._parity

    def remember(ram, m, part):
        found.setdefault((ram.name, part), []).append(m._named_submodules[part][0].data)

    def add_column(ram, m, name, *rest):
        column(ram, m, name, *rest)
        remember(ram, m, name)

    def add_parity(ram, m):
        parity(ram, m)
        remember(ram, m, "parity")

    monkeypatch.setattr(Ram, "_column", add_column)
    monkeypatch.setattr(Ram, "_parity", add_parity)
    return found


def run(image, flip, steps=6):
    """A machine in which ``flip(ctx)`` is called behind the second step: words put out until
    ``fault`` was high, and whether it was."""
    dut = Core(image.params, contents=contents(image), units=Units(PARITY))
    sequence, before = random_events(image, steps, 3), []
    every = [(channel, 1) for channel in range(image.params.inputs)]
    seen = {"fault": False, "ends": 0}

    async def feed(ctx):
        for t, events in enumerate(sequence):
            while t == 2 and seen["ends"] < 2:
                await ctx.tick()
            if t == 2:
                await ctx.tick().repeat(60)  # nothing is under way
                flip(ctx)
            for channel, payload in every if t >= 2 else events:
                word = {"kind": INPUT_KINDS["event"], "source": channel, "payload": payload}
                await put(ctx, dut.i, word)
            await put(ctx, dut.i, {"kind": INPUT_KINDS["end"]})

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        while seen["ends"] < steps:
            *_, valid, word, fault = await ctx.tick().sample(dut.o.valid, dut.o.p, dut.fault)
            seen["fault"] |= bool(fault)
            if valid:
                before.append((word.kind, word.source, word.value))
                seen["ends"] += word.kind == OUTPUT_KINDS["end"]
            if seen["fault"]:
                return

    simulate(dut, take, feed, timeout=30_000)
    return before, seen["fault"]


@pytest.mark.parametrize("name", MEMORIES)
def test_a_flipped_bit_is_found(name, memories):
    """A flip of any bit that is read raises ``fault``, and all earlier output is right."""
    image, chance = random_image(2, lanes=2, inputs=3, density=0.6), random.Random(name)
    clean, fault = run(image, lambda _: None)
    assert not fault
    for _ in range(4):
        memories.clear()
        before, fault = run(image, lambda ctx: flip_one(ctx, image, memories, name, chance))
        assert fault
        assert before == clean[: len(before)]


def flip_one(ctx, image, memories, name, chance):
    """Flip a random bit, or the parity bit, of a word that one of the next steps reads."""
    depth = {"pointers": image.params.inputs, "synapses": 1}.get(name, image.params.slots)
    parts = [words for (memory, _), lanes in memories.items() if memory == name for words in lanes]
    word = chance.choice(parts)[chance.randrange(depth)]
    ctx.set(word, ctx.get(word) ^ 1 << chance.randrange(len(word)))


def test_no_false_alarm(memories):
    """Words that are undefined because they are written while read raise no fault."""
    for seed, case in enumerate(({"lanes": 1}, {"lanes": 3, "synaptic": True}, {"neurons": 30})):
        image = random_image(seed, **({"lanes": 2} | case))
        words, fault = run(image, lambda _: None, steps=12)
        assert not fault and len(words) > 12


def test_without_it_nothing_changes():
    """Without parity no bit of it is stored or checked (``fault`` is 0); with it each memory gets
    another."""
    p = random_image(2, lanes=2).params
    plain, checked = core_rtlil(p), core_rtlil(p, options=Options(parity=True))
    assert "parity" not in plain and "parity" in checked
    count = len(memory_shapes(p)) * p.lanes
    assert checked.count("attribute \\ram_style") == plain.count("attribute \\ram_style") + count
    assert block_rams(p, Options(parity=True)) == block_rams(p) + count


def test_where_it_cannot_be():
    p = random_image(2, lanes=1, state_bits=16).params
    text = r"^icebreaker keeps synapses in memory that starts with random words, where parity says "
    with pytest.raises(DoesNotFit, match=text):
        check_fit(p, BOARDS["icebreaker"], parity=True)
    with pytest.raises(ValueError, match=r"^single_port must be empty with parity: .*$"):
        Options(parity=True, single_port=("synapses",))
    assert check_fit(p, BOARDS["ulx3s-25f"], parity=True) == Options(parity=True)


def test_on_a_virtual_board(tmp_path):
    """A virtual board with parity loads and runs; the host reports a fault once."""
    image = random_image(4, neurons=15, lanes=2)
    rtlil, pins, divisor = top_source(
        image.params, BOARDS["ulx3s-25f"], baud=25_000_000, parity=True
    )
    program = compile_board(rtlil, BoardPins(**pins), tmp_path)
    samples = [random_events(image, 20, seed) for seed in range(3)]
    with VirtualBoard(program, divisor) as virtual, open_board(virtual.port, timeout=30) as host:
        host.load(image)
        assert run_samples(host, samples, check=True).mismatches == 0
        sent = replace(BoardFrame(Kind.WORDS, host.session.number, ack=0), fault=True)
        host.session.feed(sent.encode(), 0.0)
        text = rf"^Parity found a bit flip in the memory of the board at {virtual.port}\. "
        with pytest.raises(MemoryFault, match=text):
            host.step(samples[0][0])
        host.load(image)
        assert run_samples(host, samples, check=True).mismatches == 0
