# amaranth: UnusedElaboratable=no
"""The table "By hand" of docs/contract.md, against reference and gateware."""

import re
from pathlib import Path

import numpy as np

from tests.support.bench import get, put, simulate
from triodia_hw.compile.build import build_image
from triodia_hw.compile.contents import contents
from triodia_hw.gateware.core import Core
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import INPUT_KINDS, OUTPUT_KINDS

DOC = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def table():
    """Rows of the table: (input or None, spike, v_A', v_B')."""
    rows = re.findall(r"^\| (\d) \| (.*) \|$", DOC.read_text().replace("−", "-"), re.M)
    cells = [row.split(" | ") for _, row in rows]
    return [
        (None if c[0] == "–" else int(c[0]), c[4] == "yes", int(c[5]), int(c[8])) for c in cells
    ]


def image():
    p = MachineParams(inputs=1, neurons=2, lanes=1, fraction_bits=2, leak_bits=2, state_bits=12)
    column = [np.array(pair) for pair in ((20, 1), (3, 2), (0, 0))]
    n = NeuronParams(
        threshold=column[0],
        beta=column[1],
        alpha=column[2],
        reset_value=column[2],
        refractory=column[2],
        bias=column[2],
        spiking=np.array([True, False]),
        readout=np.array([False, True]),
    )
    return build_image(p, n, np.array([[5, -3, 0], [0, 7, 0]]))


def test_reference():
    reference = Reference(image())
    rows = table()
    assert len(rows) == 5
    for payload, spike, v_a, v_b in rows:
        result = reference.step([] if payload is None else [(0, payload)])
        assert result.spikes.tolist() == [0] * spike
        assert result.state.v.tolist() == [v_a, v_b]
        assert result.readouts.tolist() == [v_b]


def test_accumulator_bits():
    assert "5·128 + 3·4 = 652: 11 bits" in DOC.read_text()
    assert image().params.accumulator_bits == 11


def test_gateware():
    im = image()
    dut = Core(im.params, contents=contents(im))
    sources = im.source_of_neuron()

    async def feed(ctx):
        for payload, *_ in table():
            if payload is not None:
                await put(ctx, dut.i, {"kind": INPUT_KINDS["event"], "payload": payload})
            await put(ctx, dut.i, {"kind": INPUT_KINDS["end"]})

    async def check(ctx):
        for _, spike, _, v_b in table():
            words = []
            while (word := await get(ctx, dut.o)).kind != OUTPUT_KINDS["end"]:
                words.append((word.kind, word.source, word.value))
            expected = [(OUTPUT_KINDS["spike"], sources[0], 0)] * spike
            expected.append((OUTPUT_KINDS["readout"], sources[1], v_b))
            assert sorted(words) == sorted(expected)

    simulate(dut, feed, check)
