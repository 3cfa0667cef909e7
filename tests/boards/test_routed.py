"""Co-simulation of the placed and routed machine."""

import json

import pytest

from tests.support.networks import random_events, random_image
from triodia_boards.flow import synthesis
from triodia_boards.flow.routed import tie_inputs
from triodia_boards.flow.synthesis import netlist_verilog
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
