"""Netlist co-simulation: the synthesized machine against the reference."""

import json

import pytest

from tests.support.networks import random_events, random_image
from triodia_boards.catalog import BadChoice
from triodia_boards.flow import blocks
from triodia_boards.flow.synthesis import netlist_verilog
from triodia_boards.flow.tools import BuildError
from triodia_hw.compile.options import QUEUES, Options
from triodia_hw.cost.resources import block_rams, single_port_rams
from triodia_sim.runner import cosimulate
from triodia_sim.simulators import NotOfNetlist, check_netlist

CASES = {
    "one lane, spikes": {"lanes": 1, "neurons": 6, "payload_bits": 1},
    "two lanes, graded, synaptic": {"lanes": 2, "synaptic": True, "refractory_bits": 2},
}
LONG = {
    "adaptive": {"lanes": 2, "adaptive": True, "refractory_bits": 2, "bias_bits": 6},
    "four lanes": {"lanes": 4, "neurons": 30, "inputs": 6, "bias_bits": 8, "reset": "value"},
    "wide words": {"lanes": 2, "weight_bits": 16, "state_bits": 24, "fraction_bits": 3},
    "delays": {"lanes": 2, "neurons": 16, "delays": (1, 2, 5), "density": 0.3},
    "everything": {
        "lanes": 7,
        "neurons": 50,
        "inputs": 9,
        "readouts": 6,
        "synaptic": True,
        "reset": "value",
        "bias_bits": 8,
        "refractory_bits": 3,
        "density": 0.3,
    },
}


def cosimulated(image, folder, **options):
    """Synthesize ``image`` and co-simulate the netlist over three short sequences."""
    made = netlist_verilog(image, folder / "netlist")
    sequences = [random_events(image, steps, steps) for steps in (4, 1, 5)]
    result = cosimulate(
        image, sequences, folder, verilog=folder / "netlist", netlist="ecp5", **options
    )
    return made, result


def check(image, folder, **options):
    made, result = cosimulated(image, folder, **options)
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    assert made.packed.blocks > 2 * image.params.lanes
    assert made.packed.registers > 50 * image.params.lanes
    return made


@pytest.mark.parametrize("name", CASES)
def test_netlist_equals_reference(name, tmp_path):
    made = check(random_image(4, **CASES[name]), tmp_path, stall=(0.2, 0.2))
    cells = json.loads((tmp_path / "netlist" / "triodia.json").read_text())
    kinds = [cell["type"] for cell in cells["modules"]["triodia"]["cells"].values()]
    assert made.lut4 == kinds.count("LUT4") > 100
    modes = [
        cell["parameters"]["REGMODE_A"]
        for cell in cells["modules"]["triodia"]["cells"].values()
        if cell["type"] == "DP16KD"
    ]
    assert modes.count("OUTREG") == made.packed.blocks == len(modes)
    assert made.packed.multipliers == kinds.count("MULT18X18D")


ICE40 = {
    "multipliers": {},
    "no multipliers, queues of registers": {"queues": ("records",), "multiplier_parts": 4},
    "single-port memory": {"queues": QUEUES, "single_port": ("synapses",)},
}


@pytest.mark.parametrize("name", ICE40)
def test_ice40_netlist_equals_reference(name, tmp_path):
    """iCE40 cells with Yosys' models; memories that start empty are loaded first."""
    image = random_image(4, lanes=2, synaptic=True, refractory_bits=2, state_bits=16)
    options = Options(family="ice40", **ICE40[name]) if ICE40[name] else None
    made = netlist_verilog(image, tmp_path / "netlist", "ice40", options)
    sequences = [random_events(image, steps, steps) for steps in (4, 1, 5)]
    result = cosimulate(
        image,
        sequences,
        tmp_path,
        verilog=tmp_path / "netlist",
        netlist="ice40",
        load=name == "single-port memory",
        stall=(0.2, 0.2),
    )
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    cells = json.loads((tmp_path / "netlist" / "triodia.json").read_text())
    kinds = [cell["type"] for cell in cells["modules"]["triodia"]["cells"].values()]
    assert made.lut4 == kinds.count("SB_LUT4") > 100
    options = options or Options(family="ice40", queues=QUEUES)
    assert kinds.count("SB_RAM40_4K") == block_rams(image.params, options)
    assert kinds.count("SB_SPRAM256KA") == single_port_rams(image.params, options)
    assert (kinds.count("SB_MAC16") > 0) == (options.multiplier_parts == 1)


def test_gowin_netlist_equals_reference(tmp_path):
    """Gowin cells with Yosys' models of logic and our models of block RAM and multipliers."""
    image = random_image(4, lanes=2, synaptic=True, refractory_bits=2)
    made = netlist_verilog(image, tmp_path / "netlist", "gowin")
    sequences = [random_events(image, steps, steps) for steps in (4, 1, 5)]
    how = {"verilog": tmp_path / "netlist", "netlist": "gowin", "stall": (0.2, 0.2)}
    result = cosimulate(image, sequences, tmp_path, **how)
    assert result.mismatches == 0, result.first
    assert result.steps == 10 and result.spikes > 10
    assert made.blocks == block_rams(image.params, Options(family="gowin"))
    assert made.multipliers > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_larger_netlists_equal_the_reference(name, tmp_path):
    check(random_image(4, **LONG[name]), tmp_path)


def test_a_broken_pass_is_caught(tmp_path, monkeypatch):
    """Output registers enabled while the registers in the fabric stay must be noticed."""
    monkeypatch.setattr(blocks, "_move", lambda *_: None)
    image = random_image(4, **CASES["one lane, spikes"])
    _, result = cosimulated(image, tmp_path)
    assert result.mismatches > 0
    assert result.first is not None


def test_no_state_words_of_a_netlist(tmp_path):
    text = r"^state words cannot be read from a netlist; leave out one of the two$"
    with pytest.raises(NotOfNetlist, match=text):
        cosimulate(random_image(4, lanes=1), [], tmp_path / "new", state=True, netlist="ecp5")
    assert not (tmp_path / "new").exists()


def test_no_netlist_on_verilator():
    text = r"^a netlist runs on icarus, not on verilator, which has no undefined values$"
    with pytest.raises(NotOfNetlist, match=text):
        check_netlist(False, "verilator")


def test_unknown_cells(tmp_path):
    with pytest.raises(
        BadChoice,
        match=r"^netlist must be one of ecp5, ice40, gowin, ecp5-routed, ecp5-timed, "
        r"ice40-routed, not 'xc7'$",
    ):
        netlist_verilog(random_image(4, lanes=1), tmp_path / "new", "xc7")
    assert not (tmp_path / "new").exists()


def test_failing_synthesis(tmp_path, monkeypatch):
    monkeypatch.setattr("triodia_boards.flow.synthesis.core_rtlil", lambda *_: "module \\triodia\n")
    text = rf"^Yosys failed: ERROR: .* \(log: {tmp_path}/yosys\.log\)$"
    with pytest.raises(BuildError, match=text):
        netlist_verilog(random_image(4, lanes=1), tmp_path)
