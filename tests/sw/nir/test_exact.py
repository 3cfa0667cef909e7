"""Networks on an integer grid, ties and membranes: exact in float and in integers.

The right spikes are stepped here, layer by layer, from the source simulators' own definitions.
"""

from dataclasses import replace

import nir
import numpy as np
import pytest

from tests.support.nir_runs import cells, ends, imported, runs
from triodia.quantize.comparison import agreement
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.samples import from_parts

STEPS = 70


def stepped(w_in, w_rec, w_out, x, threshold, *, keep, at):
    """Spikes of a recurrent layer and of the layer it feeds; reset by subtraction."""
    v, u = np.zeros(len(w_in)), np.zeros(len(w_out))
    s, found = np.zeros(len(w_in)), ([], [])
    for row in x:
        v = keep * v + w_in @ row + w_rec @ s
        s = (v >= threshold if at else v > threshold).astype(float)
        v = v - threshold * s
        u = keep * u + w_out @ s
        last = (u >= threshold if at else u > threshold).astype(float)
        u = u - threshold * last
        found[0].append(s)
        found[1].append(last)
    return [np.array(part) for part in found]


def two_layers(kind, w, threshold):
    nodes = ends([w[0].shape[1]], [len(w[2])])
    nodes |= {"a": nir.Linear(w[0]), "hidden": cells(kind, len(w[0]), threshold)}
    nodes |= {
        "r": nir.Linear(w[1]),
        "b": nir.Linear(w[2]),
        "last": cells(kind, len(w[2]), threshold),
    }
    edges = [("input", "a"), ("a", "hidden"), ("hidden", "r"), ("r", "hidden"), ("hidden", "b")]
    return nodes, [*edges, ("b", "last"), ("last", "output")]


@pytest.mark.parametrize("at", [False, True], ids=["above", "at"])
@pytest.mark.parametrize("most", [3, 7, 127])
@pytest.mark.parametrize("kind", ["IF", "LIF"])
@pytest.mark.parametrize("unit", [1.0, 0.125, 0.0123])
def test_integers_stay_what_they_are(kind, most, at, unit):
    """Any common scale; a leak of 1/8 is exact, and rounds less than any spike of these needs."""
    rng = np.random.default_rng([most, at])
    whole = [rng.integers(-most, most + 1, s).astype(float) for s in ((16, 6), (16, 16), (8, 16))]
    whole[1] = np.trunc(whole[1] / 2)
    x = (rng.random((STEPS, 6)) < 0.4).astype(float)
    keep = 1.0 if kind == "IF" else 7 / 8
    want = stepped(*whole, x, 1.0 * most, keep=keep, at=at)
    nodes, edges = two_layers(kind, [w * unit for w in whole], 1.0 * most * unit)
    net = imported(nodes, edges, reset="subtract", tie="at" if at else "above")
    found, _, image = runs(net, x)
    assert image.meta["exact_neurons"] >= 24
    for spikes, name in zip(want, ("hidden", "last"), strict=True):
        assert spikes.sum() > 10, "the case does not spike"
        real, integer = found[name]
        if unit != 0.0123:  # whose ties float32 itself rounds away
            assert np.array_equal(real, spikes)
        assert np.array_equal(integer, spikes) or kind == "LIF"
        assert (integer != spikes).mean() < 0.002


def test_random_weights_are_not_called_exact():
    rng = np.random.default_rng(0)
    w = [rng.normal(0, 0.5, s) for s in ((16, 6), (16, 16), (8, 16))]
    net = imported(*two_layers("LIF", w, 1.0), reset="subtract")
    image = quantize(net, None, QuantizeOptions())
    assert image.meta["exact_neurons"] == 8  # the readouts repeat the last spikes: ones and zeros


def test_a_tie_is_told_from_a_spike():
    """Two inputs of 1/2 reach a threshold of 1: some simulators spike then, others do not."""
    nodes = ends([2], [1]) | {"a": nir.Linear(np.full((1, 2), 0.5)), "n": cells("IF", 1, 1.0)}
    edges = [("input", "a"), ("a", "n"), ("n", "output")]
    x = np.ones((1, 2))
    for tie, spikes in (("at", 1), ("above", 0)):
        real, integer = runs(imported(nodes, edges, tie=tie), x)[0]["n"]
        assert real.sum() == integer.sum() == spikes


