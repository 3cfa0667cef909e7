"""Registers that move into multipliers, on hand-made netlists."""

import copy

import pytest

from tests.support.ecp5 import Netlist
from triodia_boards.flow.registers import Packed, pack_registers

NOTHING = Packed(0, 0, 0, 0)


def simple(n):
    """A multiplier of 2 x 3 bits, sign-extended, with all its registers."""
    a, b = (
        [n.ff(f"{x}{k}", n.input(f"{x}{k}")) for k in range(count)]
        for x, count in (("a", 2), ("b", 3))
    )
    product = n.multiplier("mult", a, b, outputs=3)
    n.output("p", *(n.ff(f"p{k}", net) for k, net in enumerate(product)))
    return a, b, product


def cells(n):
    return n.module["cells"]


def pin(n, name, port):
    return cells(n)[name]["connections"][port][0]


def test_registers_before_and_behind():
    n = Netlist()
    simple(n)
    d = {name: pin(n, name, "DI") for name in ("a0", "a1", "b2")}
    q = [pin(n, f"p{k}", "Q") for k in range(3)]
    assert pack_registers(n.design, "dut") == Packed(0, 1, 8, 0)
    assert set(cells(n)) == {"mult"}
    mult = cells(n)["mult"]
    assert [pin(n, "mult", f"A{k}") for k in range(18)] == [d["a0"], *[d["a1"]] * 17]
    assert pin(n, "mult", "B17") == d["b2"]
    assert [pin(n, "mult", f"P{k}") for k in range(3)] == q
    assert [pin(n, "mult", port) for port in ("CLK0", "CE0", "RST0")] == [n.clock, "1", "0"]
    for part in ("INPUTA", "INPUTB", "OUTPUT"):
        for what in ("CLK", "CE", "RST"):
            assert mult["parameters"][f"REG_{part}_{what}"] == f"{what}0"
    assert "REG_PIPELINE_CLK" not in mult["parameters"]


def test_constant_zeros_need_no_register():
    n = Netlist()
    a = [n.ff("a", n.input("a")), "0"]
    (p,) = n.multiplier("mult", a, [n.ff("b", n.input("b")), "0"])
    n.output("p", n.ff("p", p))
    assert pack_registers(n.design, "dut") == Packed(0, 1, 3, 0)


def test_square():
    """A register shared by both factors becomes two inside the multiplier."""
    n = Netlist()
    a = n.ff("a", n.input("a"))
    (p,) = n.multiplier("mult", [a], [a])
    n.output("p", n.ff("p", p))
    assert pack_registers(n.design, "dut") == Packed(0, 1, 2, 0)


@pytest.mark.parametrize("use", ["logic", "port", "kept"])
def test_register_that_is_used_elsewhere_stays_too(use):
    n = Netlist()
    a, _, _ = simple(n)
    uses = {
        "logic": lambda: n.output("z", n.lut("lut", a[0], init=2)),
        "port": lambda: n.output("z", a[0]),
        "kept": lambda: n.keep_net(a[0]),
    }
    uses[use]()
    d = pin(n, "a0", "DI")
    assert pack_registers(n.design, "dut") == Packed(0, 1, 7, 0)
    assert pin(n, "mult", "A0") == d and pin(n, "a0", "Q") == a[0]


def test_register_of_two_multipliers():
    """A register of two multipliers moves into both; the original goes with the last."""
    n = Netlist()
    a, b, c = (n.ff(x, n.input(x)) for x in "abc")
    for name, factor in (("one", b), ("two", c)):
        (p,) = n.multiplier(name, [a], [factor])
        n.output(f"p_{name}", n.ff(f"p_{name}", p))
    d = pin(n, "a", "DI")
    assert pack_registers(n.design, "dut") == Packed(0, 2, 5, 0)
    assert pin(n, "one", "A0") == pin(n, "two", "A0") == d


