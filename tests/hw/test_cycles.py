import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.machine.reference import Reference
from triodia_sim.runner import cosimulate

# From nothing to do to queues full everywhere: events, rows, records of a burst of readouts.
CASES = {
    "one lane": {"lanes": 1},
    "value reset": {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value"},
    "spike inputs": {"lanes": 3, "synaptic": True, "bias_bits": 8, "payload_bits": 1},
    "adaptive": {"lanes": 3, "neurons": 24, "adaptive": True, "refractory_bits": 2},
    "small state": {"lanes": 5, "neurons": 33, "state_bits": 12, "full_scale": True},
    "fillers": {
        "lanes": 8,
        "neurons": 200,
        "inputs": 20,
        "density": 0.15,
        "storage": {"gap_bits": 1, "rows_per_pointer": 4},
    },
    "long rows": {"lanes": 2, "neurons": 30, "inputs": 40, "density": 1.0},
    "readouts": {"lanes": 4, "neurons": 64, "readouts": 40, "inputs": 3, "density": 0.05},
    "many lanes": {"lanes": 16, "neurons": 100, "readouts": 4, "inputs": 3, "density": 0.1},
    "no synapse": {"lanes": 2, "density": 0.0},
    "delays": {"lanes": 3, "neurons": 24, "delays": (1, 2, 7), "density": 0.2},
    "many delays": {"lanes": 4, "neurons": 40, "delays": tuple(range(1, 12)), "density": 0.02},
    "few events": {"lanes": 2, "neurons": 8, "inputs": 1, "delays": (3, 4, 5), "density": 0.3},
}

SLOW = ("adaptive", "many delays", "few events")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow) if c in SLOW else c for c in CASES]
)
def test_every_step_takes_the_cycles_predicted(case, tmp_path):
    image = random_image(3, **CASES[case])
    sequences = [random_events(image, 10, 1), random_events(image, 6, 2, rate=0.2), [[]] * 4]
    result = cosimulate(image, sequences, tmp_path, exercise=False)
    assert result.mismatches == 0
    assert step_cycles(image, sequences).tolist() == result.ends


def test_all_neurons_fire_at_once(tmp_path):
    image = random_image(1, lanes=4, neurons=64, inputs=4, density=0.3, bias_bits=24, state_bits=24)
    image.neurons.bias[:] = 4_000_000
    image.neurons.threshold[:] = 1
    sequences = [random_events(image, 6, 1)]
    reference = Reference(image)
    assert len(reference.step(sequences[0][0]).spikes) > 50
    result = cosimulate(image, sequences, tmp_path, exercise=False)
    assert step_cycles(image, sequences).tolist() == result.ends


def test_at_least_the_work_of_a_lane():
    image = random_image(5, lanes=4, neurons=128, inputs=12, density=0.4)
    sequences = [random_events(image, 12, 1, rate=0.9)]
    work = work_of(image, sequences)
    ends = step_cycles(image, sequences)
    assert np.all(np.diff(ends) > 0)
    assert ends[-1] >= sum(step.loads for step in work).max()


def test_an_idle_step_costs_the_way_round():
    """An idle step costs a sweep plus the loop's latency, which is the same for any slots."""
    around = set()
    for neurons in (16, 64, 256):
        image = random_image(2, lanes=4, neurons=neurons, readouts=0, inputs=2)
        ends = step_cycles(image, [[[]] * 8])
        (cycles,) = set(np.diff(ends).tolist())
        around.add(cycles - image.params.slots)
    assert len(around) == 1
