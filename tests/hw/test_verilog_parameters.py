"""`--top-parameters`: reset and memory style of the exported Verilog."""

import json
import re
import subprocess

import pytest

from tests.support.commands import call
from tests.support.networks import random_image
from triodia_hw.export.folder import export_folder
from triodia_hw.export.parameters import USUAL, TopParameters, top_parameters
from triodia_hw.machine.image import save_image

IMAGE = random_image(1, lanes=1)


def made(folder, text, interface=""):
    """The Verilog of a folder exported with parameters ``text``, whose own testbench passes."""
    export_folder(IMAGE, folder, interface, parameters=top_parameters(text, interface))
    done = subprocess.run(["make", "sim"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "PASS" in done.stdout, done.stdout + done.stderr
    return (folder / "triodia.v").read_text()


def test_an_asynchronous_reset_that_is_active_low(tmp_path):
    """Reset holds without any clock edge; its release takes two. Facts and pages say so."""
    verilog = made(tmp_path, "reset_polarity=low, reset_kind=async")
    assert "input rst_n;" in verilog and "input rst;" not in verilog.split("endmodule")[0]
    known = json.loads((tmp_path / "triodia.json").read_text())["reset"]
    assert known == {"port": "rst_n", "active": "low", "synchronous": False, "cycles": 16}
    readme = (tmp_path / "README.md").read_text()
    assert "`rst_n` is active low and asynchronous" in readme and "`rst`" not in readme
    (tmp_path / "try.v").write_text(
        """
module try;
  reg clk = 0, rst_n = 1;
  wire ready;
  triodia dut (.clk(clk), .rst_n(rst_n), .i_valid(1'b0), .o_ready(1'b1), .i_ready(ready));
  integer k;
  initial begin
    for (k = 0; k < 400; k = k + 1) #5 clk = !clk;
    $display("before %b", ready);
    #1 rst_n = 0;
    #1 $display("asked %b", dut.reset);
    #1 rst_n = 1;
    #5 $display("released %b", dut.reset);
    #5 clk = 1; #5 clk = 0; $display("one edge %b", dut.reset);
    #5 clk = 1; #5 clk = 0; $display("two edges %b", dut.reset);
  end
endmodule
"""
    )
    build = ["iverilog", "-g2012", "-s", "try", "-o", "try.vvp", "try.v", "triodia.v"]
    subprocess.run(build, cwd=tmp_path, check=True)
    run = ["vvp", "-n", "try.vvp"]
    out = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^(\w[\w ]*) ([01])$", out, re.M) == [
        ("before", "1"),
        ("asked", "1"),
        ("released", "1"),
        ("one edge", "1"),
        ("two edges", "0"),
    ]


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("block", ['ram_style = "block"', 'ramstyle = "no_rw_check"']),
        ("distributed", ['ram_style = "distributed"', 'ramstyle = "MLAB, no_rw_check"']),
        ("auto", ['ramstyle = "no_rw_check"']),
    ],
)
def test_memory_style(tmp_path, style, words):
    verilog = made(tmp_path, f"reset_polarity=low,memory_style={style}")
    assert all(word in verilog for word in words)
    assert (' ram_style = "' in verilog) == (style != "auto")


def test_nothing_given_changes_nothing(tmp_path):
    for name, how in (("a", {}), ("b", {"parameters": top_parameters("", "")})):
        export_folder(IMAGE, tmp_path / name, **how)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) > 10 and USUAL == TopParameters()
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize(
    ("interface", "text", "message"),
    [
        ("", "reset_polarty=low", "`--top-parameters` has no 'reset_polarty'; did you mean reset_"),
        ("", "colour=red", "`--top-parameters` has no 'colour'; known are reset_polarity, reset_"),
        ("", "reset_kind=late", "The top parameter reset_kind must be sync or async, got 'late'."),
        (
            "",
            "memory_style",
            "The top parameter memory_style must be block or distributed or auto, ",
        ),
        (
            "axi-lite",
            "reset_polarity=high",
            "reset_polarity must be low with `--interface axi-lite",
        ),
        (
            "axi-stream",
            "reset_kind=async",
            "reset_kind must be sync with `--interface axi-stream`,",
        ),
        (
            "wishbone",
            "reset_polarity=low",
            "reset_polarity must be high with `--interface wishbone",
        ),
    ],
)
def test_what_is_refused(tmp_path, capsys, interface, text, message):
    save_image(IMAGE, tmp_path / "m.image")
    line = ["verilog", tmp_path / "m.image", "-o", tmp_path / "rtl", "--top-parameters", text]
    code, out, err = call(capsys, *line, *(["--interface", interface] if interface else []))
    assert (code, out) == (2, "") and err.startswith(f"triodia: {message}")
    assert err.count("\n") == 1 and not (tmp_path / "rtl").exists()


def test_an_interface_that_takes_the_memory_style(tmp_path):
    assert 'ram_style = "distributed"' in made(tmp_path, "memory_style=distributed", "axi-lite")
