"""Co-simulation of the placed and routed machine."""

import json

import pytest

from tests.support.networks import random_events, random_image
from triodia_boards.flow import synthesis
from triodia_boards.flow.routed import tie_inputs
from triodia_boards.flow.synthesis import netlist_verilog
from triodia_boards.flow.timed import DELAY_CELL, add_delays, read_sdf
from triodia_boards.flow.tools import BuildError
from triodia_sim.runner import cosimulate

CASES = {
    "one lane, spikes": {"lanes": 1, "neurons": 6, "payload_bits": 1},
    "two lanes, graded, synaptic": {"lanes": 2, "synaptic": True, "refractory_bits": 2},
    "adaptive": {"lanes": 2, "adaptive": True, "refractory_bits": 2},
}


def cosimulated(image, folder, netlist="ecp5-routed"):
    netlist_verilog(image, folder / "netlist", netlist)
    sequences = [random_events(image, steps, steps) for steps in (4, 1, 5)]
    how = {"verilog": folder / "netlist", "netlist": netlist, "stall": (0.2, 0.2)}
    return cosimulate(image, sequences, folder, **how)


def cells(folder):
    (module,) = json.loads((folder / "netlist" / "routed.json").read_text())["modules"].values()
    return module["cells"].values()


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_routed_machine_equals_reference(name, tmp_path):
    result = cosimulated(random_image(4, **CASES[name]), tmp_path)
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    # It is nextpnr's netlist: every cell has a place.
    assert all("NEXTPNR_BEL" in cell["attributes"] for cell in cells(tmp_path))
    modes = {cell["parameters"].get("MODE") for cell in cells(tmp_path)}
    assert modes >= {"CCU2", "DPRAM"}


@pytest.mark.slow
def test_routed_ice40_equals_reference(tmp_path):
    result = cosimulated(random_image(4, **CASES["one lane, spikes"]), tmp_path, "ice40-routed")
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    kinds = {cell["type"] for cell in cells(tmp_path)}
    assert kinds == {"ICESTORM_LC", "ICESTORM_RAM", "SB_GB"}
    assert all("NEXTPNR_BEL" in cell["attributes"] for cell in cells(tmp_path))


def output_table(module, family):
    """The look-up table before the register of ``o_valid``, and the name of its contents."""
    (valid,) = module["ports"]["o_valid"]["bits"]
    all_cells = module["cells"].values()
    if family == "ice40":
        return next(c for c in all_cells if c["connections"].get("O") == [valid]), "LUT_INIT"
    register = next(c for c in all_cells if c["connections"].get("Q") == [valid])
    data = register["connections"].get("DI") or register["connections"]["M"]
    return next(c for c in all_cells if c["connections"].get("F") == data), "INITVAL"


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), [("ecp5", "route"), ("ice40", "route_ice40")])
def test_a_broken_table_is_caught(family, name, tmp_path, monkeypatch):
    """One inverted look-up table of the routed netlist must give mismatches."""
    route = getattr(synthesis, name)

    def broken(folder):
        route(folder)
        design = json.loads((folder / "routed.json").read_text())
        table, contents = output_table(*design["modules"].values(), family)
        bits = table["parameters"][contents]
        table["parameters"][contents] = bits.translate(str.maketrans("01", "10"))
        (folder / "routed.json").write_text(json.dumps(design))

    monkeypatch.setattr(synthesis, name, broken)
    image = random_image(4, **CASES["one lane, spikes"])
    result = cosimulated(image, tmp_path, f"{family}-routed")
    assert result.mismatches > 0
    assert result.first is not None


def block(**muxes):
    connections = {"CEA": [], "WEA": [], "RSTA": [], "DIA0": [7], "DIA1": []}
    return {
        "type": "DP16KD",
        "parameters": {f"{port}MUX": mux for port, mux in muxes.items()},
        "connections": connections,
        "port_directions": dict.fromkeys(connections, "input"),
    }


def slowed(image, folder, monkeypatch, scale):
    """Co-simulation at 100 MHz with all of nextpnr's delays multiplied by ``scale``."""
    real = synthesis.route
    monkeypatch.setattr(
        synthesis, "route", lambda where, delays: real(where, delays=scale * delays)
    )
    return cosimulated(image, folder, "ecp5-timed")