def test_product_that_another_multiplier_takes_up_stays():
    """Its register is a factor of ``two``, which comes first and has its own from then on."""
    n = Netlist()
    a, b, c = (n.ff(x, n.input(x)) for x in "abc")
    middle = n.ff("middle", "0")
    (r,) = n.multiplier("two", [middle], [c])
    (p,) = n.multiplier("one", [a], [b])
    cells(n)["middle"]["connections"]["DI"] = [p]
    n.output("r", n.ff("r", r), middle)
    assert pack_registers(n.design, "dut") == Packed(0, 1, 2, 0)
    assert pin(n, "two", "A0") == pin(n, "one", "P0") == p
    assert {"middle", "a", "b"} < set(cells(n))


def test_register_between_two_multipliers_is_taken_once():
    n = Netlist()
    a, b, c = (n.ff(x, n.input(x)) for x in "abc")
    (p,) = n.multiplier("one", [a], [b])
    (r,) = n.multiplier("two", [n.ff("middle", p)], [c])
    n.output("r", n.ff("r", r))
    assert pack_registers(n.design, "dut") == Packed(0, 1, 3, 0)


def test_register_behind_a_block_goes_to_the_block():
    n = Netlist()
    (a,) = n.block("ram", "DOA0")
    (p,) = n.multiplier("mult", [n.ff("a", a)], [n.ff("b", n.input("b"))])
    n.output("p", n.ff("p", p))
    assert pack_registers(n.design, "dut") == Packed(1, 0, 1, 0)


def edit(name, part, **values):
    def change(n, *_):
        if part == "connections":
            cells(n)[name]["port_directions"] |= dict.fromkeys(values, "input")
        cells(n)[name][part] |= values

    return change


def accumulate(n, *_):
    """The product's register is a factor's too."""
    cells(n)["mult"]["connections"]["A0"] = cells(n)["p0"]["connections"]["Q"]
    n.module["ports"]["p"]["bits"].pop(0)


OBSTACLES = {
    "enable before": edit("a0", "parameters", CEMUX="CE"),
    "enable behind": edit("p1", "parameters", CEMUX="CE"),
    "reset before": lambda n, *_: edit("b1", "connections", LSR=[n.input("r")])(n),
    "reset behind": lambda n, *_: edit("p1", "connections", LSR=[n.input("r")])(n),
    "starts high before": edit("a1", "parameters", REGSET="SET"),
    "starts high behind": edit("p1", "parameters", REGSET="SET"),
    "another clock": lambda n, *_: edit("p0", "connections", CLK=[n.input("c")])(n),
    "all on the falling edge": lambda n, *_: [
        cell["parameters"].update(CLKMUX="INV") for cell in cells(n).values() if cell["parameters"]
    ],
    "constant one": lambda n, *_: edit("mult", "connections", A7=["1"])(n),
    "factor from logic": lambda n, *_: edit(
        "mult", "connections", B0=[n.lut("lut", n.input("x"), init=2)]
    )(n),
    "factor from a port": lambda n, *_: edit("mult", "connections", B0=[n.input("x")])(n),
    "constant factor": lambda n, *_: edit(
        "mult", "connections", **{f"A{k}": ["0"] for k in range(18)}
    )(n),
    "product used twice": lambda n, a, b, p: n.output("z", n.ff("z", p[0])),
    "product a port": lambda n, a, b, p: n.output("z", p[0]),
    "product to keep": lambda n, a, b, p: n.keep_net(p[2]),
    "product into logic": lambda n, a, b, p: edit(
        "p0", "connections", DI=[n.lut("lut", p[0], init=2)]
    )(n),
    "product as an enable": lambda n, a, b, p: edit("p0", "connections", DI=["0"], CE=[p[0]])(n),
    "product unused": lambda n, *_: [cells(n).pop(f"p{k}") for k in range(3)],
    "register to keep": edit("p1", "attributes", keep="1"),
    "multiplier to keep": edit("mult", "attributes", keep="1"),
    "sign from a net": lambda n, *_: edit("mult", "connections", SIGNEDA=[n.input("s")])(n),
    "registers in use": edit("mult", "parameters", REG_PIPELINE_CLK="CLK0"),
    "accumulator": accumulate,
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_all_or_nothing(name):
    n = Netlist()
    OBSTACLES[name](n, *simple(n))
    given = copy.deepcopy(n.design)
    assert pack_registers(n.design, "dut") == NOTHING
    assert n.design == given
