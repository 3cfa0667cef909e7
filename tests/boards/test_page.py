"""The page of a build: cells by unit, the critical path in our names, and the memory map."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.support.networks import random_image
from triodia_boards.catalog import BOARDS, BadChoice
from triodia_boards.flow.build import build
from triodia_boards.flow.limits import check_fit
from triodia_boards.flow.page import build_page, critical_path, units
from triodia_boards.flow.report import BuildReport
from triodia_hw.compile.contents import memory_shapes

CELLS = {
    "serial.core.lane_0.sweep.neuron.v_TRELLIS_FF_Q_3": "TRELLIS_FF",
    "serial.core.lane_1.sweep.neuron.v_TRELLIS_FF_Q": "TRELLIS_FF",
    "serial.core.lane_1.sweep.state.mem.0.0": "DP16KD",
    "serial.core.lane_1.accumulator.product_MULT18X18D_P": "MULT18X18D",
    "serial.core.lane_1.free_LUT4_Z": "LUT4",
    "serial.core.hub.bus.taken_LUT4_Z_1": "LUT4",
    "serial.link.again_CCU2C_S0": "CCU2C",
    "serial.transmitter.bits_LUT4_Z": "LUT4",
    "led_0.buf": "TRELLIS_IO",
}
NETLIST = {"modules": {"top": {"cells": {name: {"type": kind} for name, kind in CELLS.items()}}}}
V, CHAIN, LAST = (
    "serial.core.lane_0.sweep.v_TRELLIS_FF_Q_3",
    "serial.link.inbox.free_CCU2C_S0_COUT",
    "serial.link.ready_LUT4_Z",
)


def step(kind, delay, source, target):
    ends = {"from": {"cell": source, "port": "Q"}, "to": {"cell": target, "port": "A"}}
    return {"type": kind, "delay": delay, "net": "n", **ends}


PATH = [
    step("clk-to-q", 0.5, V, V),
    step("routing", 1.0, V, CHAIN),
    step("logic", 0.3, CHAIN, CHAIN),
    step("routing", 0.0, CHAIN, CHAIN + "_COUT_CCU2C_S1"),
    step("logic", 0.2, CHAIN + "_COUT_CCU2C_S1", "$PACKER_FEED$3"),
    step("routing", 0.7, "$PACKER_FEED$3", LAST),
    step("setup", 0.1, LAST, LAST),
]
REPORT = {
    "critical_paths": [
        {"from": "async", "to": "posedge clk", "path": [step("logic", 99.0, V, V)]},
        {"from": "posedge clk", "to": "posedge clk", "path": PATH},
        {"from": "posedge clk", "to": "posedge clk", "path": PATH[:2]},
    ]
}


def test_units():
    found = units(NETLIST, "ecp5")
    assert list(found) == [
        *("PE accumulator", "PE sweep", "PE wiring", "core hub", "link", "serial port", "board"),
    ]
    assert found["PE sweep"] == Counter(registers=2, blocks=1)
    assert found["PE accumulator"] == Counter(multipliers=1) and found["link"] == Counter(other=1)
    assert sum(map(Counter.total, found.values())) == len(CELLS)


def test_critical_path():
    """The slowest path from edge to edge; chains and nextpnr's own cells join their signal."""
    parts = critical_path(REPORT)
    got = [(p.unit, p.signal, round(p.logic, 3), round(p.routing, 3)) for p in parts]
    assert got == [
        ("PE sweep", "serial.core.lane_0.sweep.v", 0.5, 0.0),
        ("link", "serial.link.inbox.free", 0.5, 1.0),
        ("link", "serial.link.ready", 0.1, 0.7),
    ]
    assert critical_path({"critical_paths": REPORT["critical_paths"][:1]}) == []


def made(**change):
    counts = {"luts": 2400, "registers": 2000, "blocks": 28, "single_port": 0, "multipliers": 2}
    counts |= {"lut4": 1, "delay_registers": 0, "patched_slices": 0}
    counts |= dict.fromkeys(("packed_registers", "packed_blocks", "packed_multipliers"), 0)
    how = {"board": "ulx3s-25f", "fmax_mhz": 106.5, "clock_mhz": 100.0, "seed": 3}
    how |= {"router": "router1", "seconds": 1, "bitstream": "x", "baked": True}
    return BuildReport(**counts | how | change)


@pytest.mark.parametrize("timed", [True, False])
def test_page(tmp_path, timed):
    """Complete in itself, and every figure is that of the build."""
    image, board = random_image(5, lanes=2, refractory_bits=2), BOARDS["ulx3s-25f"]
    (tmp_path / "top.json").write_text(json.dumps(NETLIST))
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    report = made() if timed else replace(made(), fmax_mhz=None)
    board = replace(board, title='<b>"mine"')
    page = build_page(image, board, check_fit(image.params, board), tmp_path, report)
    assert not re.search(r"(src|href)=|url\(|@import", page)  # nothing is fetched
    assert "<b>" not in page and "&lt;b&gt;" in page
    text = re.sub(r"<[^>]+>", " ", page)
    assert "28  56  50.0 %" in text and image.digest()[:16] in text
    assert ("serial.link.inbox.free" in text) == timed
    assert ("do not time" in text) != timed
    for shape in memory_shapes(image.params):
        assert re.search(rf"{shape.name} .* 0 to {shape.depth - 1:,}  {shape.width} ", text)


def test_no_page_for_the_vendor(tmp_path):
    text = r"^a page must be left out for arty-a7-35: the vendor's tool reports$"
    with pytest.raises(BadChoice, match=text):
        build(random_image(1, lanes=1), BOARDS["arty-a7-35"], tmp_path / "b", page=True)
    assert not (tmp_path / "b").exists()
