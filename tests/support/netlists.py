"""Run small designs side by side: as RTL, as ECP5 cells, and with packed registers."""

import copy
import json
import re
import subprocess
from dataclasses import dataclass

from amaranth import *
from amaranth.back import rtlil
from amaranth.lib.memory import Memory

from triodia_boards.flow.registers import Packed, pack_registers
from triodia_boards.flow.synthesis import map_cells
from triodia_hw.export.yosys import run_yosys
from triodia_sim.cells import cell_models

__all__ = ["Design", "Outcome", "block", "compare", "mapped", "run"]


class Design(Elaboratable):
    """A module from ``body(m, inputs)``, a function that returns outputs; ``inputs`` by width."""

    def __init__(self, inputs, body):
        self.inputs = {name: Signal(width, name=name) for name, width in inputs.items()}
        self.body = body

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        for name, value in self.body(m, self.inputs).items():
            m.d.comb += self.outputs[name].eq(value)
        return m

    def rtlil(self, outputs):
        """RTLIL of the design; ``outputs`` by width."""
        self.clk = Signal(name="clk")
        self.outputs = {name: Signal(width, name=name) for name, width in outputs.items()}
        ports = [self.clk, *self.inputs.values(), *self.outputs.values()]
        return rtlil.convert(self, name="dut", ports=ports, emit_src=False)


def block(m, name, *, width, depth, address, init=(), write=None):
    """A block RAM read at ``address``; ``write`` is (enable, address, data). Returns the word."""
    m.submodules[name] = memory = Memory(
        shape=unsigned(width), depth=depth, init=init, attrs={"ram_style": "block"}
    )
    read = memory.read_port()
    m.d.comb += read.addr.eq(address)
    if write:
        port = memory.write_port()
        enable, at, data = write
        m.d.comb += [port.en.eq(enable), port.addr.eq(at), port.data.eq(data)]
    return read.data


def mapped(design, outputs, folder):
    """Netlist (Yosys' JSON) of a design; its RTL in ``golden.v`` of ``folder``."""
    (folder / "dut.il").write_text(design.rtlil(outputs))
    clean = ["proc -nomux -norom", "opt_clean", "memory_collect", "rename dut golden"]
    script = ["read_rtlil dut.il", "hierarchy -top dut", *clean, "write_verilog golden.v"]
    run_yosys(script, folder, "golden")
    return map_cells("dut", folder)


@dataclass(frozen=True)
class Outcome:
    """``mapping``, ``packing``: cycles in which the netlist differs from the RTL, the packed one
    from it; the RTL is X until a memory is read first. ``unsure``: cycles in which the netlist has
    an X."""

    packed: Packed
    mapping: int
    packing: int
    unsure: int


def compare(design, outputs, folder, **options):
    """Run a design as RTL, as netlist and packed; ``options`` as of :func:`run`."""
    return run(design, outputs, mapped(design, outputs, folder), folder, **options)


def run(design, outputs, netlist, folder, *, cycles=600, limits=None):
    """Run a design, its ``netlist``, and that packed, from power-up on random inputs.

    ``limits``: most bits that an input uses.
    """
    moved = copy.deepcopy(netlist)
    packed = pack_registers(moved, "dut")
    for name, content in (("mapped", netlist), ("moved", moved)):
        (folder / f"{name}.json").write_text(json.dumps(content))
        rename = f"rename dut {name}"
        run_yosys(
            [f"read_json {name}.json", rename, f"write_verilog -noattr {name}.v"], folder, name
        )
    inputs = {name: len(signal) for name, signal in design.inputs.items()}
    (folder / "bench.v").write_text(_bench(inputs, outputs, cycles, limits or {}))
    found = re.search(r"mapping (\d+) packing (\d+) unsure (\d+)", _simulate(folder))
    return Outcome(packed, *map(int, found.groups()))


def _simulate(folder):
    sources = [*(folder / f"{name}.v" for name in ("bench", "golden", "mapped", "moved"))]
    command = ["iverilog", "-g2012", "-s", "bench", "-o", folder / "bench.vvp"]
    subprocess.run([*command, *sources, *cell_models(folder)], check=True, capture_output=True)
    run = ["vvp", "-n", folder / "bench.vvp"]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def _bench(inputs, outputs, cycles, limits):
    ways = ("golden", "mapped", "moved")
    lines = [f"  reg [{width - 1}:0] {name} = 0;" for name, width in inputs.items()]
    for way in ways:
        pins = [f".{name}({name})" for name in ("clk", *inputs)]
        pins += [f".{name}({way}_{name})" for name in outputs]
        lines += [f"  wire [{width - 1}:0] {way}_{name};" for name, width in outputs.items()]
        lines += [f"  {way} {way} ({', '.join(pins)});"]
    words = {way: "{" + ", ".join(f"{way}_{name}" for name in outputs) + "}" for way in ways}
    chance = [
        f"{name} = {{$random, $random, $random}} & {(1 << limits.get(name, width)) - 1};"
        for name, width in inputs.items()
    ]
    return "\n".join([
        "module bench;\n  reg clk = 0;",
        *lines,
        "  integer k, mapping = 0, packing = 0, unsure = 0;",
        f"  initial begin\n    for (k = 0; k < {cycles}; k = k + 1) begin\n      #1",
        f"      if (^{words['mapped']} === 1'bx) unsure = unsure + 1;",
        f"      else if ((^{words['golden']} !== 1'bx) && {words['golden']} != {words['mapped']})",
        "        mapping = mapping + 1;",
        f"      if ({words['mapped']} !== {words['moved']}) packing = packing + 1;",
        "      #4 clk = 1; #5 clk = 0;",
        *(f"      {line}" for line in chance),
        "    end",
        '    $display("mapping %0d packing %0d unsure %0d", mapping, packing, unsure);',
        "  end\nendmodule\n",
    ])
