"""Registers that move into block RAMs, on hand-made netlists."""

import copy

import pytest

from tests.support.ecp5 import Netlist
from triodia_boards.flow.registers import Packed, pack_registers

NOTHING = Packed(0, 0, 0, 0)


def cells(n):
    return n.module["cells"]


def pins(n, name, *ports):
    return [cells(n)[name]["connections"][port][0] for port in ports]


def test_direct_registers():
    n = Netlist()
    a, b = n.block("ram", "DOA0", "DOA1")
    q = [n.ff("first", a), n.ff("second", b)]
    n.output("q", *q)
    assert pack_registers(n.design, "dut") == Packed(1, 0, 2, 0)
    assert set(cells(n)) == {"ram"}
    assert pins(n, "ram", "DOA0", "DOA1", "OCEA", "OCEB") == [*q, "1", "1"]
    assert cells(n)["ram"]["parameters"]["REGMODE_A"] == "OUTREG"
    assert cells(n)["ram"]["parameters"]["REGMODE_B"] == "OUTREG"


def test_register_moves_through_logic():
    """The other net into the logic gets a single delay register, although two registers move."""
    n = Netlist()
    a, b = n.block("ram", "DOA0", "DOA1")
    enable = n.input("enable")
    q = [n.ff(f"ff{k}", n.lut(f"and{k}", bit, enable, init=0b1000)) for k, bit in enumerate((a, b))]
    n.output("q", *q)
    assert pack_registers(n.design, "dut") == Packed(1, 0, 2, 1)
    (delay,) = (name for name, cell in cells(n).items() if cell["type"] == "TRELLIS_FF")
    later = pins(n, delay, "DI", "Q")
    assert later[0] == enable
    for k, bit in enumerate((a, b)):
        assert pins(n, f"and{k}", "A", "B", "Z") == [bit, later[1], q[k]]


def test_multiplexers_keep_their_look_up_tables():
    """No register comes between a PFUMX and its LUT4, even one that no block RAM reaches."""
    n = Netlist()
    (a,) = n.block("ram", "DOB3", width=36)
    x, select, wide = n.input("x"), n.input("select"), n.input("wide")
    pairs = [
        (n.lut("one", a, x, init=0b1000), n.lut("other", x, init=0b10)),
        (n.lut("third", x, init=0b10), n.lut("fourth", x, init=0b10)),
    ]
    halves = [n.mux(f"pfu{k}", "PFUMX", *pair, select) for k, pair in enumerate(pairs)]
    n.output("q", n.ff("ff", n.mux("top", "L6MUX21", *halves, wide)))
    assert pack_registers(n.design, "dut") == Packed(1, 0, 1, 3)
    later = dict(
        pins(n, name, "DI", "Q") for name in cells(n) if cells(n)[name]["type"] == "TRELLIS_FF"
    )
    assert set(later) == {x, select, wide}
    assert pins(n, "pfu0", "BLUT", "ALUT", "C0") == [*pairs[0], later[select]]
    assert pins(n, "top", "D0", "D1", "SD") == [*halves, later[wide]]
    for name, port in (("one", "B"), ("other", "A"), ("third", "A"), ("fourth", "A")):
        assert pins(n, name, port) == [later[x]]


def test_register_that_holds_through_logic():
    """A register that feeds its own logic gets a delay there, and no loop remains."""
    n = Netlist()
    (a,) = n.block("ram", "DOA0")
    q = n.ff("ff", "0")
    cells(n)["ff"]["connections"]["DI"] = [n.lut("or", a, q, init=0b1110)]
    n.output("q", q)
    assert pack_registers(n.design, "dut") == Packed(1, 0, 1, 1)
    delay = pins(n, "ff$delay$" + str(q), "DI", "Q")
    assert delay[0] == q and pins(n, "or", "A", "B", "Z") == [a, delay[1], q]


def test_inverted_output_needs_a_register_that_starts_high():
    for start, packed in (("RESET", NOTHING), ("SET", Packed(1, 0, 1, 0))):
        n = Netlist()
        (a,) = n.block("ram", "DOA0")
        n.output("q", n.ff("ff", n.lut("not", a, init=0b01), REGSET=start))
        assert pack_registers(n.design, "dut") == packed


def test_output_that_one_register_uses_twice():
    """As in the multiplexers that Yosys makes of four blocks."""
    n = Netlist()
    (a,) = n.block("ram", "DOA0")
    n.output("q", n.ff("ff", n.lut("lut", a, a, n.input("e"), init=0x80)))
    assert pack_registers(n.design, "dut") == Packed(1, 0, 1, 1)


def test_output_with_a_use_elsewhere():
    n = Netlist()
    (a,) = n.block("ram", "DOA0")
    n.output("q", n.ff("ff", n.lut("lut", a, n.input("e"), init=8)), a)
    assert pack_registers(n.design, "dut") == NOTHING
    n = Netlist()  # and directly
    (a,) = n.block("ram", "DOA0")
    n.output("q", n.ff("ff", a), n.ff("again", a))
    assert pack_registers(n.design, "dut") == NOTHING


