"""Faults at the ports of an exported machine; the bench must find each, and say what it is."""

import re

import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.errors import TriodiaError
from triodia_hw.export.verilog import export_verilog
from triodia_hw.machine.params import MachineParams
from triodia_sim.monitor import RULES, watched
from triodia_sim.runner import cosimulate
from triodia_sim.scoreboard import Scoreboard

IMAGE = random_image(4, lanes=2, neurons=12, inputs=4, bias_bits=6, refractory_bits=2)
SEQUENCES = [random_events(IMAGE, steps, 1) for steps in (7, 5)]

# Declarations, what ports of the machine are instead of their own (x_NAME), the word that differs.
FAULTS = {
    "offer withdrawn": (
        "reg skip = 0; always @(posedge clk) skip <= x_o_valid & ~o_ready & ~skip;",
        {"o_valid": "x_o_valid & ~skip", "x_o_ready": "o_ready & ~skip"},
        "o_valid",
    ),
    "offer changed": (
        "reg old = 0; always @(posedge clk) old <= x_o_valid & ~o_ready;",
        {"o_value": "x_o_valid & ~o_ready & old ? x_o_value ^ 1 : x_o_value"},
        "offered word",
    ),
    "valid in reset": (
        "reg again = 0; always @(posedge clk) again <= again | o_ready;",
        {"o_valid": "x_o_valid | (rst & again)"},
        "",
    ),
    "undefined valid when idle": ("", {"o_valid": "x_o_valid ? 1'b1 : 1'bx"}, "o_valid"),
    "undefined ready when full": ("", {"i_ready": "x_i_ready ? 1'b1 : 1'bx"}, "i_ready"),
    "a word long after the last end": (
        "reg [10:0] quiet = 0; always @(posedge clk) quiet <= x_o_valid | ~&quiet & quiet == 0 ? "
        "x_o_valid : quiet == 1000 ? 1001 : quiet + (quiet < 1000);",
        {"o_valid": "x_o_valid | quiet == 1000", "x_o_ready": "o_ready"},
        "end",
    ),
    "cycles halved": ("", {"cycles": "x_cycles >> 1"}, "counter cycles"),
    "output stalls at 0": ("", {"output_stalls": "32'd0"}, "counter output_stalls"),
    "bus stalls at 0": ("", {"bus_stalls": "32'd0"}, "counter bus_stalls"),
    "descending event lost": (
        "reg [7:0] prior = 0; wire down = i_valid & i_kind == 0 & i_source < prior; "
        "always @(posedge clk) if (i_valid & i_ready) prior <= i_kind == 0 ? i_source : 0;",
        {"x_i_valid": "i_valid & !down"},
        "",
    ),
    "second reset ignored": (
        "reg up = 0; always @(posedge clk) up <= up | o_ready;",
        {"x_rst": "rst & ~up"},
        "",
    ),
    "reads lost": ("", {"x_i_valid": "i_valid & i_kind != 3"}, "end"),
    "read of counters lost soon after another": (
        "reg [5:0] n = 0; wire counters = i_kind == 3 & i_source[1:0] == 3; "
        "always @(posedge clk) n <= i_valid & i_ready & counters ? 1 : n + |n;",
        {"x_i_valid": "i_valid & ~(counters & |n)"},
        "end",
    ),
    "loads lost": ("", {"x_i_valid": "i_valid & i_kind != 2"}, ""),
    "input every 64th cycle": (
        "reg [5:0] slow = 0; always @(posedge clk) slow <= slow + 1;",
        {"x_i_valid": "i_valid & slow == 0", "i_ready": "x_i_ready & slow == 0"},
        "i_ready",
    ),
    "input at times after 16 cycles": (
        "reg [3:0] n = 0; reg on = 0; wire wait_ = on & |n; always @(posedge clk) begin "
        "on <= on | (i_valid & i_ready); n <= i_valid & i_ready ? 1 : n + |n; end",
        {"x_i_valid": "i_valid & ~wait_", "i_ready": "x_i_ready & ~wait_"},
        "cycle of an end",
    ),
    "a count that nobody asked for": (
        "reg [6:0] n = 0; always @(posedge clk) n <= n + (x_o_valid & o_ready & ~&n);",
        {"o_kind": "x_o_kind | {2{n == 20}}"},
        "count",
    ),
    "long queue loses a word": (
        "reg [4:0] full = 0; always @(posedge clk) full <= "
        "o_ready ? 0 : full + (x_o_valid & full < 30); wire lose = full > 25 & o_ready;",
        {"o_valid": "x_o_valid & ~lose"},
        "",
    ),
}
FAST = (
    "offer changed",
    "undefined valid when idle",
    "input at times after 16 cycles",
    "loads lost",
    "read of counters lost soon after another",
)


