"""The exported Verilog against the reference: networks spread over the parameter space."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.export.verilog import export_verilog
from triodia_sim.runner import cosimulate
from triodia_sim.simulators import CosimError, find_simulator

# Widths, modes, shapes and corners; each runs a few sequences with every state word compared.
CASES = {
    "one lane": {"lanes": 1},
    "two lanes": {"lanes": 2, "neurons": 16},
    "lanes that do not divide": {"lanes": 3, "neurons": 16, "refractory_bits": 2},
    "odd lanes": {"lanes": 5, "neurons": 31, "reset": "value"},
    "sixteen lanes": {"lanes": 16, "neurons": 48, "inputs": 7},
    "more lanes than neurons": {"lanes": 8, "neurons": 5, "readouts": 1},
    "single neuron": {"lanes": 1, "neurons": 1, "readouts": 0, "inputs": 1, "density": 1.0},
    "single readout": {"lanes": 1, "neurons": 1, "readouts": 1, "inputs": 1, "density": 1.0},
    "one slot a lane": {"lanes": 4, "neurons": 3, "readouts": 1, "density": 1.0},
    "full rows": {"lanes": 4, "neurons": 20, "density": 1.0},
    "empty rows": {"lanes": 4, "neurons": 40, "density": 0.03},
    "no synapse": {"lanes": 2, "neurons": 6, "density": 0.0, "bias_bits": 10, "state_bits": 12},
    "saturating weights": {"lanes": 2, "full_scale": True, "state_bits": 8, "fraction_bits": 0},
    "saturating current": {
        "lanes": 4,
        "full_scale": True,
        "density": 1.0,
        "synaptic": True,
        "state_bits": 10,
        "fraction_bits": 2,
    },
    "spike inputs": {"lanes": 3, "payload_bits": 1, "neurons": 18},
    "spike inputs, synaptic": {"lanes": 2, "payload_bits": 1, "synaptic": True, "bias_bits": 9},
    "two-bit weights": {"lanes": 4, "weight_bits": 2, "neurons": 24},
    "sixteen-bit weights": {"lanes": 2, "weight_bits": 16, "state_bits": 24, "fraction_bits": 3},
    "wide payload": {"lanes": 2, "payload_bits": 12, "fraction_bits": 10, "state_bits": 24},
    "narrow leak": {"lanes": 2, "leak_bits": 1, "neurons": 14},
    "wide leak": {"lanes": 2, "leak_bits": 16, "synaptic": True},
    "above threshold": {"lanes": 3, "neurons": 20, "fires": "above", "weight_bits": 3},
    # Its state takes 71 bits.
    "adaptive": {
        "lanes": 3,
        "neurons": 20,
        "adaptive": True,
        "synaptic": True,
        "state_bits": 24,
        "fires": "above",
    },
    "adaptive, saturating": {
        "lanes": 2,
        "adaptive": True,
        "synaptic": True,
        "refractory_bits": 2,
        "state_bits": 9,
        "full_scale": True,
        "reset": "value",
    },
    "delays": {"lanes": 3, "neurons": 20, "delays": (1, 2, 4), "density": 0.2},
    "delayed spikes, in groups": {
        "lanes": 2,
        "neurons": 17,
        "payload_bits": 1,
        "delays": (3, 5, 6, 7),
        "adaptive": True,
        "synaptic": True,
        "refractory_bits": 2,
        "storage": {"gap_bits": 1, "rows_per_pointer": 4},
    },
    "long delays": {
        "lanes": 5,
        "neurons": 33,
        "inputs": 7,
        "delays": (1, 7, 8, 9, 63),
        "density": 0.1,
        "reset": "value",
    },
    "shared rows": {"lanes": 2, "neurons": 60, "density": 0.3, "shared_rows": True},
    "shared rows, delays": {
        "lanes": 3,
        "neurons": 41,
        "inputs": 9,
        "payload_bits": 1,
        "density": 0.2,
        "delays": (2,),
        "shared_rows": True,
        "storage": {"gap_bits": 2},
    },
    "long refractory": {"lanes": 2, "refractory_bits": 8, "reset": "value"},
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
    "fillers": {"lanes": 2, "neurons": 90, "density": 0.06, "storage": {"gap_bits": 1}},
    "groups": {"lanes": 3, "neurons": 40, "storage": {"rows_per_pointer": 2, "gap_bits": 2}},
    "large groups": {
        "lanes": 2,
        "neurons": 31,
        "density": 0.2,
        "payload_bits": 1,
        "storage": {"rows_per_pointer": 8},
    },
    "many lanes": {"lanes": 32, "neurons": 70, "inputs": 6, "density": 0.2, "reset": "value"},
    "many neurons": {"lanes": 8, "neurons": 200, "inputs": 12, "readouts": 9, "density": 0.1},
}


SLOW = ("many lanes", "adaptive, saturating", "delayed spikes, in groups", "long delays")
LARGEST = ("sixteen lanes", "many lanes", "many neurons")


def test_some_cases_have_fillers():
    images = {name: random_image(3, **case) for name, case in CASES.items()}
    fillers = {name: im.words_per_lane().sum() - im.synapses for name, im in images.items()}
    assert fillers["fillers"] > 100 and fillers["groups"] > 10
    assert fillers["large groups"] == 0


def test_some_cases_share_rows():
    for name in ("shared rows", "shared rows, delays"):
        image = random_image(3, **CASES[name])
        walked, stored = image.segment_words().sum(), image.words_per_lane().sum()
        assert stored < 0.8 * walked


def sequences_for(image, seed):
    return [random_events(image, steps, seed + steps) for steps in (6, 1, 9)]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in CASES]
)
def test_random_networks(name, tmp_path):
    image = random_image(3, **CASES[name])
    sequences = sequences_for(image, 5)
    seed = len(name)
    stall = (0.3, 0.3) if seed % 2 else (0.0, 0.0)
    how = {"stall": stall, "seed": seed}
    result = cosimulate(image, sequences, tmp_path, state=True, exercise=False, **how)
    assert result.mismatches == 0, result.first
    assert result.steps == 16
    # ends, counters and state words of every neuron and step, at least
    assert result.words >= 16 + 2 + 16 * image.params.neurons
    assert result.counters["operations"] == result.operations
    # Once more without waiting after each step, so that steps overlap. The largest machines are
    # exercised by a slow test.
    how |= {"exercise": name not in LARGEST}
    again = cosimulate(image, sequences, tmp_path / "again", verilog=tmp_path, **how)
    assert again.mismatches == 0, again.first
    assert not how["exercise"] or again.exercise["steps"] >= 16
    assert again.spikes == result.spikes


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_machines_are_exercised(name, tmp_path):
    image = random_image(3, **CASES[name])
    result = cosimulate(image, sequences_for(image, 5), tmp_path, stall=(0.3, 0.3))
    assert result.mismatches == 0, result.first
    assert result.exercise["steps"] >= 16


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything", "many neurons", "saturating current"])
def test_verilator_equals_icarus(name, tmp_path):
    image = random_image(3, **CASES[name])
    sequences = sequences_for(image, 5)
    results = [
        cosimulate(
            image, sequences, tmp_path / simulator, simulator=simulator, state=state, exercise=False
        )
        for simulator, state in (("icarus", False), ("verilator", False), ("verilator", True))
    ]
    assert [r.mismatches for r in results] == [0, 0, 0]
    assert results[0].ends == results[1].ends  # the same cycle for every step


@pytest.mark.slow
def test_a_folder_whose_name_has_a_space(tmp_path):
    """Make takes none."""
    image = random_image(3, **CASES["one lane"])
    how = {"folder": tmp_path / "sp ace", "simulator": "verilator"}
    assert cosimulate(image, sequences_for(image, 1), **how).mismatches == 0


LOADED = ["lanes that do not divide", "spike inputs, synaptic", "everything", "fillers", "groups"]


@pytest.mark.parametrize("name", LOADED)
def test_another_network_is_loaded(name, tmp_path):
    """A network of the same parameters is loaded into an exported machine."""
    images = [random_image(seed, **CASES[name]) for seed in (3, 4)]
    ps = [image.params for image in images]
    names = ("accumulator_bits", "synapse_words", "row_words")
    p = replace(ps[0], **{n: max(getattr(p, n) for p in ps) for n in names})
    first, second = (replace(image, params=p) for image in images)
    sequences = sequences_for(second, 5)
    export_verilog(first, tmp_path / "first")
    stall = (0.1, 0.3) if len(name) % 2 else (0.0, 0.0)
    options = {"verilog": tmp_path / "first", "stall": stall}
    result = cosimulate(second, sequences, tmp_path / "run", load=True, state=True, **options)
    assert result.mismatches == 0, result.first
    assert result.steps == 16 and result.spikes > 10
    # It is the loading that does it: without, the machine has the network of its export.
    assert cosimulate(second, sequences, tmp_path / "not", **options).mismatches > 0


def test_stalls_change_no_result(tmp_path):
    image = random_image(4, lanes=4, neurons=40, inputs=6)
    sequences = sequences_for(image, 2)
    free = cosimulate(image, sequences, tmp_path / "free")
    held = cosimulate(image, sequences, tmp_path / "held", stall=(0.0, 0.95), seed=1)
    assert free.mismatches == held.mismatches == 0
    assert free.spikes == held.spikes > 10
    assert held.counters["output_stalls"] > free.counters["output_stalls"]
    assert held.cycles > free.cycles


def test_divergence_is_reported_with_a_waveform(tmp_path):
    """A reference with other weights must differ, and the report must locate the difference."""
    image = random_image(4, lanes=2, neurons=20)
    sequences = sequences_for(image, 2)
    cosimulate(image, sequences, tmp_path / "right", exercise=False)
    flipped = np.where(np.arange(image.weight.size) == 3, -image.weight, image.weight)
    wrong = type(image)(**(vars(image) | {"weight": flipped}))
    result = cosimulate(wrong, sequences, tmp_path / "wrong", verilog=tmp_path / "right")
    assert result.mismatches > 0
    first = result.first
    assert 0 <= first.step < 9 and 0 <= first.sequence < 3
    assert first.word in ("spike", "readout")
    assert first.expected != first.got
    assert result.waveform == str(tmp_path / "wrong" / "divergence.fst")
    wave = Path(result.waveform).read_bytes()
    assert wave[0] == 0  # FST header block
    assert len(wave) > 5_000


def test_hang_is_a_mismatch(tmp_path):
    """A machine that never answers is reported, not waited for."""
    image = random_image(4, lanes=1, neurons=6)
    sequences = sequences_for(image, 2)
    cosimulate(image, sequences, tmp_path / "right", exercise=False)
    verilog = tmp_path / "right" / "triodia.v"
    text = verilog.read_text()
    assert text.count("(o_valid),") == text.count("  output o_valid;\n") == 1
    mute = "  output o_valid;\n  assign o_valid = 1'b0;\n"
    silent = text.replace("(o_valid),", "(),").replace("  output o_valid;\n", mute)
    verilog.write_text(silent)
    result = cosimulate(image, sequences, tmp_path / "hung", verilog=tmp_path / "right")
    assert result.mismatches == 1
    assert result.first.word == "end"
    assert result.first.got == "nothing in time"


def test_words_after_the_last_end_are_seen(tmp_path):
    image = random_image(4, lanes=1, neurons=6)
    cosimulate(image, [random_events(image, 3, 1)], tmp_path / "right", exercise=False)
    verilog = tmp_path / "right" / "triodia.v"
    text = verilog.read_text()
    assert text.count("(o_valid),") == text.count("  output o_valid;\n") == 1
    stuck = "  wire quiet; reg over = 0;\n  assign o_valid = quiet | over;\n"
    stuck += "  always @(posedge clk) if (quiet & o_ready & o_last) over <= 1;\n"
    text = text.replace("(o_valid),", "(quiet),").replace(
        "  output o_valid;\n", "  output o_valid;\n" + stuck
    )
    verilog.write_text(text)
    result = cosimulate(
        image, [random_events(image, 3, 1)], tmp_path / "stuck", verilog=tmp_path / "right"
    )
    assert result.mismatches > 0
    assert result.first.expected == "nothing that was not asked for"


def test_unknown_simulator():
    with pytest.raises(CosimError, match=r"^simulator must be one of icarus, verilator, not 'x'$"):
        find_simulator("x")


def test_missing_simulator(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CosimError, match=r"^Icarus Verilog is missing; `apt-get install iverilog"):
        find_simulator("icarus")


def test_no_result(tmp_path, monkeypatch):
    """A simulator without a result file is an error, even if an earlier run left one."""
    image = random_image(4, lanes=1, neurons=6)
    (tmp_path / "cosim.json").write_text('{"steps": 3}')
    monkeypatch.setattr("triodia_sim.runner._simulate", lambda *_: None)
    text = rf"^icarus ended without a result; see {tmp_path}/cosim\.log$"
    with pytest.raises(CosimError, match=text):
        cosimulate(image, [random_events(image, 3, 1)], tmp_path)
