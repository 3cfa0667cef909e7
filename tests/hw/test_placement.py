import numpy as np
import pytest

from triodia_hw.compile.placement import place
from triodia_hw.machine.params import MachineParams


def network(seed, neurons=60, inputs=20, lanes=4):
    """Rows of a network with strongly varying fan-in, and strongly varying rates."""
    rng = np.random.default_rng(seed)
    p = MachineParams(inputs=inputs, neurons=neurons, lanes=lanes)
    density = rng.pareto(1.5, neurons)[:, None] / 10
    source, target = np.nonzero((rng.random((neurons, inputs + neurons)) < density).T)
    row_start = np.searchsorted(source, np.arange(inputs + neurons + 1))
    return p, row_start, target, rng.exponential(size=inputs + neurons), source


def loads(p, slot, target, source, rates):
    """Expected synaptic operations of each PE in a step."""
    total = np.zeros(p.lanes)
    for j, i in zip(source, target, strict=True):
        total[slot[i] // p.slots] += rates[j]
    return total


@pytest.mark.parametrize(("neurons", "lanes"), [(60, 4), (61, 4), (3, 5), (1, 1), (16, 16)])
def test_every_neuron_has_a_place_of_its_own(neurons, lanes):
    p, row_start, target, rates, _ = network(1, neurons=neurons, lanes=lanes)
    slot = place(p, row_start, target, rates[None])
    assert len(set(slot.tolist())) == neurons
    assert 0 <= slot.min() <= slot.max() < lanes * p.slots
    assert np.bincount(slot // p.slots).max() <= p.slots
    if neurons == lanes * p.slots:
        assert sorted(slot.tolist()) == list(range(neurons))  # a permutation


def test_deterministic():
    p, row_start, target, rates, _ = network(2)
    assert (
        place(p, row_start, target, rates[None]).tolist()
        == place(p, row_start.copy(), target.copy(), rates[None].copy()).tolist()
    )


@pytest.mark.parametrize("seed", range(5))
def test_more_even_than_chance(seed):
    p, row_start, target, rates, source = network(seed)
    rng = np.random.default_rng(seed)
    ours = loads(p, place(p, row_start, target, rates[None]), target, source, rates).max()
    chance = [loads(p, rng.permutation(p.neurons), target, source, rates).max() for _ in range(50)]
    mean = rates[source].sum() / p.lanes
    assert ours - mean < 0.5 * (min(chance) - mean)


def test_rates_decide():
    """Two busy and two idle sources, one target each: the busy two must not share a PE."""
    p = MachineParams(inputs=4, neurons=4, lanes=2)
    row_start, target = np.array([0, 1, 2, 3, 4, 4, 4, 4, 4]), np.arange(4)
    for busy in ((0, 1), (0, 2), (2, 3)):
        rates = np.zeros(8)
        rates[list(busy)] = 1
        slot = place(p, row_start, target, rates[None])
        assert slot[busy[0]] // p.slots != slot[busy[1]] // p.slots


def test_ties_go_to_the_lower_number():
    p = MachineParams(inputs=1, neurons=4, lanes=2)
    slot = place(p, np.array([0, 4, 4, 4, 4, 4]), np.arange(4))
    assert slot.tolist() == [0, 2, 1, 3]


def test_swaps_make_steps_more_even_than_means_do():
    """A recording in which sources come in groups: neurons of a group must not share a PE."""
    rng = np.random.default_rng(0)
    p, row_start, target, rates, source = network(3, neurons=64, inputs=20)
    groups = rng.integers(0, 8, rates.size)
    activity = (groups[None] == rng.integers(0, 8, 200)[:, None]).astype(int)

    def unevenness(slot):
        load = np.zeros((len(activity), p.lanes))
        np.add.at(load.T, slot[target] // p.slots, activity[:, source].T)
        return (load.max(axis=1) - load.mean(axis=1)).mean()

    by_mean = place(p, row_start, target, activity.mean(axis=0)[None])
    assert unevenness(place(p, row_start, target, activity)) < 0.8 * unevenness(by_mean)
