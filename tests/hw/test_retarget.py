# amaranth: UnusedElaboratable=no
"""Networks in machines larger than they need."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.bench import simulate
from tests.support.host import Host
from tests.support.networks import random_events, random_image
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.errors import ContractError
from triodia_hw.machine.coding import InputCoding
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.trace import trace

CASES = [
    {"lanes": 1},
    {"lanes": 2, "neurons": 16, "refractory_bits": 2, "reset": "value"},
    {"lanes": 3, "synaptic": True, "bias_bits": 8, "payload_bits": 1, "neurons": 15},
    {"lanes": 2, "neurons": 9, "synaptic": True, "state_bits": 10, "full_scale": True}
    | {"fraction_bits": 2, "refractory_bits": 3, "bias_bits": 5, "leak_bits": 3},
    {"lanes": 4, "density": 0.0, "neurons": 3, "readouts": 1},
]
# What a machine may have more of.
LARGER = [
    {},
    {"inputs": 9},
    {"neurons": 29, "lanes": 3},
    {"lanes": 5, "gap_bits": 1, "rows_per_pointer": 4, "inputs": 5, "neurons": 23},
    {"weight_bits": 11, "bias_bits": 10, "refractory_bits": 5, "lanes": 1, "neurons": 40},
]


def machine(image, **larger):
    """Parameters that hold ``image``, changed by ``larger``."""
    p = image.params
    room = {"synapse_words": 700, "row_words": 1 << 14, "accumulator_bits": p.accumulator_bits + 3}
    return replace(p, **room | larger)


@pytest.mark.parametrize("larger", LARGER, ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_spikes_and_readouts(case, larger):
    image = random_image(3, **case)
    fitted = fit_capacity(image, machine(image, **larger))
    assert fitted.params == machine(image, **larger)
    assert fitted.meta == image.meta
    one, other, spikes = Reference(image), Reference(fitted), 0
    for t, events in enumerate(random_events(image, 40, 4, rate=0.8)):
        want, got = one.step(events, last=t == 20), other.step(events, last=t == 20)
        assert got.spikes.tolist() == want.spikes.tolist()
        assert got.readouts.tolist() == want.readouts.tolist()
        assert (got.sops, got.events) == (want.sops, want.events)
        for name in "vurb":
            values = getattr(got.state, name)
            assert values[: image.params.neurons].tolist() == getattr(want.state, name).tolist()
            assert not values[image.params.neurons :].any()
        spikes += len(want.spikes)
    assert spikes > 20 or not image.synapses


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_in_hardware(case):
    """A machine built for one network and loaded with others that are smaller."""
    large = random_image(1, **case | {"neurons": 26, "inputs": 5})
    small = random_image(2, **case)
    storage = {"gap_bits": 2, "rows_per_pointer": 2, "accumulator_bits": 26}
    p = machine(large, **storage)
    images = [fit_capacity(image, p) for image in (large, small)]
    host, spikes = Host(images[0]), 0

    async def run(ctx):
        nonlocal spikes
        for image, events in ((images[1], small), (images[0], large)):
            await host.load(ctx, image)
            for t, step in enumerate(random_events(events, 5, 3, rate=0.9)):
                spikes += await host.step(ctx, step, last=t == 3)
            await host.compare_state(ctx)

    simulate(host.dut, run)
    assert spikes > 10


def test_its_own_parameters_change_nothing():
    image = random_image(1, lanes=2)
    assert fit_capacity(image, image.params) is image


def test_activity_places_the_neurons():
    """Two busy neurons go to different PEs; sources keep their numbers."""
    image = random_image(3, lanes=1, neurons=8, inputs=2, density=1.0)
    keep = np.isin(image.target, (0, 1)) & (np.repeat(np.arange(10), 8) < 2)
    parts = {"target": image.target[keep], "weight": image.weight[keep]}
    rows = np.array([0, 2, 4, *[4] * 8])
    image = replace(image, row_start=rows, **parts)
    activity = np.zeros((3, 10))
    activity[:, 1] = 1
    fitted = fit_capacity(image, machine(image, lanes=4, neurons=16), activity=activity)
    lanes = fitted.slot // fitted.params.slots
    assert lanes[0] != lanes[1]


def cut(image):
    """Weights of at most 5 bits, biases of 4, at most 2 refractory steps."""
    n = image.neurons
    neurons = replace(n, bias=n.bias.clip(-8, 7), refractory=n.refractory.clip(0, 2))
    weight = np.where(image.weight > 0, 1 + image.weight % 15, -1 - image.weight % 16)
    return replace(image, weight=weight, neurons=neurons)


NARROW = {"lanes": 2, "weight_bits": 9, "bias_bits": 9, "refractory_bits": 6, "neurons": 20}


def test_fields_may_be_narrower_where_values_fit():
    image = cut(random_image(3, **NARROW))
    narrow = {"weight_bits": 5, "bias_bits": 4, "refractory_bits": 2}
    assert fit_capacity(image, machine(image, **narrow)).params.weight_bits == 5
    texts = {"weight_bits": 5, "bias_bits": 4, "refractory_bits": 2}
    for name, need in texts.items():
        text = rf"^{name} must be at most {need - 1} for this machine, not {need}; prune further or"
        with pytest.raises(ContractError, match=text):
            fit_capacity(image, machine(image, **narrow | {name: need - 1}))


def test_a_machine_may_have_more_delays():
    """Rows go to those of the same delay; a delay that the machine lacks is refused."""
    image = random_image(3, lanes=2, delays=(2, 5))
    larger = machine(image, inputs=4, delays=(1, 2, 4, 5), synapse_words=400)
    fitted, events = fit_capacity(image, larger), random_events(image, 30, 4)
    before, after = trace(image, events), trace(fitted, events)
    assert before.spikes.any()
    assert np.array_equal(before.spikes, after.spikes[:, : image.params.neurons])
    assert np.array_equal(before.sops, after.sops) and after.events.sum() > before.events.sum()
    text = (
        r"^delays must be among those of this machine \(1, 5\), not 2; build a machine with "
        r"delays 1, 2, 5$"
    )
    with pytest.raises(ContractError, match=text):
        fit_capacity(image, machine(image, delays=(1, 5), synapse_words=400))


MORE = "prune further or build a larger machine"
OTHER = "quantize the network for it"
REFUSED = [
    ({"inputs": 2}, rf"inputs must be at most 2 for this machine, not 3; {MORE}"),
    ({"neurons": 19}, rf"neurons must be at most 19 for this machine, not 20; {MORE}"),
    ({"weight_bits": 7}, rf"weight_bits must be at most 7 for this machine, not 8; {MORE}"),
    ({"payload_bits": 9}, rf"payload_bits must be 9 for this machine, not 8; {OTHER}"),
    ({"leak_bits": 11}, rf"leak_bits must be 11 for this machine, not 10; {OTHER}"),
    ({"fraction_bits": 6}, rf"fraction_bits must be 6 for this machine, not 5; {OTHER}"),
    ({"state_bits": 19}, rf"state_bits must be 19 for this machine, not 18; {OTHER}"),
    ({"adaptive": True}, rf"adaptive must be True for this machine, not False; {OTHER}"),
    ({"synaptic": True}, rf"synaptic must be True for this machine, not False; {OTHER}"),
    ({"fires": "above"}, rf"fires must be above for this machine, not at; {OTHER}"),
    ({"reset": "value"}, rf"reset must be value for this machine, not subtract; {OTHER}"),
    (
        {"accumulator_bits": 9},
        r"accumulator_bits must hold the worst-case sum \d+, not 9; build a machine with \w+ sums",
    ),
    ({"synapse_words": 50}, r"synapse_words must hold \d+, not 50"),
    ({"row_words": 2}, r"row_words must hold \d+, not 2"),
    ({"gap_bits": 1, "row_words": 6}, r"row_words must hold ([7-9]|10), not 6"),
]


@pytest.mark.parametrize(("change", "text"), REFUSED, ids=str)
def test_refused(change, text):
    image = random_image(3, lanes=2, neurons=20)
    with pytest.raises(ContractError, match=f"^{text}$"):
        fit_capacity(image, machine(image, **change))


def test_spike_inputs_are_not_graded_ones():
    image = random_image(3, lanes=2, payload_bits=1)
    text = r"^payload_bits must be 8 for this machine, not 1; quantize the network for it$"
    with pytest.raises(ContractError, match=text):
        fit_capacity(image, machine(image, payload_bits=8))


def test_the_input_coding_grows_with_the_inputs():
    image = random_image(3, inputs=3, lanes=2)
    coding = InputCoding(mean=np.arange(3.0), std=np.full(3, 2.0), clip=4.0, tail=1)
    image = replace(image, coding=coding)
    placed = fit_capacity(image, replace(image.params, inputs=5, synapse_words=2000))
    sample = np.random.default_rng(0).normal(size=(6, 3))
    wide = np.pad(sample, ((0, 0), (0, 2)))
    assert placed.coding.events(placed.params, wide) == coding.events(image.params, sample)
    assert placed.coding.tail == 1
