"""The second model, written from the contract alone, against the exported Verilog itself."""

import pytest

from tests.hw.test_oracle import random_words
from tests.oracle.files import write_image
from tests.oracle.model import READOUT, SPIKE, Model, network_of
from tests.oracle.random_machines import random_machine
from triodia_hw.machine.image import load_image
from triodia_sim.runner import cosimulate

# The simulator takes minutes for the largest machines; tests/sim/test_cosim.py has those.
SEEDS = [seed for seed in range(200) if random_machine(seed)[0]["lanes"] <= 8][:24]


def sequences_of(words):
    """Input words as sequences of steps of (channel, payload)."""
    sequences, steps, events = [], [], []
    for kind, last, channel, payload in words:
        if kind == 0:
            events.append((channel, payload))
            continue
        steps.append(events)
        events = []
        if last:
            sequences.append(steps)
            steps = []
    return sequences


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_verilog_equals_the_oracle(seed, tmp_path):
    """Every spike and readout of every step, in numbers of the wire."""
    params, arrays = random_machine(seed)
    write_image(tmp_path / "random.image", params, arrays)
    image, words = load_image(tmp_path / "random.image"), random_words(params, seed)
    model = Model(params, network_of(params, arrays))
    for word in words:
        model.take(*word)
    how = {"stall": (0.3, 0.3) if seed % 2 else (0.0, 0.0), "exercise": False, "record": True}
    found = cosimulate(image, sequences_of(words), tmp_path / "sim", **how)
    source = image.source_of_neuron()
    *steps, rest = found.seen
    assert len(steps) == len(model.groups) > 0 and not rest["spikes"]
    for seen, (*items, _) in zip(steps, model.groups, strict=True):
        spikes = sorted(int(source[n]) for n in seen["spikes"])
        readouts = sorted((int(source[n]), value) for n, value in seen["readouts"])
        assert spikes == [s for kind, _, s, _ in items if kind == SPIKE]
        assert readouts == [(s, value) for kind, _, s, value in items if kind == READOUT]
