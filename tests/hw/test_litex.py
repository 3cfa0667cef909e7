"""The LiteX module of examples/: a SoC around an exported folder, simulated by Icarus Verilog."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.networks import random_image
from triodia_hw.export.folder import export_folder

ROOT = Path(__file__).resolve().parents[2]
BENCH = """
module bench;
  reg clk = 0, rst = 1, cyc = 0, we = 0;
  reg [29:0] adr = 0;
  reg [31:0] sent = 0, got;
  wire [31:0] read;
  wire ack, err, irq;
  always #5 clk = !clk;
  soc soc (.sys_clk(clk), .sys_rst(rst), .master_adr(adr), .master_dat_w(sent), .master_dat_r(read),
    .master_sel(4'hf), .master_cyc(cyc), .master_stb(cyc), .master_we(we), .master_cti(3'd0),
    .master_bte(2'd0), .master_ack(ack), .master_err(err), .irq(irq));
  reg [IN_BITS-1:0] words [0:IN_WORDS-1];
  integer next, left, idle;

  task access(input write, input [29:0] register, input [31:0] value);
    begin
      adr <= register < 16 ? 30'h0c000000 + register : register;
      we <= write; sent <= value; cyc <= 1;
      @(posedge clk);
      while (!(ack || err)) @(posedge clk);
      if (err) $fatal(1, "register %0d ends with err", register);
      got = read; cyc <= 0;
      @(posedge clk);
    end
  endtask

  initial begin
    $readmemh("triodia_tb_in.hex", words);
    repeat (4) @(posedge clk);
    rst <= 0;
    access(0, 1, 0);
    $display("shape %h", got);
    access(1, EVENTS + 2, 1);
    access(1, 2, 1); // an interrupt if there is room
    idle = 0;
    while (!irq && idle < 1000) begin @(posedge clk); idle = idle + 1; end
    $display("room %d", irq);
    access(1, 2, 2); // from now on if a word is there
    repeat (4) @(posedge clk);
    $display("none %d", irq);
    next = 0; left = OUT_WORDS; idle = 0;
    while (left > 0 && idle < 100000) begin
      access(0, 0, 0);
      idle = idle + 1;
      if (got[1] && !irq) $fatal(1, "a word is there, but no interrupt");
      if (got[1]) begin
        idle = 0; left = left - 1;
        access(0, 8, 0);
        $display("word %h", got);
      end else if (got[0] && next < IN_WORDS) begin
        idle = 0;
        access(1, 4, {{32-IN_BITS{1'b0}}, words[next]});
        next = next + 1;
      end
    end
    $finish;
  end
endmodule
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("litex")
    export_folder(random_image(1, lanes=1), folder, "wishbone", inline=True)
    return folder


def make_soc(folder):
    script = [sys.executable, "-W", "error", ROOT / "tests" / "support" / "litex_soc.py"]
    line = [*script, folder, folder / "soc.v"]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


def test_a_soc_with_the_machine(folder):
    """Through LiteX's bus, the recorded input gives the recorded output, step by step."""
    done = make_soc(folder)
    assert done.returncode == 0, done.stderr
    facts = json.loads((folder / "triodia.json").read_text())
    lines = {n: (folder / f"triodia_tb_{n}.hex").read_text().split() for n in ("in", "out")}
    sizes = {"IN_BITS": facts["input"]["bits"], "IN_WORDS": len(lines["in"])}
    sizes["OUT_WORDS"] = len(lines["out"])
    sizes["EVENTS"] = done.stdout.split("events")[1].split()[0]
    assert sizes["IN_BITS"] < 32 and facts["output"]["bits"] <= 32
    text = BENCH
    for name, value in sizes.items():
        text = text.replace(name, str(value))
    (folder / "bench.v").write_text(text)
    build = ["iverilog", "-g2012", "-s", "bench", "-o", "bench.vvp"]
    subprocess.run([*build, "bench.v", "soc.v", "triodia.v"], cwd=folder, check=True)
    run = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "shape 00000101\nroom 1\nnone 0\n" in run.stdout
    got = [int(line.split()[1], 16) for line in run.stdout.splitlines() if line[:4] == "word"]
    source = next(f for f in facts["output"]["fields"] if f["name"] == "source")
    mask = ((1 << source["bits"]) - 1) << source["offset"]

    def steps(words):
        found = [[]]
        for word in words:
            found[-1].append(word & ~mask if word & 3 == 2 else word)
            if word & 3 == 2:
                found.append([])
        return [sorted(step) for step in found]

    assert len(got) > 100 and steps(got) == steps(int(line, 16) for line in lines["out"])


def test_folders_that_it_cannot_take(tmp_path):
    image = random_image(1, lanes=1)
    export_folder(image, tmp_path, "wishbone")
    assert "contents in hex files; export it with --inline" in make_soc(tmp_path).stderr
    export_folder(image, tmp_path, inline=True)
    assert "has the interface streams, not wishbone" in make_soc(tmp_path).stderr
