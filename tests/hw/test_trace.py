"""The trace of a run: by the compiled loop and by the plain reference, the same bit for bit."""

import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.errors import ContractError
from triodia_hw.machine import trace as module
from triodia_hw.machine.events import EventList
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.trace import trace

CASES = [
    {"lanes": 1},
    {"lanes": 3, "synaptic": True, "refractory_bits": 2, "reset": "value"},
    {"lanes": 2, "payload_bits": 1, "bias_bits": 9, "refractory_bits": 3},
    {"lanes": 4, "state_bits": 8, "full_scale": True, "synaptic": True, "leak_bits": 3},
    {"lanes": 2, "adaptive": True, "refractory_bits": 2, "synaptic": True, "fires": "above"},
    {"lanes": 2, "adaptive": True, "state_bits": 8, "full_scale": True, "leak_bits": 4},
    {"lanes": 2, "fires": "above", "full_scale": True},
    {"lanes": 3, "delays": (1, 2, 30), "density": 0.2},
    {"lanes": 2, "delays": (7,), "payload_bits": 1, "adaptive": True},
    {"lanes": 2, "weight_bits": 16, "payload_bits": 12, "fraction_bits": 9, "state_bits": 24},
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(4))
def test_compiled_loop_equals_the_plain_reference(case, seed):
    assert module.compiled()  # set-up installs numba
    image = random_image(seed, **case)
    events = random_events(image, 60, seed)
    found, reference = trace(image, events, states=True), Reference(image)
    assert found.spikes.any() or case.get("full_scale")
    for t, step in enumerate(events):
        result = reference.step(step)
        assert np.array_equal(np.flatnonzero(found.spikes[t]), result.spikes)
        assert np.array_equal(found.readouts[t], result.readouts)
        assert (found.sops[t], found.events[t]) == (result.sops, result.events)
        for name in "vurb":
            assert np.array_equal(getattr(found.state, name)[t], getattr(result.state, name))


def test_without_numba_the_plain_reference_computes_the_trace(monkeypatch):
    image = random_image(1, lanes=2)
    events = random_events(image, 20, 1)
    fast = trace(image, events, states=True)
    monkeypatch.setattr(module, "compiled", lambda: False)
    plain = trace(image, events, states=True)
    for name in ("spikes", "readouts", "sops", "events"):
        assert np.array_equal(getattr(fast, name), getattr(plain, name))
    assert np.array_equal(fast.state.v, plain.state.v)
    assert np.array_equal(plain.scores, plain.readouts.sum(0))


def test_event_lists_keep_steps_and_order():
    steps = [[(1, 5), (0, -2)], [], [(2, 1)]]
    assert EventList.of(steps).lists() == steps
    matrix = np.array([[0, 3], [0, 0], [-1, 2]])
    assert EventList.of_payloads(matrix).lists() == [[(1, 3)], [], [(0, -1), (1, 2)]]
    assert EventList.of([]).lists() == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([(99, 1)], "input channel must be in"),
        ([(0, 1 << 20)], "payload must be in"),
        ([(0, 1), (0, 2)], "at most one event"),
    ],
)
def test_events_that_no_machine_takes_are_refused(events, message):
    with pytest.raises(ContractError, match=message):
        trace(random_image(0, lanes=1), [[], events])
