# amaranth: UnusedElaboratable=no
"""The tables "By hand" of docs/contract.md, against reference and gateware."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.bench import get, put, simulate
from triodia_hw.compile.build import build_image
from triodia_hw.compile.contents import contents
from triodia_hw.gateware.core import Core
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import INPUT_KINDS, OUTPUT_KINDS

DOC = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


KINDS = ["", ", adaptive", ", with delays"]  # as the headings call them


def table(kind):
    """Rows of the table: (input or None, spike, v_A', b_A', v_B')."""
    heading = f"### By hand{kind}\n"
    _, _, text = DOC.read_text().replace("−", "-").partition(heading)
    lines = [line.strip("| ").split(" | ") for line in text.split("\n#")[0].splitlines()]
    names, rows = lines[[line[0] for line in lines].index("step")], []
    for line in lines:
        if line[0].isdecimal():
            cell = {"b_A'": "0"} | dict(zip(names, line, strict=True))
            payload = None if cell["input"] == "–" else int(cell["input"])
            numbers = [int(cell[name]) for name in ("v_A'", "b_A'", "v_B'")]
            rows.append((payload, cell["spike"] == "yes", *numbers))
    return rows


def image(kind=""):
    adaptive, delays = kind == KINDS[1], (1, 3) if kind == KINDS[2] else ()
    sizes = {"inputs": 1, "neurons": 2, "lanes": 1, "adaptive": adaptive, "delays": delays}
    p = MachineParams(fraction_bits=2, leak_bits=2, state_bits=12, **sizes)
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
        **({"rho": np.array([3, 0]), "jump": np.array([18, 0])} if adaptive else {}),
    )
    weights = np.array([[5, -3, 0], [0, 7, 0]])
    if delays:
        own = np.array([[0, -3, 0], [0, 0, 0]])
        weights = np.array([weights - own, own, [[0, 0, 0], [0, -2, 0]]])
    return build_image(p, n, weights)


@pytest.mark.parametrize("kind", KINDS)
def test_reference(kind):
    reference = Reference(image(kind))
    rows = table(kind)
    assert len(rows) == 5
    for payload, spike, v_a, b_a, v_b in rows:
        result = reference.step([] if payload is None else [(0, payload)])
        assert result.spikes.tolist() == [0] * spike
        assert result.state.v.tolist() == [v_a, v_b]
        assert result.state.b.tolist() == [b_a, 0]
        assert result.readouts.tolist() == [v_b]


def test_events_with_delays():
    assert "1, 2, 2, 3 and 2 events in these steps" in DOC.read_text()
    reference, rows = Reference(image(KINDS[2])), table(KINDS[2])
    steps = [[] if payload is None else [(0, payload)] for payload, *_ in rows]
    assert [reference.step(step).events for step in steps] == [1, 2, 2, 3, 2]


def test_accumulator_bits():
    assert "5·128 + 3·4 = 652: 11 bits" in DOC.read_text()
    assert image().params.accumulator_bits == 11


@pytest.mark.parametrize("kind", KINDS)
def test_gateware(kind):
    im = image(kind)
    dut = Core(im.params, contents=contents(im))
    sources = im.source_of_neuron()

    async def feed(ctx):
        for payload, *_ in table(kind):
            if payload is not None:
                await put(ctx, dut.i, {"kind": INPUT_KINDS["event"], "payload": payload})
            await put(ctx, dut.i, {"kind": INPUT_KINDS["end"]})

    async def check(ctx):
        for _, spike, _, _, v_b in table(kind):
            words = []
            while (word := await get(ctx, dut.o)).kind != OUTPUT_KINDS["end"]:
                words.append((word.kind, word.source, word.value))
            expected = [(OUTPUT_KINDS["spike"], sources[0], 0)] * spike
            expected.append((OUTPUT_KINDS["readout"], sources[1], v_b))
            assert sorted(words) == sorted(expected)

    simulate(dut, feed, check)
