"""A machine whose synapses lie in an SDRAM, beside a model that checks every command's timing."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.compile.contents import contents
from triodia_hw.compile.loading import load_bytes
from triodia_hw.compile.options import SDRAM_AT_100_MHZ
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.errors import ContractError
from triodia_hw.export.folder import export_folder
from triodia_hw.machine.params import MachineParams
from triodia_sim.native import cosimulate_native
from triodia_sim.runner import cosimulate

SIZES = {"inputs": 5, "lanes": 1, "external": True}
CASES = {
    "rows of several pages": {"neurons": 700, "density": 1.0, "inputs": 2},
    "rows of a few words": {"neurons": 300, "density": 0.02, "bias_bits": 12},
    "words of a byte": {"neurons": 60, "weight_bits": 4, "storage": {"gap_bits": 4}},
    "spike inputs": {"neurons": 90, "payload_bits": 1, "synaptic": True, "refractory_bits": 2},
    "delays": {"neurons": 80, "delays": (1, 4, 9), "synaptic": True, "density": 0.2},
    "adaptive, shared pointers": {
        "neurons": 64,
        "adaptive": True,
        "storage": {"gap_bits": 2, "rows_per_pointer": 4},
    },
}


def image_of(case, seed=3):
    return random_image(seed, **{"inputs": 5, "lanes": 1, "external": True} | CASES[case])


def test_words_and_cycles_are_those_of_the_models(tmp_path):
    """Events, loads, resets, stalls, full queues; each step takes the cycles predicted."""
    image = random_image(1, neurons=40, density=0.6, **SIZES)
    result = cosimulate(image, [random_events(image, 12, 1)], tmp_path)
    assert result.mismatches == 0
    assert result.exercise["steps"] > 20
    assert result.ends == step_cycles(image, [random_events(image, 12, 1)]).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_random_machines(case, tmp_path):
    image = image_of(case)
    sequences = [random_events(image, 20, 1), random_events(image, 6, 2, rate=0.2), [[]] * 4]
    result = cosimulate_native(image, sequences, tmp_path, cache=tmp_path)
    assert (result.mismatches, result.first) == (0, None)
    assert result.ends == step_cycles(image, sequences).tolist()
    paused = cosimulate_native(image, sequences, tmp_path, cache=tmp_path, stall=(0.3, 0.4))
    assert paused.mismatches == 0


def test_the_exported_folder_checks_itself(tmp_path):
    """The testbench plays recorded words on the machine beside the model."""
    files = export_folder(random_image(1, neurons=30, **SIZES), tmp_path)
    assert {path.name for path in files} > {"triodia_with_sdram.v", "triodia_sdram.hex"}
    done = subprocess.run(["make", "sim"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "PASS: " in done.stdout, done.stderr
    model = tmp_path / "triodia_with_sdram.v"
    model.write_text(model.read_text().replace("parameter tRP = 21000", "parameter tRP = 31000"))
    broken = subprocess.run(["make", "sim"], cwd=tmp_path, capture_output=True, text=True)
    assert broken.returncode != 0 and "tRP violated" in broken.stdout


@pytest.mark.slow
def test_a_loaded_network_needs_no_contents_before(tmp_path):
    """All words go through the input; the memory waits for its start first."""
    image = random_image(4, neurons=30, **SIZES)
    result = cosimulate(
        image, [random_events(image, 6, 1)], tmp_path, load=True, exercise=False, stall=(0.0, 0.0)
    )
    assert result.mismatches == 0


def test_refreshes_cost_what_the_model_says():
    """Without refresh a run is shorter, by at most what closing and opening all rows takes."""
    image = random_image(3, neurons=300, density=1.0, **SIZES)
    sequences = [random_events(image, 4, 1)]
    t = SDRAM_AT_100_MHZ
    ends, without = (
        np.diff(step_cycles(image, sequences, timing))
        for timing in (t, replace(t, refresh_every=0))
    )
    refreshes = ends.sum() // t.refresh_every + 1
    most = t.activate_to_precharge + t.precharge + t.refresh + t.activate_to_read + 1
    assert 0 < ends.sum() - without.sum() <= refreshes * most


def test_words_lie_row_after_row_and_are_loaded_in_units():
    image = image_of("rows of a few words")
    blocks = load_bytes(image)
    words = contents(image)[0]["synapses"]
    count = int(image.words_per_lane()[0])
    start = blocks.index(bytes([0, 1, 0, 0]) + count.to_bytes(2, "little"))
    loaded = np.frombuffer(blocks[start + 6 :][: 2 * count], "<u2")
    assert loaded.tolist() == words[:count]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 2}, r"^lanes must be 1 with synapses in SDRAM, not 2: "),
        ({"weight_bits": 12}, r"^synapse words must be at most 16 bits in SDRAM, not 17 \(12 of"),
        (
            {"synapse_words": (1 << 24) + 1},
            r"^an SDRAM holds 16777216 synapse words and the network needs 16777217; prune",
        ),
        ({"external": 1}, r"^external must be true or false, not 1$"),
    ],
)
def test_what_the_memory_cannot_hold_is_refused(wrong, message):
    sizes = {"inputs": 1, "neurons": 20, "lanes": 1, "external": True}
    with pytest.raises(ContractError, match=message):
        MachineParams(**sizes | wrong)


def test_on_chip_machines_keep_their_limit_and_their_record():
    with pytest.raises(ContractError, match=r"^synapse_words must be in 1\.\.1048576, not"):
        MachineParams(inputs=1, neurons=1, lanes=1, synapse_words=1 << 21)
    assert "external" not in MachineParams(inputs=1, neurons=1, lanes=1).record()