def test_decay_of_rockpool():
    """v = exp(-dt / tau) v + w x, reset by subtraction, a spike at the threshold."""
    rng = np.random.default_rng(3)
    w = [rng.normal(0, 0.5, s) for s in ((16, 6), (16, 16), (8, 16))]
    x = (rng.random((STEPS, 6)) < 0.4).astype(float)
    want = stepped(*w, x, 1.0, keep=np.exp(-1 / 8), at=True)
    net = imported(*two_layers("LIF", w, 1.0), simulator="rockpool")
    found, *_ = runs(net, x)
    for spikes, name in zip(want, ("hidden", "last"), strict=True):
        assert spikes.sum() > 30 and np.array_equal(found[name][0], spikes)


def test_the_last_layer_as_membranes():
    rng = np.random.default_rng(4)
    w = [rng.normal(0, 0.5, s) for s in ((16, 6), (16, 16), (8, 16))]
    x = (rng.random((STEPS, 6)) < 0.4).astype(float)
    hidden, _ = stepped(*w, x, 1.0, keep=7 / 8, at=False)
    v, want = np.zeros(8), []
    for s in hidden:
        v = 7 / 8 * v + w[2] @ s
        want.append(v)
    net = imported(*two_layers("LIF", w, 1.0), reset="subtract", membrane=True)
    found, v_out, _ = runs(net, x)
    assert np.array_equal(found["hidden"][0], hidden)
    assert np.allclose(v_out, want, atol=1e-4)


def test_neurons_that_their_leak_drives():
    """Without input; the leak's rounding must not move spikes: 16 bits of leak, 24 of state."""
    tau, leak = np.array([9.0, 21.0, 47.0, 90.0]), 1.6
    full = np.ones(4)
    n = nir.LIF(tau=tau, r=full, v_leak=leak * full, v_threshold=full, v_reset=0 * full)
    v, want = np.zeros(4), []
    for _ in range(400):
        v = v + (leak - v) / tau
        want.append((v > 1).astype(float))
        v = np.where(v > 1, 0, v)
    net = imported(ends([4], [4]) | {"n": n}, [("input", "n"), ("n", "output")])
    widths = {"leak_bits": 16, "state_bits": 24, "weight_bits": 16}
    real, integer = runs(net, np.zeros((400, 4)), **widths)[0]["n"]
    assert np.sum(want) > 50 and np.array_equal(real, want) and np.array_equal(integer, want)


def test_agreement_tells_how_far_spikes_are_equal():
    """All of them on an exact grid; fewer with 3 bits for real weights; a planted change shows."""
    rng = np.random.default_rng(9)
    x = (rng.random((4, STEPS, 6)) < 0.4).astype(np.float32)
    lengths, y = np.full(4, STEPS), np.arange(4) % 2
    data = from_parts((x, lengths, y), (x, lengths, y))
    whole = [rng.integers(-7, 8, s).astype(float) for s in ((16, 6), (16, 16), (8, 16))]
    net = imported(*two_layers("IF", whole, 14.0), reset="subtract", tie="at")
    image = quantize(net, None, QuantizeOptions())
    assert agreement(net, image, data)["spikes_agree"] == 1.0
    threshold = image.neurons.threshold.copy()
    threshold[5] *= 2
    planted = replace(image, neurons=replace(image.neurons, threshold=threshold))
    found = agreement(net, planted, data)
    assert 0.2 < found["spikes_agree"] < 1.0 and found["worst_agrees"] < 0.9
    real = [rng.normal(0, 0.5, w.shape) for w in whole]
    net = imported(*two_layers("LIF", real, 1.0), reset="subtract")
    shares = [
        agreement(net, quantize(net, None, QuantizeOptions(weight_bits=bits)), data)["spikes_agree"]
        for bits in (3, 8, 16)
    ]
    assert shares[0] < shares[1] < shares[2] and shares[2] > 0.9
