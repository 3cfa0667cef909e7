import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from triodia_hw.errors import ContractError
from triodia_hw.machine.reference import Reference

CASES = [
    {"lanes": 1},
    {"lanes": 3, "synaptic": True, "refractory_bits": 2, "reset": "value"},
    {"lanes": 2, "payload_bits": 1, "bias_bits": 9, "refractory_bits": 3},
    {"lanes": 4, "state_bits": 8, "full_scale": True, "synaptic": True, "leak_bits": 3},
]


def clip(x, bits):
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, x))


def leak(x, c, k):
    return (x * c) // (1 << k) if x >= 0 else -((-x * c) // (1 << k))


class Dense:
    """The contract by loops over a dense matrix, one neuron at a time, Python integers only."""

    def __init__(self, image):
        p = self.p = image.params
        self.image = image
        self.w = [[0] * (p.inputs + p.neurons) for _ in range(p.neurons)]
        for j in range(p.inputs + p.neurons):
            for k in range(int(image.row_start[j]), int(image.row_start[j + 1])):
                self.w[int(image.target[k])][j] = int(image.weight[k])
        self.reset()

    def reset(self):
        self.v, self.u, self.r, self.spikes = ([0] * self.p.neurons for _ in range(4))

    def step(self, events):
        p, n = self.p, self.image.neurons
        x = [0] * p.inputs + [spike << p.fraction_bits for spike in self.spikes]
        for channel, payload in events:
            x[channel] = payload if p.payload_bits > 1 else payload << p.fraction_bits
        sums = [sum(a * b for a, b in zip(row, x, strict=True)) for row in self.w]
        self.sops = sum(bool(w and x[j]) for row in self.w for j, w in enumerate(row))
        for i, a in enumerate(sums):
            u = a
            if p.synaptic:
                u = self.u[i] = clip(
                    leak(self.u[i], int(n.alpha[i]), p.leak_bits) + a, p.state_bits
                )
            self.spikes[i] = 0
            if self.r[i]:
                self.r[i] -= 1
                continue
            v = leak(self.v[i], int(n.beta[i]), p.leak_bits) + u + int(n.bias[i])
            self.v[i] = clip(v, p.state_bits)
            if n.spiking[i] and self.v[i] >= n.threshold[i]:
                self.spikes[i], self.r[i] = 1, int(n.refractory[i])
                self.v[i] = int(
                    n.reset_value[i] if p.reset == "value" else self.v[i] - n.threshold[i]
                )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("case", CASES)
def test_equals_dense_loops(case, seed):
    image = random_image(seed, **case)
    reference, dense, spikes = Reference(image), Dense(image), 0
    for t, events in enumerate(random_events(image, 40, seed)):
        events = [(channel, payload) for channel, payload in events if payload]  # 0 adds a SOP
        last = t % 11 == 10
        want_events = len(events) + sum(dense.spikes)
        dense.step(events)
        got = reference.step(events, last=last)
        assert got.state.v.tolist() == dense.v, t
        assert got.state.u.tolist() == dense.u, t
        assert got.state.r.tolist() == dense.r, t
        assert got.spikes.tolist() == [i for i, spike in enumerate(dense.spikes) if spike], t
        assert got.readouts.tolist() == [dense.v[i] for i in image.readouts], t
        assert (got.sops, got.events) == (dense.sops, want_events), t
        spikes += len(got.spikes)
        if last:
            dense.reset()
    assert spikes > 10


def outputs(reference, steps, last=()):
    """All observable output of a run, as plain lists."""
    results = []
    for t, events in enumerate(steps):
        got = reference.step(events, last=t in last)
        results.append((got.spikes.tolist(), got.state.v.tolist(), got.state.u.tolist(), got.sops))
    return results


def test_last_and_reset_start_afresh():
    image = random_image(3, lanes=2, synaptic=True, refractory_bits=2)
    steps = random_events(image, 12, 3)
    fresh = outputs(Reference(image), steps)
    reference = Reference(image)
    assert outputs(reference, steps, last={11}) == fresh
    assert outputs(reference, steps) == fresh
    assert outputs(reference, steps) != fresh  # without reset the state and spikes go on
    reference.reset()
    assert outputs(reference, steps) == fresh


@pytest.mark.parametrize("case", CASES)
def test_order_of_events_does_not_matter(case):
    image, rng = random_image(5, inputs=9, **case), np.random.default_rng(5)
    steps = random_events(image, 20, 5, rate=0.9)
    shuffled = [[step[i] for i in rng.permutation(len(step))] for step in steps]
    assert shuffled != steps
    assert outputs(Reference(image), shuffled) == outputs(Reference(image), steps)


@pytest.mark.parametrize("channel", [-1, 3, 1000])
def test_bad_channel(channel):
    reference = Reference(random_image(1, lanes=1))
    text = rf"^input channel must be in 0\.\.2, not {channel}$"
    with pytest.raises(ContractError, match=text):
        reference.step([(channel, 1)])


@pytest.mark.parametrize("payload", [-129, 128])
def test_bad_graded_payload(payload):
    reference = Reference(random_image(1, lanes=1, payload_bits=8))
    with pytest.raises(ContractError, match=rf"^payload must be in -128\.\.127, not {payload}$"):
        reference.step([(0, payload)])
    for allowed in (-128, 127):
        reference.step([(0, allowed)])


@pytest.mark.parametrize("payload", [-1, 0, 2])
def test_bad_spike_payload(payload):
    reference = Reference(random_image(1, lanes=1, payload_bits=1))
    with pytest.raises(
        ContractError, match=rf"^payload of a spike input must be 1, not {payload}$"
    ):
        reference.step([(0, payload)])


def test_refused_events_leave_the_state_alone():
    image = random_image(2, lanes=1)
    steps = random_events(image, 8, 2)
    reference, reference_2 = Reference(image), Reference(image)
    for events in steps:
        with pytest.raises(ContractError, match=r"^input channel must be in 0\.\.2, not 7$"):
            reference_2.step([*events, (7, 1)])
        assert outputs(reference, [events]) == outputs(reference_2, [events])


def test_second_event_of_a_channel_is_refused():
    """The accumulators hold one event of each channel: a second one could overflow them."""
    reference = Reference(random_image(1, lanes=1))
    text = r"^an input channel must send at most one event in a step$"
    with pytest.raises(ContractError, match=text):
        reference.step([(0, 1), (1, 1), (0, 1)])