def test_36_bits_leave_by_the_clock_that_reads():
    for clock, packed in (("CLKB", Packed(1, 0, 2, 0)), ("CLKA", NOTHING)):
        n = Netlist()
        mine = n.input("mine")
        a, b = n.block("ram", "DOA0", "DOB0", width=36, **{clock: mine})
        n.output("q", n.ff("low", a, clock=mine), n.ff("high", b, clock=mine))
        assert pack_registers(n.design, "dut") == packed


def test_falling_edges_agree():
    n = Netlist()
    (a,) = n.block("ram", "DOA0")
    cells(n)["ram"]["parameters"]["CLKAMUX"] = "INV"
    n.output("q", n.ff("ff", a, CLKMUX="INV"))
    assert pack_registers(n.design, "dut") == Packed(1, 0, 1, 0)


def simple(n):
    """A block RAM with two registers; returns nets of its outputs and of theirs."""
    nets = n.block("ram", "DOA0", "DOA1")
    q = [n.ff(f"ff{k}", net) for k, net in enumerate(nets)]
    n.output("q", *q)
    return nets, q


def change(name, part, **values):
    """Make a function that changes a cell of :func:`simple`."""

    def edit(n, nets, q):
        if part == "connections":
            cells(n)[name]["port_directions"] |= dict.fromkeys(values, "input")
        kept = {port: [bit] for port, bit in values.items()} if part == "connections" else values
        cells(n)[name][part] |= kept

    return edit


def between(n, name, cell):
    """Put logic that ``cell`` makes of its input before register ``name``."""
    ports = cells(n)[name]["connections"]
    ports["DI"] = [cell(ports["DI"][0])]


# What stands in the way, of one register or of the block: then all registers stay.
OBSTACLES = {
    "clock enable": change("ff0", "parameters", CEMUX="CE"),
    "inverted enable": change("ff0", "parameters", CEMUX="INV"),
    "reset": lambda n, nets, q: change("ff0", "connections", LSR=n.input("r"))(n, nets, q),
    "always in reset": change("ff0", "connections", LSR="1"),
    "inverted reset": change("ff0", "parameters", LSRMUX="INV"),
    "global reset": change("ff0", "parameters", GSR="ENABLED"),
    "starts high": change("ff0", "parameters", REGSET="SET"),
    "falling edge": change("ff0", "parameters", CLKMUX="INV"),
    "register to keep": change("ff0", "attributes", keep="1"),
    "net to keep": lambda n, nets, q: n.keep_net(nets[1]),
    "another clock": lambda n, nets, q: change("ff1", "connections", CLK=n.input("c"))(n, nets, q),
    "output used twice": lambda n, nets, q: n.output("z", n.lut("lut", nets[0], init=2)),
    "output a port": lambda n, nets, q: n.output("z", nets[1]),
    "no register": lambda n, nets, q: cells(n).pop("ff0") and n.output("z", nets[0]),
    "block to keep": change("ram", "attributes", keep="1"),
    "block enable": lambda n, nets, q: change("ram", "connections", CEA=n.input("e"))(n, nets, q),
    "block reset": lambda n, nets, q: change("ram", "connections", RSTA=n.input("r"))(n, nets, q),
    "block select": lambda n, nets, q: change("ram", "connections", CSA1=n.input("s"))(n, nets, q),
    "block selected by 1": change("ram", "parameters", CSDECODE_A="0b001"),
    "register in use": change("ram", "parameters", REGMODE_A="OUTREG"),
    "block clock inverted": change("ram", "parameters", CLKAMUX="INV"),
    "36 bits of narrower writes": change("ram", "parameters", DATA_WIDTH_B=f"{36:032b}"),
    "logic used twice": lambda n, nets, q: between(
        n, "ff0", lambda d: n.output("z", z := n.lut("lut", d, init=2)) or z
    ),
    "logic to keep": lambda n, nets, q: (
        between(n, "ff0", lambda d: n.lut("lut", d, init=2)),
        cells(n)["lut"]["attributes"].update(keep="1"),
    ),
    "carry chain": lambda n, nets, q: between(
        n,
        "ff0",
        lambda d: n.cell("add", "CCU2C", {"A0": d}, {"S0": n.net()}, {})["connections"]["S0"][0],
    ),
    "a multiplexer without its tables": lambda n, nets, q: between(
        n, "ff0", lambda d: n.mux("mux", "PFUMX", n.lut("lut", d, init=2), n.input("x"), "0")
    ),
    "another block that stays": lambda n, nets, q: between(
        n, "ff0", lambda d: n.lut("lut", d, n.block("stays", "DOB0", CEB=n.input("e"))[0], init=8)
    ),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_all_or_nothing(name):
    n = Netlist()
    OBSTACLES[name](n, *simple(n))
    given = copy.deepcopy(n.design)
    assert pack_registers(n.design, "dut") == NOTHING
    assert n.design == given


def test_simple_packs():
    """Without obstacles the simple netlist packs."""
    n = Netlist()
    simple(n)
    assert pack_registers(n.design, "dut") == Packed(1, 0, 2, 0)
    assert set(cells(n)) == {"ram"}


def test_blocks_that_share_a_register_agree():
    n = Netlist()
    (a,), (b, c) = n.block("one", "DOA0"), n.block("two", "DOA0", "DOA1")
    n.output("q", n.ff("shared", n.lut("or", a, b, init=14)), n.ff("own", c))
    assert pack_registers(n.design, "dut") == Packed(2, 0, 2, 0)