@pytest.mark.slow
def test_delays_of_the_routed_machine(tmp_path, monkeypatch):
    """The slowest path, 5.3 ns by nextpnr, takes 9.6 of the 10 ns of a cycle; then 11.7."""
    image = random_image(4, **CASES["one lane, spikes"])
    result = slowed(image, tmp_path / "in time", monkeypatch, 1.8)
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    text = (tmp_path / "in time" / "netlist" / "triodia.v").read_text()
    assert text.count("TRIODIA_DELAY #(") > 1000
    monkeypatch.undo()
    assert slowed(image, tmp_path / "late", monkeypatch, 2.2).mismatches > 0


SDF = r"""(DELAYFILE (TIMESCALE 1ps)
  (CELL (CELLTYPE "top") (INSTANCE )
    (DELAY (ABSOLUTE
      (INTERCONNECT reg/Q add\$0/A (1:2:30) (1:2:20))
      (INTERCONNECT add\$0/F reg/DI (0:0:0) (0:0:7)))))
  (CELL (CELLTYPE "TRELLIS_COMB") (INSTANCE add\$0)
    (DELAY (ABSOLUTE
      (IOPATH A F (1:2:200) (1:2:236))
      (IOPATH A FCO (1:2:447) (1:2:447)))))
  (CELL (CELLTYPE "TRELLIS_FF") (INSTANCE reg)
    (DELAY (ABSOLUTE (IOPATH CLK Q (430:477:525) (430:477:525))))
    (TIMINGCHECK (SETUPHOLD (posedge DI) (posedge CLK) (5:5:5) (9:9:9)))))
"""


def test_where_delays_are_put():
    """Each output has its own paths; wires and setup times delay the input."""
    ways = {"A": "input", "F": "output", "FCO": "output"}
    add = {"type": "TRELLIS_COMB", "port_directions": ways, "parameters": {}, "attributes": {}}
    add |= {"connections": {"A": [3], "F": [4], "FCO": [5]}}
    ways = {"CLK": "input", "DI": "input", "Q": "output"}
    register = {"type": "TRELLIS_FF", "port_directions": ways, "parameters": {}, "attributes": {}}
    register |= {"connections": {"CLK": [2], "DI": [4], "Q": [3]}}
    ports = {"clk": {"direction": "input", "bits": [2]}}
    module = {"ports": ports, "netnames": {}, "cells": {"add$0": add, "reg": register}}
    assert add_delays(module, read_sdf(SDF), scale=2) == 4
    found = {}
    for cell in module["cells"].values():
        if cell["type"] == DELAY_CELL:
            (start,), (end,) = cell["connections"]["I"], cell["connections"]["O"]
            found[start, end] = int(cell["parameters"]["PS"], 2)
    new = {name: cell["connections"] for name, cell in module["cells"].items()}
    to_sum, to_carry = new["add$0"]["A"][0], new["add$0$FCO"]["A"][0]
    clocked, stored = new["reg"]["Q"][0], new["reg"]["DI"][0]
    assert found == {
        (3, to_sum): 2 * (30 + 236),
        (3, to_carry): 2 * (30 + 447),
        (4, stored): 2 * (7 + 5),
        (clocked, 3): 2 * 525,
    }
    assert new["add$0"]["F"] == [4] and "FCO" not in new["add$0"]
    assert new["add$0$FCO"]["FCO"] == [5] and "F" not in new["add$0$FCO"]
    assert new["reg"]["CLK"] == [2]


def test_open_inputs_are_tied():
    cell = block(WEA="WEA", RSTA="INV", DIA1="1 ")
    tie_inputs("ram", cell)
    tied = {"CEA": ["1"], "WEA": ["1"], "RSTA": ["0"], "DIA0": [7], "DIA1": ["1"]}
    assert cell["connections"] == tied
    assert cell["parameters"] == {}


def test_open_inputs_of_tables_are_high():
    ports = {"A": [], "B": [5], "M": [6], "FXA": [7], "FXB": [8], "WD": []}
    directions = dict.fromkeys(ports, "input")
    cell = {
        "type": "TRELLIS_COMB",
        "parameters": {},
        "connections": ports,
        "port_directions": directions,
    }
    tie_inputs("table", cell)
    assert ports == {"A": ["1"], "B": [5], "M": [6], "FXA": [7], "FXB": [8], "WD": ["0"]}
    assert int(cell["parameters"]["WIDE"], 2) == 1


def test_what_has_no_model():
    with pytest.raises(BuildError, match=r"^ram has input DIA0 by INV, which has no model$"):
        tie_inputs("ram", block(DIA0="INV"))
    cell = block()
    cell["connections"]["SRIA0"] = [3]
    with pytest.raises(BuildError, match=r"^ram is in a chain of multipliers, which has no model$"):
        tie_inputs("ram", cell)
