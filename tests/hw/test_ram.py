# amaranth: UnusedElaboratable=no
"""Memories: columns, latency, collisions, the write port."""

import random
import re
from collections import deque

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Value
from amaranth.lib import data

from tests.support.bench import simulate
from triodia_hw.compile.options import Options
from triodia_hw.gateware.ram import Ram


def word_of(width):
    """Fields that do not end where columns do."""
    return data.StructLayout({"low": 5, "high": width - 5})


SHAPES = [(8, 1), (8, 2), (8, 5), (8, 16), (13, 4096), (21, 600), (47, 513)]
RAMS = {
    "working": {},
    "poison": {"options": Options(poison=True)},
    "distributed": {"options": Options(poison=True, distributed=("other", "mine")), "name": "mine"},
    "contents": {"options": Options(poison=True)},
    "single port": {
        "options": Options(poison=True, family="ice40", single_port=("mine",)),
        "name": "mine",
        "init": [1, 2, 3],  # of which it keeps nothing
    },
}


@pytest.mark.parametrize("kind", RAMS)
@pytest.mark.parametrize(("width", "depth"), SHAPES)
def test_ram(width, depth, kind):
    """Reads lag by two cycles; a collision gives the inverse of the old word with ``poison``.

    With a single port every write collides, and shows the inverse of the word that it replaces.
    """
    chance, collisions, shown = random.Random(0), 0, 0
    model = [chance.getrandbits(width) if kind == "contents" else 0 for _ in range(depth)]
    init = {"init": list(model)} if kind == "contents" else {}
    dut = Ram(word_of(width), depth=depth, **init, **RAMS[kind])
    near = min(depth, 4)

    async def run(ctx):
        nonlocal collisions, shown
        expected = deque([None, None])  # what the address of two cycles ago must give
        for _ in range(400):
            at = chance.choice([0, depth - near])
            read, write = at + chance.randrange(near), at + chance.randrange(near)
            enable, word = chance.random() < 0.5, chance.getrandbits(width)
            if kind == "single port" and enable:
                read = write
            collided = enable and read == write
            expected.append(model[read] ^ (collided * ((1 << width) - 1)))
            if collided and kind == "working":
                expected[-1] = None
            ctx.set(dut.r_addr, read)
            ctx.set(dut.w_addr, write)
            ctx.set(dut.w_en, enable)
            ctx.set(Value.cast(dut.w_data), word)
            _, _, low, high, got = await ctx.tick().sample(
                dut.r_data.low, dut.r_data.high, Value.cast(dut.r_data)
            )
            want = expected.popleft()
            if want is not None:
                assert (got, low, high) == (want, want & 31, want >> 5)
                shown += 1
            collisions += collided
            if enable:
                model[write] = word

    simulate(dut, run)
    assert collisions > 5
    assert shown > 200


@pytest.mark.parametrize(("width", "depth"), [(8, 3), (13, 4096), (40, 700)])
def test_content_ram_is_read_only(width, depth):
    """Content memories are read-only unless loadable, and hold their words for any columns."""
    chance = random.Random(1)
    words = [chance.getrandbits(width) for _ in range(depth)]
    dut = Ram(word_of(width), depth=depth, init=words, options=Options(loadable=False))
    assert not {"w_en", "w_addr", "w_data"} & set(dut.signature.members)

    async def run(ctx):
        for address in (0, 1, 2, depth // 2, depth - 1):
            ctx.set(dut.r_addr, address)
            await ctx.tick().repeat(2)
            assert ctx.get(Value.cast(dut.r_data)) == words[address]
            assert ctx.get(dut.r_data.high) == words[address] >> 5

    simulate(dut, run)


@pytest.mark.parametrize(
    ("name", "distributed", "init", "style"),
    [
        ("state", (), None, "block"),
        ("state", ("state",), None, "distributed"),
        ("sums_0", ("state", "sums_1"), None, "block"),
        ("", ("state",), [1, 2], "block"),
        ("synapses", (), [1, 2], "huge"),
    ],
)
def test_ram_style(name, distributed, init, style):
    options = Options(distributed=distributed, single_port=("synapses",))
    text = rtlil.convert(Ram(word_of(8), depth=8, name=name, options=options, init=init))
    assert re.findall(r"attribute \\ram_style \"(\w+)\"", text) == [style]


@pytest.mark.parametrize(
    ("family", "single_port", "widths"),
    [("ecp5", (), [4, 9]), ("ice40", (), [1, *[2] * 6]), ("ice40", ("mine",), [13])],
)
def test_columns_of_a_family(family, single_port, widths):
    options = Options(family=family, single_port=single_port)
    text = rtlil.convert(Ram(word_of(13), depth=4096, name="mine", init=[0], options=options))
    found = re.findall(r"memory width (\d+) size 4096 \\mem_\d\n", text)
    assert sorted(int(width) for width in found) == widths


def test_columns_of_a_content_ram():
    """Each column of a content memory is a separate memory; a working memory is one."""
    shape = word_of(13)
    for init, widths in ((None, [13]), ([0], [4, 9])):
        text = rtlil.convert(Ram(shape, depth=4096, init=init))
        found = re.findall(r"memory width (\d+) size 4096 \\mem(?:_\d)?\n", text)
        assert sorted(int(width) for width in found) == widths
