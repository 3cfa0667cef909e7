"""The native harness: the same comparison as in cocotb, by a compiled machine."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.export.verilog import export_verilog
from triodia_sim.native import cosimulate_native
from triodia_sim.native_build import without_contents_check
from triodia_sim.runner import cosimulate

pytestmark = pytest.mark.slow  # compiling takes 20 CPU s

CASE = {"lanes": 3, "neurons": 20, "inputs": 5, "synaptic": True, "refractory_bits": 2}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def image():
    return random_image(3, **CASE)


def sequences_for(image):
    return [random_events(image, steps, steps) for steps in (6, 1, 30)]


def test_it_finds_what_cocotb_finds(image, cache, tmp_path):
    sequences = sequences_for(image)
    cocotb = cosimulate(image, sequences, tmp_path / "cocotb")
    native = cosimulate_native(image, sequences, tmp_path / "native", cache=cache)
    assert cocotb.mismatches == native.mismatches == 0, (cocotb.first, native.first)
    names = ("steps", "spikes", "words", "operations", "cycles", "ends", "counters")
    # The counters at the port go on counting cycles until they are looked at.
    ours, theirs = (vars(r) | {"counters": r.counters | {"cycles": 0}} for r in (native, cocotb))
    assert {n: ours[n] for n in names} == {n: theirs[n] for n in names}
    assert native.exercise["steps"] > 30


def test_stalls_and_state(image, cache, tmp_path):
    sequences = sequences_for(image)
    how = {"cache": cache, "state": True, "stall": (0.3, 0.3), "seed": 4}
    result = cosimulate_native(image, sequences, tmp_path, **how)
    assert result.mismatches == 0, result.first
    assert result.counters["output_stalls"] > 20
    # words of 3 fields of each neuron in each step, at least
    assert result.words > 37 * 3 * image.params.neurons


def test_a_build_serves_all_networks_of_its_parameters(image, cache, tmp_path):
    negated = np.where(np.arange(image.weight.size) % 7 == 0, -image.weight, image.weight)
    weight = np.where(negated == 128, 127, negated)
    other = replace(image, weight=weight)
    sequences = sequences_for(image)
    before = sorted(cache.iterdir())
    result = cosimulate_native(other, sequences, tmp_path / "other", cache=cache)
    assert result.mismatches == 0, result.first
    assert sorted(cache.iterdir()) == before
    # The network of the files counts, not that of the build.
    export_verilog(image, tmp_path / "first")
    how = {"cache": cache, "verilog": tmp_path / "first"}
    wrong = cosimulate_native(other, sequences, tmp_path / "wrong", **how)
    assert wrong.mismatches > 0 and wrong.first.word in ("spike", "readout")


def test_a_state_word_that_no_output_shows(image, cache, tmp_path):
    """Another leak of a neuron that stays silent and reaches no readout is seen in its state."""
    neurons = image.neurons
    silent = replace(
        neurons, threshold=np.full(image.params.neurons, 131071), readout=neurons.readout & False
    )
    quiet = replace(image, neurons=silent)
    export_verilog(quiet, tmp_path / "right")
    beta = neurons.beta.copy()
    beta[3] //= 2
    wrong = replace(quiet, neurons=replace(silent, beta=beta))
    how = {"cache": cache, "verilog": tmp_path / "right", "more": False}
    sequences = sequences_for(image)
    blind = cosimulate_native(wrong, sequences, tmp_path / "blind", **how)
    seeing = cosimulate_native(wrong, sequences, tmp_path / "seeing", state=True, **how)
    assert blind.mismatches == 0 < seeing.mismatches
    assert (seeing.first.neuron, seeing.first.word) == (3, "state v")


def test_a_machine_that_stops_is_a_mismatch(image, cache, tmp_path):
    export_verilog(image, tmp_path / "mute")
    file = tmp_path / "mute" / "triodia.v"
    text = file.read_text()
    mute = "  output o_valid;\n  assign o_valid = 1'b0;\n"
    text = text.replace("(o_valid),", "(),").replace("  output o_valid;\n", mute)
    file.write_text(text)
    how = {"cache": cache, "verilog": tmp_path / "mute"}
    result = cosimulate_native(image, sequences_for(image), tmp_path / "run", **how)
    assert (result.first.word, result.first.got) == ("end", "nothing in time")


def test_what_is_compiled_has_nothing_of_the_network(image, tmp_path):
    other = replace(image, meta={"a": 1}, weight=np.sign(image.weight))
    texts = []
    for number, one in enumerate((image, other)):
        export_verilog(one, tmp_path / str(number))
        texts.append((tmp_path / str(number) / "triodia.v").read_text())
    assert texts[0] != texts[1]
    assert without_contents_check(texts[0]) == without_contents_check(texts[1])
