# amaranth: UnusedElaboratable=no
"""The machine behind AXI4 and Wishbone, as exported Verilog, by existing bus libraries."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from cocotb_tools.runner import get_runner

from tests.support.commands import call, ok
from tests.support.networks import random_events, random_image
from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import export_verilog
from triodia_hw.gateware.wrappers import bus_bits
from triodia_hw.machine.image import save_image

ROOT = Path(__file__).resolve().parents[2]


def simulate(folder, image, sequences, monkeypatch, *, bench, interface, **job):
    """Run a bench, told of ``job``, on the exported Verilog; returns its log."""
    export_verilog(image, folder, interface)
    save_image(image, folder / "m.image")
    job = {
        "image": str(folder / "m.image"),
        "sequences": sequences,
        **job,
    }
    monkeypatch.setenv("TRIODIA_WRAPPER_JOB", json.dumps(job))
    monkeypatch.syspath_prepend(str(ROOT))  # which the runner hands on
    runner = get_runner("icarus")
    with suppress(SystemExit):  # said in the log, too
        runner.build(
            sources=[folder / f"{TOP}.v"],
            hdl_toplevel=TOP,
            build_dir=folder / "sim",
            build_args=["-g2012"],
            timescale=("1ns", "1ps"),
            log_file=folder / "build.log",
        )
        runner.test(
            hdl_toplevel=TOP,
            test_module=f"tests.support.{bench}",
            build_dir=folder / "sim",
            test_dir=folder,
            log_file=folder / "test.log",
        )
    text = (folder / "test.log").read_text(errors="replace")
    assert "FAIL=0" in text, text[-3000:]
    return text


CASES = {False: {"lanes": 1, "state_bits": 24, "neurons": 9}, True: {"lanes": 2}}
BUSES = {
    "axi-stream": {"bench": "wrappers_bench"},
    "axi-lite": {"bench": "axi_lite_bench"},
    "wishbone classic": {"bench": "wishbone_bench", "pipelined": False},
    "wishbone pipelined": {"bench": "wishbone_bench", "pipelined": True},
}


@pytest.mark.parametrize("stall", [False, True])
@pytest.mark.parametrize("bus", BUSES)
def test_equals_reference(bus, stall, tmp_path, monkeypatch):
    image = random_image(1, **CASES[stall])
    sequences = [random_events(image, 12, seed) for seed in (1, 2)]
    how = BUSES[bus] | {"interface": bus.split()[0], "stall": stall}
    text = simulate(tmp_path, image, sequences, monkeypatch, **how)
    assert "PASS=1" in text


def test_bus_bits():
    assert [bus_bits(width) for width in (1, 32, 33, 64, 65)] == [32, 32, 64, 64, 128]


def test_command(capsys, tmp_path):
    save_image(random_image(1, lanes=1), tmp_path / "m.image")
    line = ("verilog", tmp_path / "m.image", "-o", tmp_path, "--interface")
    ok(capsys, *line, "axi-stream")
    assert "m_axis_tvalid" in (tmp_path / "triodia.v").read_text()
    ok(capsys, *line, "axi-lite")
    assert "s_axi_awvalid" in (tmp_path / "triodia.v").read_text()
    ok(capsys, *line, "wishbone")
    assert "wb_stall" in (tmp_path / "triodia.v").read_text()
    code, _, err = call(capsys, *line, "apb")
    assert code == 2
    assert err == "triodia: `--interface` must be axi-stream, axi-lite or wishbone, got apb.\n"
