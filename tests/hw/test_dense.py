"""The dense baseline: the same contract, every weight visited, cycles known exactly."""

import numpy as np
import pytest

from tests.sim.test_cosim import CASES
from tests.support.networks import random_events, random_image
from triodia_boards.flow.synthesis import synthesize
from triodia_hw.compile.dense import dense
from triodia_hw.export.verilog import export_dense
from triodia_hw.gateware.dense.core import DenseCore
from triodia_sim.runner import cosimulate

QUICK = (
    "two lanes",
    "lanes that do not divide",
    "more lanes than neurons",
    "single readout",
    "no synapse",
    "saturating current",
    "spike inputs, synaptic",
    "everything",
)


def run(design, sequences, folder, **how):
    export_dense(design, folder / "verilog")
    patience = 2 * design.weight_words
    options = {"verilog": folder / "verilog", "counts": False, "patience": patience}
    return cosimulate(design.image, sequences, folder / "sim", **options, **how)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES]
)
def test_equals_reference(name, tmp_path):
    """Every spike and readout of every step, and the cycles of every step."""
    design = dense(random_image(1, **CASES[name]))
    sequences = [random_events(design.image, 5, seed) for seed in (1, 2)]
    result = run(design, sequences, tmp_path)
    assert result.mismatches == 0, result.first
    assert result.steps == 10
    events = np.array([len(events) for sequence in sequences for events in sequence])
    assert np.diff(result.ends).tolist() == design.step_cycles(events)[1:].tolist()


def test_waits_for_its_receiver(tmp_path):
    design = dense(random_image(3, lanes=4, neurons=20, density=1.0))
    result = run(design, [random_events(design.image, 6, 1)], tmp_path, stall=(0.3, 0.8))
    assert result.mismatches == 0, result.first
    assert result.spikes > 0 and result.counters["output_stalls"] > 0


def test_wrong_weight_is_seen(tmp_path):
    """A wrong weight from an always active input to a readout is noticed."""
    design = dense(random_image(2, lanes=2, neurons=8, inputs=1, density=1.0))
    other = random_image(2, lanes=2, neurons=8, inputs=1, density=1.0)
    last = other.row_start[1] - 1
    assert other.neurons.readout[other.target[last]]
    other.weight[last] += 1 if other.weight[last] < 0 else -1
    export_dense(dense(other), tmp_path / "wrong")
    sequences = [random_events(design.image, 4, 1, rate=1.0)]
    how = {"counts": False, "patience": 1000, "verilog": tmp_path / "wrong"}
    assert cosimulate(design.image, sequences, tmp_path, **how).mismatches > 0


@pytest.mark.parametrize("neurons", [16, 137])
def test_blocks(neurons, tmp_path):
    """The model's block RAMs are those of synthesis."""
    from amaranth.back import rtlil

    design = dense(random_image(1, lanes=4, neurons=neurons, inputs=12, density=0.5))
    core = DenseCore(design.image.params, contents=design.contents())
    (tmp_path / "top.il").write_text(rtlil.convert(core, name="top", emit_src=False))
    synthesize("top", tmp_path)
    assert (tmp_path / "top.json").read_text().count('"type": "DP16KD"') == design.blocks()


def test_neurons_that_never_spike_come_last():
    image = random_image(1, lanes=3, neurons=16, readouts=5, inputs=2)
    design = dense(image)
    slot = design.image.slot % image.params.slots
    assert slot[image.neurons.spiking].max() < design.groups == 4
    assert design.visits == 2 + 3 * 4
    assert all(len(own["weights"]) == design.weight_words == 6 * 14 for own in design.contents())
