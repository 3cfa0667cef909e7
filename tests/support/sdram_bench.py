"""The SDRAM controller and the model of the chip, with random bursts, in Icarus Verilog."""

import subprocess
from pathlib import Path

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.export.modules import VerilogUnits
from triodia_hw.export.sdram import sdram_model
from triodia_hw.gateware.sdram import Sdram
from triodia_hw.gateware.sdram_ports import SDRAM_PORTS, join_sdram

_BENCH = """`timescale 1ns/1ps
module bench;
  reg clk = 0, r_valid = 0, r_more = 0, w_valid = 0;
  reg [23:0] r_address = 0, w_address = 0;
  reg [15:0] w_word = 0;
  wire r_ready, w_ready, failed, cke, ras_n, cas_n, we_n, dqm, dq_oe;
  wire [1:0] ba;
  wire [12:0] a;
  wire [15:0] dq_o, dq_i, word;
  DUT dut(.clk(clk), .r_valid(r_valid), .r_more(r_more), .r_address(r_address),
    .r_ready(r_ready), .w_valid(w_valid), .w_address(w_address), .w_word(w_word),
    .w_ready(w_ready), .word(word), .fault(failed), .sdram_cke(cke), .sdram_ras_n(ras_n),
    .sdram_cas_n(cas_n), .sdram_we_n(we_n), .sdram_ba(ba), .sdram_a(a), .sdram_dqm(dqm),
    .sdram_dq_o(dq_o), .sdram_dq_oe(dq_oe), .sdram_dq_i(dq_i));
  sdram_model #(MODEL) model(.clk(clk), .cke(cke), .ras_n(ras_n), .cas_n(cas_n), .we_n(we_n),
    .ba(ba), .a(a), .dqm(dqm), .dq_i(dq_o), .dq_oe(dq_oe), .dq_o(dq_i));
  always #5 clk = ~clk;

  reg [23:0] asked [0:31];  // addresses on their way
  reg [31:0] flying = 0;
  reg [15:0] known [0:65535];  // what was written, by address
  reg [9:0] left = 0;
  reg [23:0] at = 0;
  integer cycle = 0, words = 0, seed = SEED, k, wrong = 0, writes = 0, to_write = 40;
  initial for (k = 0; k < 32; k = k + 1) asked[k] = 0;
  initial #1 for (k = 0; k < 65536; k = k + 1) begin  // as if written long ago
    known[k] = k * 40503 + 7;
    model.mem[k] = known[k];
  end
  task another;
    begin
      r_address = $random(seed) & 24'hffff;
      if ($random(seed) & 1) r_address[8:0] = 500;
    end
  endtask
  always @(posedge clk) begin
    cycle <= cycle + 1;
    flying = {flying[30:0], 1'b0};
    for (k = 31; k > 0; k = k - 1) asked[k] = asked[k-1];
    // The signals of this cycle, before any changes below.
    if (r_valid && r_ready || r_more) begin
      flying[0] = 1;
      asked[0] = r_ready && r_valid ? r_address : at;
      words = words + 1;
    end
    if (flying[LATENCY]) begin
      if (word !== known[asked[LATENCY][15:0]]) begin
        wrong = wrong + 1;
        if (wrong < 5) $display("WRONG %0d: %h is %h, not %h", cycle, asked[LATENCY], word,
          known[asked[LATENCY][15:0]]);
      end
    end
    if (w_valid && w_ready) known[w_address[15:0]] = w_word;
    if (cycle == CYCLES) begin
      $display("words %0d wrong %0d failed %0d writes %0d", words, wrong, failed, writes);
      $finish;
    end
    if (r_valid && r_ready) begin
      at <= r_address + 1;
      left = BURST ? BURST : 1 + ($random(seed) & 63);
      if (left > 512 - r_address[8:0]) left = 512 - r_address[8:0];
      left = left - 1;
      another;
    end else if (r_more) begin
      at <= at + 1;
      left = left - 1;
    end
    r_more <= left != 0;
    if (w_valid && w_ready) begin
      writes = writes + 1;
      to_write = to_write - 1;
    end
    if (to_write == 0 && ($random(seed) & 1023) == 0) to_write = 20;
    if (!w_valid || w_ready) begin
      w_valid <= to_write > 1 || to_write == 1 && !(w_valid && w_ready);
      w_address <= $random(seed) & 24'hffff;
      w_word <= $random(seed);
    end
    r_valid <= cycle > 100 && (BURST || ($random(seed) & 7) != 0);
  end
endmodule
"""


class Dut(wiring.Component):
    """A controller with plain ports and the registers at its pins."""

    def __init__(self, controller):
        self.controller = controller
        super().__init__({
            "clk": In(1),
            "r_valid": In(1),
            "r_more": In(1),
            "r_address": In(24),
            "r_ready": Out(1),
            "w_valid": In(1),
            "w_address": In(24),
            "w_word": In(16),
            "w_ready": Out(1),
            "word": Out(16),
            **SDRAM_PORTS,
        })

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        m.submodules.controller = one = self.controller
        one.sdram, one.fault = one.pins, one.failed
        join_sdram(m, self, one)
        m.d.comb += [
            clock.clk.eq(self.clk),
            one.read.valid.eq(self.r_valid),
            one.read.more.eq(self.r_more),
            one.read.address.eq(self.r_address),
            self.r_ready.eq(one.read.ready),
            one.write.valid.eq(self.w_valid),
            one.write.p.address.eq(self.w_address),
            one.write.p.word.eq(self.w_word),
            self.w_ready.eq(one.write.ready),
            self.word.eq(one.word),
        ]
        return m


def result(printed: str) -> dict[str, int]:
    """The numbers of the line that :func:`run` prints at the end; fails if there is none."""
    words = printed.split("words ")[1].split()
    return dict(zip(["words", *words[1::2]], map(int, words[0::2]), strict=True))


def run(folder: Path, timing, *, cycles=20_000, burst=0, seed=1, period_ps=10_000, **model):
    """What Icarus prints: ``words … wrong … failed … writes …``, or what was violated."""
    text = "\n".join(m.text for m in VerilogUnits("DUT").convert(Dut(Sdram(timing))))
    numbers = {"CYCLES": cycles, "BURST": burst, "SEED": seed, "LATENCY": timing.latency}
    model = {"FILE_WORDS": 1 << 16, "POWER_UP": timing.power_up * period_ps} | model
    bench = _BENCH.replace("MODEL", ", ".join(f".{k}({v})" for k, v in model.items()))
    for name, value in numbers.items():
        bench = bench.replace(name, str(value))
    source = folder / "bench.v"
    source.write_text("\n".join([bench, text, sdram_model(1 << 17, period_ps)]))
    command = ["iverilog", "-g2005-sv", "-s", "bench", "-o", str(folder / "bench.vvp"), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    done = subprocess.run(["vvp", "-n", str(folder / "bench.vvp")], capture_output=True, text=True)
    return done.stdout
