"""Our models of ECP5 cells against the RTL that Yosys maps to them, and beyond it."""

import random
import subprocess

from amaranth import *
from amaranth.utils import bits_for

from tests.support.netlists import Design, block, compare
from triodia_sim.cells import cell_models

WIDTHS = (1, 4, 9, 18, 36, 40)


def memories(widths, *, depth=128, clash=False):
    """One memory of each width, written too; ``clash`` allows what is being written to be read."""
    rng = random.Random(1)

    def body(m, i):
        outputs = {}
        for width in widths:
            name, at, to = f"q{width}", i["read"], i["write"]
            enable = i["enable"] if clash else i["enable"] & (at != to)
            word = block(
                m,
                name,
                width=width,
                depth=depth,
                address=at,
                init=[rng.getrandbits(width) for _ in range(depth)],
                write=(enable, to, i["data"][:width]),
            )
            outputs[name] = Signal(width, reset_less=True, name=f"{name}_register")
            m.d.sync += outputs[name].eq(word)
        return outputs

    inputs = {
        "read": bits_for(depth - 1),
        "write": bits_for(depth - 1),
        "enable": 1,
        "data": max(widths),
    }
    return Design(inputs, body), {f"q{width}": width for width in widths}


def test_block_ram_of_every_width(tmp_path):
    """Contents, reads and writes, with and without output register, equal the RTL's."""
    design, outputs = memories(WIDTHS)
    outcome = compare(design, outputs, tmp_path, limits={"read": 5, "write": 5})
    assert (outcome.mapping, outcome.packing, outcome.unsure) == (0, 0, 0)
    assert outcome.packed.registers == sum(WIDTHS)
    assert outcome.packed.blocks >= len(WIDTHS)


def test_all_contents(tmp_path):
    design, outputs = memories((2, 36), depth=512)
    outcome = compare(design, outputs, tmp_path, cycles=2500, limits={"write": 0})
    assert (outcome.mapping, outcome.packing, outcome.unsure) == (0, 0, 0)


def test_reading_what_is_written_is_undefined(tmp_path):
    """A collision reads X in its cycle and the new word afterwards."""
    design, outputs = memories((9, 36), clash=True)
    outcome = compare(design, outputs, tmp_path, cycles=400, limits={"read": 2, "write": 2})
    assert (outcome.mapping, outcome.packing) == (0, 0)
    assert 20 < outcome.unsure < 100  # one cycle in eight


def test_multiplier_of_every_signedness(tmp_path):
    """Narrow and wide, with and without the registers before and behind it."""
    cases = {
        "signed_product": lambda a, b: (a.as_signed(), b.as_signed()),
        "unsigned_product": lambda a, b: (a, b),
        "mixed_product": lambda a, b: (a.as_signed(), b),
        "narrow_product": lambda a, b: (a[:11].as_signed(), b[:9]),
    }

    def body(m, i):
        outputs = {}
        for name, case in cases.items():
            factors = case(i["a"], i["b"])
            held = [Signal(x.shape(), reset_less=True, name=f"{name}_of") for x in factors]
            m.d.sync += [register.eq(x) for register, x in zip(held, factors, strict=True)]
            full = held[0] * held[1]
            outputs[name] = Signal(full.shape(), reset_less=True, name=f"{name}_register")
            m.d.sync += outputs[name].eq(full)
        return outputs

    # 18 bits with one unsigned factor of 18 would need more than one multiplier.
    design = Design({"a": 17, "b": 17}, body)
    outputs = {
        "signed_product": 34,
        "unsigned_product": 34,
        "mixed_product": 34,
        "narrow_product": 20,
    }
    outcome = compare(design, outputs, tmp_path)
    assert (outcome.mapping, outcome.packing, outcome.unsure) == (0, 0, 0)
    assert outcome.packed.multipliers == 4


# One port that writes 5 and 6 to a word that holds 3; then a held output register; then a reset.
PORT = """
module bench;
  reg clk = 0, we = 0, oce = 1, rst = 0, ce = 1;
  reg [17:0] d = 0;
"""
CELL = """
  DP16KD #(.DATA_WIDTH_A(9), .WRITEMODE_A("{mode}"), .REGMODE_A("{register}"),
           .INITVAL_00(320'h3)) {name} (
    .CLKA(clk), .WEA(we), .CEA(ce), .OCEA(oce), .RSTA(rst), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
    {address}, .DIA3(d[3]), .DIA2(d[2]), .DIA1(d[1]), .DIA0(d[0]),
    .DOA3({name}_q[3]), .DOA2({name}_q[2]), .DOA1({name}_q[1]), .DOA0({name}_q[0]),
    .CLKB(1'b0), .WEB(1'b0), .CEB(1'b0), .OCEB(1'b0), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0),
    .CSB2(1'b0));
"""


def port(steps):
    """Outputs of a 9-bit port in each write mode, and of a registered one, after each step.

    A step is (write, data, enable of the output register, reset).
    """
    address = ", ".join(f".ADA{k}(1'b0)" for k in range(14))
    kinds = {
        "normal": ("NORMAL", "NOREG"),
        "through": ("WRITETHROUGH", "NOREG"),
        "former": ("READBEFOREWRITE", "NOREG"),
        "late": ("NORMAL", "OUTREG"),
    }
    cells = [
        f"  wire [3:0] {name}_q;"
        + CELL.format(name=name, mode=mode, register=register, address=address)
        for name, (mode, register) in kinds.items()
    ]
    shown = ", ".join(f"{name}_q" for name in kinds)
    lines = [
        f"    we = {we}; d = {d}; oce = {oce}; rst = {rst}; #5 clk = 1; #5 clk = 0;\n"
        f'    $display("{" ".join(["%0d"] * len(kinds))}", {shown});'
        for we, d, oce, rst in steps
    ]
    return "\n".join([PORT, *cells, "  initial begin", *lines, "  end\nendmodule\n"])


def test_write_modes_output_register_and_reset(tmp_path):
    steps = [(0, 0, 1, 0), (1, 5, 1, 0), (1, 6, 1, 0), (0, 0, 0, 0), (0, 0, 1, 0), (0, 0, 1, 1)]
    (tmp_path / "bench.v").write_text(port(steps))
    command = ["iverilog", "-g2012", "-s", "bench", "-o", tmp_path / "bench.vvp"]
    subprocess.run([*command, tmp_path / "bench.v", *cell_models(tmp_path)], check=True)
    out = subprocess.run(
        ["vvp", "-n", tmp_path / "bench.vvp"], check=True, capture_output=True, text=True
    ).stdout
    assert [[int(word) for word in line.split()] for line in out.split("\n")[:6]] == [
        [3, 3, 3, 0],  # read: the register is a cycle behind
        [3, 5, 3, 3],  # write 5: keep, new, old
        [3, 6, 5, 3],  # write 6
        [6, 6, 6, 3],  # read, output register held
        [6, 6, 6, 6],
        [0, 0, 0, 0],  # reset
    ]
