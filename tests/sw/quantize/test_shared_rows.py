"""Rows of convolutions that share their words: fewer words, the same spikes."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.networks import random_image
from triodia.network.random import new_network
from triodia.quantize.placement import layers_of
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for
from triodia_hw.compile.build import stored_share
from triodia_hw.compile.placement import in_runs
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.errors import ContractError
from triodia_hw.machine.image import load_image, save_image
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.trace import trace
from triodia_studies.convolutions import network, row


@pytest.fixture(scope="module")
def net():
    return network(1, 8, 4, 4)


def spikes(image, net):
    """Of each neuron by its number, over steps of the same inputs."""
    rng, p = np.random.default_rng(1), image.params
    events = [[(c, p.one) for c in np.flatnonzero(rng.random(p.inputs) < 0.3)] for _ in range(12)]
    return trace(image, events).spikes[:, : net.neurons]


@pytest.mark.parametrize("lanes", [1, 3, 4])
def test_a_convolution_shares_its_rows(net, lanes, tmp_path):
    own, shared = (
        quantize(net, None, QuantizeOptions(lanes=lanes, shared_rows=how)) for how in (False, None)
    )
    assert shared.params.shared_rows and not own.params.shared_rows
    assert shared.synapses == own.synapses
    assert shared.words_per_lane().max() < own.words_per_lane().max() / 2
    fired = spikes(shared, net)
    assert fired.sum() > 50 and np.array_equal(fired, spikes(own, net))
    save_image(shared, tmp_path / "a.image")
    assert load_image(tmp_path / "a.image").digest() == shared.digest() != own.digest()


def test_other_networks_do_not():
    net = row_free()
    assert not quantize(net, None, QuantizeOptions()).params.shared_rows
    forced = quantize(net, None, QuantizeOptions(shared_rows=True))
    assert forced.params.shared_rows and np.array_equal(
        spikes(forced, net), spikes(quantize(net, None, QuantizeOptions()), net)
    )


@pytest.mark.parametrize("bits, lanes", [(2, 1), (2, 32), (8, 32)])
def test_short_rows_of_a_random_network_stay_as_they_are(bits, lanes):
    """Many of one or two synapses are alike, but pointers would take more than that saves."""
    rng = np.random.default_rng(0)
    p = MachineParams(inputs=12, neurons=256, lanes=lanes, weight_bits=bits)
    weights = rng.integers(-1, 2, (256, 268)) if bits == 2 else rng.integers(-128, 128, (256, 268))
    weights *= rng.random(weights.shape) < 0.03
    assert stored_share(p, weights) > 0.6


def row_free():
    """A random network with inputs and readouts; no two of its rows are alike."""
    task = get_task("japanese-vowels")
    return attach(new_network(24, 0), task, task.load(), 0, settings_for(task, {}))


def test_runs_follow_layers(net):
    assert layers_of(net) == [256, 64, 10, 10]
    p = MachineParams(inputs=1, neurons=11, lanes=3)
    lane = in_runs(p, [5, 4, 2]) // p.slots
    assert lane.tolist() == [0, 0, 1, 1, 2, 0, 1, 2, 2, 0, 1]
    for layers in ([11], [1, 10], [3, 3, 5], [1] * 11):
        slots = in_runs(p, layers)
        assert np.unique(slots).size == 11 and slots.max() < p.lanes * p.slots


def test_a_larger_machine_takes_it(net):
    image = quantize(net, None, QuantizeOptions(lanes=2))
    larger = replace(
        image.params,
        neurons=image.params.neurons + 9,
        inputs=image.params.inputs + 3,
        synapse_words=image.params.synapse_words + 100,
    )
    moved = fit_capacity(image, larger)
    assert moved.words_per_lane().tolist() == image.words_per_lane().tolist()
    fired = spikes(image, net)
    events = [[(c, 1 << 5) for c in range(0, 64, 3)]] * 8
    assert fired.any() and np.array_equal(
        trace(moved, events).spikes[:, : net.neurons], trace(image, events).spikes[:, : net.neurons]
    )
    with pytest.raises(ContractError, match="shared_rows must be False for this machine, not True"):
        fit_capacity(image, replace(image.params, shared_rows=False))


def test_words_must_fit():
    image = random_image(2, lanes=1, neurons=40, shared_rows=True)
    words = int(image.words_per_lane().max())
    with pytest.raises(ContractError, match=f"^synapse_words must hold {words}, not {words - 1}$"):
        replace(image, params=replace(image.params, synapse_words=words - 1))
    p = replace(image.params, shared_rows=False)
    with pytest.raises(ContractError, match=r"^synapse_words must hold \d+, not \d+$"):
        replace(image, params=p)


def test_the_study_measures_both():
    found = row((1, 8, 2, 2), 2, steps=4)
    assert found["words_shared"] < found["words_own"] and found["rate_own"] == found["rate_shared"]
    assert found["cycles_shared"] > 0 and found["blocks_shared"] > 0