def faulty(verilog, declarations, changes):
    """The machine inside one of the same ports that does something else."""
    head = re.search(r"^module triodia\((.*?)\);(.*?)^endmodule", verilog, re.M | re.S)
    ports = re.findall(
        r"^ +(input|output) (?:wire )?(?:signed )?(\[\d+:0\] )?(\w+);", head[2], re.M
    )
    lines, joined = [], []
    for way, width, name in ports:
        signed = "signed " if name in ("o_value", "i_payload") else ""
        lines.append(f"  {way} {signed}{width}{name};\n  wire {signed}{width}x_{name};")
        here, there = (f"x_{name}", name) if way == "input" else (name, f"x_{name}")
        lines.append(f"  assign {here} = {changes.get(here, there)};")
        joined.append(f".{name}(x_{name})")
    assert {name for _, _, name in ports} == set(re.findall(r"\w+", head[1]))
    assert set(changes) <= {n for _, _, name in ports for n in (name, f"x_{name}")}
    inner = verilog.replace("module triodia(", "module triodia_inner(")
    top = f"module triodia({head[1]});\n" + "\n".join(lines)
    top += f"\n  {declarations}\n  triodia_inner inner ({', '.join(joined)});\nendmodule\n"
    return inner + "\n" + top


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export_verilog(IMAGE, folder)
    return folder


def test_without_fault(export, tmp_path):
    """The same machine inside another one passes, so what the tests below find is the fault."""
    text = (export / "triodia.v").read_text()
    result = check(export, tmp_path, faulty(text, "", {}))
    assert result.mismatches == 0, result.first
    assert result.exercise["steps"] > 40


def check(export, folder, text):
    verilog = folder / "verilog"
    verilog.mkdir()
    for file in export.glob("*.hex"):
        (verilog / file.name).write_text(file.read_text())
    (verilog / "triodia.v").write_text(text)
    return cosimulate(IMAGE, SEQUENCES, folder / "run", verilog=verilog)


@pytest.mark.parametrize(
    "name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in FAULTS]
)
def test_fault_is_caught(name, export, tmp_path):
    declarations, changes, word = FAULTS[name]
    text = (export / "triodia.v").read_text()
    result = check(export, tmp_path, faulty(text, declarations, changes))
    assert result.mismatches > 0
    assert word in result.first.word, result.first


@pytest.mark.parametrize("bit", [4, *(pytest.param(b, marks=pytest.mark.slow) for b in (2, 7))])
def test_a_pe_that_takes_blocks_for_another_number_is_caught(bit, export, tmp_path):
    mine = "load__lane == index"
    text = (export / "triodia.v").read_text()
    assert text.count(mine) == 1
    ignored = text.replace(mine, f"(load__lane & ~(8'd1 << {bit})) == index")
    result = check(export, tmp_path, ignored)
    assert result.mismatches > 0
    assert result.first.part == "loads"


def test_a_count_that_nobody_asked_for_is_a_mismatch():
    board = Scoreboard(IMAGE, [[[]]])
    board.word(3, 0, 4, 17, 5)
    assert (board.mismatches, board.first.word) == (1, "count")
    board.expect_report()
    for number in range(10):
        board.word(3, 0, number, number, 6)
    assert board.report == list(range(10)) and board.mismatches == 1
    board.word(3, 0, 10, 0, 7)
    assert board.mismatches == 2


def test_a_monitor_needs_its_module():
    p = MachineParams(inputs=1, neurons=1, lanes=1)
    with pytest.raises(TriodiaError, match=r"^The Verilog has no module triodia\.$"):
        watched("module triodia_core();\nendmodule\n", "triodia", p)
    assert set(RULES) == set(range(1, len(RULES) + 1))
