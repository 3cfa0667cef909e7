"""The packing pass on Yosys' netlists: equal in every cycle from power-up; the test can fail."""

import random
from dataclasses import replace

import pytest
from amaranth import *

from tests.support.netlists import Design, block, compare, mapped, run
from triodia_boards.flow import blocks, multipliers, netlist
from triodia_boards.flow.netlist import Netlist
from triodia_boards.flow.registers import Packed

INPUTS = {"read": 4, "write": 4, "enable": 1, "data": 18, "f": 72, "u": 1, "v": 1, "w": 1}
OUTPUTS = {
    "plain": 18,
    "chosen": 18,
    "inverse": 9,
    "high": 9,
    "held": 9,
    "reset": 9,
    "twice": 18,
    "slow": 9,
    "product": 16,
    "late": 16,
    "square": 16,
    "offset": 16,
    "shared": 24,
}


def register(m, value, name, *, init=0, domain="sync"):
    """``value`` one cycle later."""
    later = Signal(len(value), init=init, reset_less=True, name=f"{name}_register")
    m.d[domain] += later.eq(value)
    return later


def everything(m, i):
    """Registers behind memories and around multipliers: those that can move, those that cannot.

    ``plain``, ``chosen`` (two memories and a multiplexer), ``high``, ``product``, ``square`` and
    ``shared`` can.
    """
    m.domains.slow = ClockDomain(reset_less=True)
    m.d.comb += ClockSignal("slow").eq(i["w"])

    def ram(name, width, seed):
        words = [(seed * (k + 3) * 0x9E37) >> 3 & ((1 << width) - 1) for k in range(16)]
        write = (i["enable"] & (i["write"] != i["read"]), i["write"], i["data"][:width])
        return block(m, name, width=width, depth=16, address=i["read"], init=words, write=write)

    one, two = ram("one", 18, 3), ram("two", 18, 5)
    held, reset = Signal(9, reset_less=True), Signal(9)
    word = ram("held_ram", 9, 7)
    with m.If(i["u"]):
        m.d.sync += held.eq(word)
    word = ram("reset_ram", 9, 11)
    m.d.sync += reset.eq(word)
    with m.If(i["v"]):
        m.d.sync += reset.eq(0)
    shared = ram("twice_ram", 9, 13)
    starts = {7: 77, 8: 5}
    f = [
        register(m, i["f"].word_select(k, 8), f"f{k}", init=starts.get(k, 0)).as_signed()
        for k in range(9)
    ]
    late = Signal(16, reset_less=True)
    with m.If(i["v"]):
        m.d.sync += late.eq(f[0] * f[1])
    return {
        "plain": register(m, ram("plain_ram", 18, 2), "plain"),
        "chosen": register(m, Mux(i["u"], one, two) ^ i["data"], "chosen"),
        "inverse": register(m, ~ram("inverse_ram", 9, 17), "inverse"),
        "high": register(m, ~ram("high_ram", 9, 19), "high", init=511),
        "held": held,
        "reset": reset,
        "twice": Cat(register(m, shared, "twice"), shared),
        "slow": register(m, ram("slow_ram", 9, 23), "slow", domain="slow"),
        "product": register(m, f[2] * f[3], "product"),
        "late": late,
        "square": register(m, f[4] * f[4], "square"),
        "offset": register(m, f[7] * f[8], "offset"),
        "shared": Cat(register(m, f[5] * f[6], "shared"), f[5]),
    }


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everything")
    design = Design(INPUTS, everything)
    return design, mapped(design, OUTPUTS, folder), folder


def outcome(case):
    design, given, folder = case
    return run(design, OUTPUTS, given, folder, cycles=400)


def test_same_in_every_cycle(case):
    result = outcome(case)
    assert (result.mapping, result.packing, result.unsure) == (0, 0, 0)
    # plain, chosen (two memories), high; product, square, shared without the factor that is an
    # output too. Delays are of u and of data.
    registers = 18 + 18 + 9 + (8 + 8 + 16) + (8 + 16) + (8 + 16)
    assert result.packed == Packed(4, 3, registers, 1 + 18)


def blind(name, instead):
    """``netlist.setting`` that does not see parameter ``name``."""
    given = netlist.setting
    return lambda cell, key, other="": instead if key == name else given(cell, key, other)


def unconnected(name, instead):
    """``Netlist.bit`` that does not see port ``name``."""
    given = Netlist.bit
    return lambda self, cell, port: instead if port == name else given(self, cell, port)


def any_clock(n, register, cone):
    return register.init == blocks._of_zeros(n, register.d, cone)


def no_delay(n, register, cone, delays, *, given=blocks._move):
    given(n, register, replace(cone, leaves=frozenset()), delays)


def only_factors(n, name, around, *, given=multipliers._move):
    """Remove the registers after the multiplier without replacement."""
    given(n, name, around)
    del n.cells[name]["parameters"]["REG_OUTPUT_CLK"]


FAULTS = {
    "register with an enable moves": (netlist, "setting", blind("CEMUX", "1")),
    "register with a reset moves": (Netlist, "bit", unconnected("LSR", "0")),
    "register that starts high moves": (netlist, "setting", blind("REGSET", "RESET")),
    "logic that makes ones of zeros": (blocks, "_of_zeros", lambda n, net, cone: 0),
    "register of another clock moves": (blocks, "_fits", any_clock),
    "delay forgotten": (blocks, "_move", no_delay),
    "fabric register stays too": (blocks, "_move", lambda n, register, cone, delays: None),
    "register used elsewhere goes": (multipliers, "_used", lambda n, register: False),
    "multiplier without output register": (multipliers, "_move", only_factors),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_pass_is_caught(name, case, monkeypatch):
    monkeypatch.setattr(*FAULTS[name])
    result = outcome(case)
    assert result.mapping == 0
    assert result.packing > 0


def test_deep_memory(tmp_path):
    """Four blocks with one address all take the register after their multiplexer."""

    def body(m, i):
        chance = random.Random(3)
        words = [chance.getrandbits(9) for _ in range(8192)]
        word = block(m, "deep", width=9, depth=8192, address=i["read"], init=words)
        return {"word": register(m, word, "deep")}

    found = compare(Design({"read": 13}, body), {"word": 9}, tmp_path)
    assert found.packed.blocks == 4 and found.mapping == found.packing == 0
