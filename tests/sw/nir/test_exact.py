"""Networks on an integer grid, ties, delays, skips and convolutions: exact in float and integers.

The right spikes are stepped here, layer by layer, from the source simulators' own definitions; the
convolutions are torch's.
"""

from dataclasses import replace
from itertools import pairwise

import nir
import numpy as np
import pytest
import torch

from triodia.nir.graph import flat_graph
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.quantize.comparison import agreement
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.samples import from_parts
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.reference import Reference

STEPS = 70


def ends(inputs, outputs):
    return {"input": nir.Input(np.array(inputs)), "output": nir.Output(np.array(outputs))}


def cells(kind, shape, threshold, tau=8.0):
    full = np.full(shape, 1.0)
    if kind == "IF":
        return nir.IF(r=full, v_threshold=threshold * full, v_reset=0 * full)
    firing = {"v_threshold": threshold * full, "v_reset": 0 * full, "v_leak": 0 * full}
    return nir.LIF(tau=tau * full, r=tau * full, **firing)


def imported(nodes, edges, **options):
    graph = flat_graph(nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    return network_of(graph, find_choices(graph, dt=1.0, **options))


def runs(net, x, **widths):
    """By population: spikes in float and in the image's integers, in the graph's own steps."""
    step, steps = net.provenance[-1], len(x)
    padded = np.pad(x, ((step["lead"], step["delay"] - step["lead"]), (0, 0))).astype(np.float32)
    with torch.no_grad():
        trace = SpikingModel(net)(
            torch.tensor(net.scale_input(padded[None])), torch.tensor([len(padded)])
        )
    image = quantize(net, None, QuantizeOptions(**widths))
    reference = Reference(image)
    fired = np.zeros((len(padded), net.neurons))
    for t, events in enumerate(image.coding.events(image.params, padded)):
        spikes = reference.step(events).spikes
        fired[t, spikes[spikes < net.neurons]] = 1
    result = {}
    for place in step["populations"]:
        rows = slice(place["steps_behind"], place["steps_behind"] + steps)
        columns = slice(place["first"], place["first"] + place["neurons"])
        result[place["node"]] = trace.spikes[0, rows, columns].numpy(), fired[rows, columns]
    v_out = trace.v_out[0, step["delay"] : step["delay"] + steps].numpy()
    return result, v_out, image


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


def layer(w, s, v, *, keep=7 / 8):
    v = keep * v + w @ s
    fired = (v > 1).astype(float)
    return fired, v - fired


def test_a_skipped_layer():
    rng = np.random.default_rng(5)
    w = [rng.standard_normal(s) for s in ((10, 4), (10, 10), (6, 10), (6, 10))]
    nodes = ends([4], [6]) | {n: nir.Linear(m) for n, m in zip("abcd", w, strict=True)}
    nodes |= {"one": cells("LIF", 10, 1.0), "two": cells("LIF", 10, 1.0)}
    nodes |= {"last": cells("LIF", 6, 1.0)}
    edges = [("input", "a"), ("a", "one"), ("one", "b"), ("b", "two"), ("two", "c"), ("c", "last")]
    edges += [("one", "d"), ("d", "last"), ("last", "output")]
    x = (rng.random((STEPS, 4)) < 0.4).astype(float)
    v, want = [np.zeros(10), np.zeros(10), np.zeros(6)], []
    for row in x:
        one, v[0] = layer(w[0], row, v[0])
        two, v[1] = layer(w[1], one, v[1])
        last, v[2] = layer(np.hstack([w[2], w[3]]), np.concatenate([two, one]), v[2])
        want.append((one, two, last))
    net = imported(nodes, edges, reset="subtract")
    assert (net.provenance[-1]["relay_neurons"], net.delays) == (0, (1,))
    found, *_ = runs(net, x)
    for k, name in enumerate(("one", "two", "last")):
        spikes = np.array([step[k] for step in want])
        assert spikes.sum() > 30 and np.array_equal(found[name][0], spikes)


@pytest.mark.parametrize("after", ["input", "neurons"])
def test_delays(after):
    """Whole steps, for each value: of inputs, and of spikes between layers and back."""
    rng = np.random.default_rng(6)
    w, back = np.abs(rng.standard_normal((8, 8))), -np.abs(rng.standard_normal((8, 8)))
    d, x = np.arange(8) % 6, (rng.random((STEPS, 8)) < 0.4).astype(float)
    nodes = ends([8], [8]) | {"a": nir.Linear(0.3 * w), "d": nir.Delay(d.astype(float))}
    nodes |= {"n": cells("LIF", 8, 1.0), "r": nir.Linear(0.3 * back)}
    if after == "input":
        edges = [("input", "a"), ("a", "d"), ("d", "n"), ("n", "r"), ("r", "n"), ("n", "output")]
    else:
        edges = [("input", "a"), ("a", "n"), ("n", "r"), ("r", "d"), ("d", "n"), ("n", "output")]
    v, sent, came, want = np.zeros(8), np.zeros((STEPS + 1, 8)), np.zeros((STEPS, 8)), []
    for t, row in enumerate(x):
        came[t] = 0.3 * w @ row
        inside = np.array([came[t - k][i] if t >= k else 0 for i, k in enumerate(d)])
        ago = [0.3 * back[i] @ sent[t - k] if t >= k else 0 for i, k in enumerate(d)]
        drive = inside + 0.3 * back @ sent[t] if after == "input" else came[t] + np.array(ago)
        v = 7 / 8 * v + drive
        s = (v > 1).astype(float)
        v = v - s
        sent[t + 1] = s
        want.append(s)
    net = imported(nodes, edges, reset="subtract")
    # Back to the neurons there is one synapse of each delay; nothing needs a relay.
    assert (net.provenance[-1]["relay_neurons"], net.delays) == (0, (1, 2, 3, 4, 5))
    assert np.array_equal(runs(net, x)[0]["n"][0], want) and np.sum(want) > 30


@pytest.mark.parametrize("steps", [2.5, 64.0])
def test_delays_that_no_synapse_waits(steps):
    nodes = ends([2], [2]) | {"d": nir.Delay(np.array([1.0, steps])), "n": cells("IF", 2, 1.0)}
    edges = [("input", "d"), ("d", "n"), ("n", "output")]
    text = (
        r"^delays of node 'd' must be whole steps of 1 s from 0 to 63, which a synapse can wait, "
        rf"not {steps:g} steps$"
    )
    with pytest.raises(TriodiaError, match=text):
        imported(nodes, edges)


def test_graded_inputs_wait_too():
    """Values, not spikes, each channel by another delay."""
    rng = np.random.default_rng(8)
    d, x = np.array([0.0, 3.0, 63.0]), rng.integers(-32, 65, (120, 3)) / 32
    nodes = ends([3], [3]) | {"d": nir.Delay(d), "n": cells("IF", 3, 1.0)}
    net = imported(nodes, [("input", "d"), ("d", "n"), ("n", "output")], reset="subtract")
    v, want = np.zeros(3), []
    for t in range(len(x)):
        v = v + [x[t - int(k)][i] if t >= k else 0 for i, k in enumerate(d)]
        want.append((v > 1).astype(float))
        v = v - want[-1]
    assert (net.provenance[-1]["relay_neurons"], net.delays) == (0, (3, 63))
    for found in runs(net, x)[0]["n"]:
        assert np.array_equal(found, want) and np.sum(want) > 30


def test_two_delays_of_one_pair():
    """A spike that comes twice: once by the synapse, once by a relay."""
    rng = np.random.default_rng(9)
    w, x = np.abs(rng.standard_normal((4, 4))), (rng.random((STEPS, 4)) < 0.3).astype(float)
    nodes = ends([4], [4]) | {"a": nir.Linear(w), "n": cells("LIF", 4, 1.0)}
    nodes |= {"r": nir.Linear(-0.2 * w), "d": nir.Delay(np.full(4, 2.0)), "s": nir.Linear(0.1 * w)}
    edges = [("input", "a"), ("a", "n"), ("n", "r"), ("r", "n"), ("n", "d"), ("d", "s")]
    edges += [("s", "n"), ("n", "output")]
    v, sent, want = np.zeros(4), np.zeros((STEPS + 1, 4)), []
    for t, row in enumerate(x):
        again = sent[t - 2] if t >= 2 else np.zeros(4)
        s, v = layer(np.hstack([w, -0.2 * w, 0.1 * w]), np.concatenate([row, sent[t], again]), v)
        sent[t + 1] = s
        want.append(s)
    net = imported(nodes, edges, reset="subtract")
    assert net.provenance[-1]["relay_neurons"] == 2 * 4
    assert np.array_equal(runs(net, x)[0]["n"][0], want) and np.sum(want) > 30


GEOMETRIES = [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1)]
POOLS = {
    "sum": (nir.SumPool2d, lambda x: 4 * torch.nn.functional.avg_pool2d(x, 2)),
    "average": (nir.AvgPool2d, lambda x: torch.nn.functional.avg_pool2d(x, 2)),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("stride, padding, dilation, groups", GEOMETRIES)
def test_convolution_and_pool(pool, stride, padding, dilation, groups):
    """Conv2d, IF, pool, Flatten, Linear, IF: integers, so equal in both; torch convolves."""
    rng = np.random.default_rng([7, stride, padding])
    kernel = rng.integers(-2, 4, (4, 2 // groups, 3, 3)).astype(np.float32)
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x = (rng.random((30, 2, 8, 8)) < 0.4).astype(np.float32)
    summed = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(kernel), **how).numpy()
    v, maps = np.zeros(summed.shape[1:]), []
    for row in summed:
        v = v + row
        maps.append((v >= 3).astype(np.float32))
        v = v - 3 * maps[-1]
    kind, pooled = POOLS[pool]
    flat = pooled(torch.tensor(np.array(maps))).numpy().reshape(30, -1)
    dense = rng.integers(-1, 3, (5, flat.shape[1])).astype(np.float32)
    u, want = np.zeros(5), []
    for row in flat:
        u = u + dense @ row
        want.append((u >= 6).astype(float))
        u = u - 6 * want[-1]
    two = np.array([2, 2])
    nodes = ends([2, 8, 8], [5]) | {
        "conv": nir.Conv2d(input_shape=(8, 8), weight=kernel, bias=np.zeros(4), **how),
        "maps": cells("IF", summed.shape[1:], 3.0),
        "pool": kind(kernel_size=two, stride=two, padding=np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array(summed.shape[1:])}, 0, -1),
        "dense": nir.Linear(dense),
        "last": cells("IF", 5, 6.0),
    }
    chain = ["input", "conv", "maps", "pool", "flat", "dense", "last", "output"]
    net = imported(nodes, list(pairwise(chain)), simulator="spikingjelly", reset="subtract")
    found, *_ = runs(net, x.reshape(30, -1))
    for spikes, name in ((np.array(maps).reshape(30, -1), "maps"), (np.array(want), "last")):
        assert spikes.sum() > 10
        assert np.array_equal(found[name][0], spikes) and np.array_equal(found[name][1], spikes)


def test_convolution_in_one_dimension():
    rng = np.random.default_rng(8)
    kernel, bias = rng.normal(size=(3, 2, 5)), rng.normal(size=3)
    x = (rng.random((STEPS, 2, 12)) < 0.4).astype(np.float64)
    parts = (torch.tensor(part) for part in (x, kernel, bias))
    summed = torch.nn.functional.conv1d(*parts, stride=2, padding=2).numpy()
    v, want = np.zeros(summed.shape[1:]), []
    for row in summed:
        v = 7 / 8 * v + row
        want.append((v > 1).astype(float))
        v = v - want[-1]
    conv = nir.Conv1d(
        input_shape=12, weight=kernel, bias=bias, stride=2, padding=2, dilation=1, groups=1
    )
    nodes = ends([2, 12], [18]) | {"c": conv, "n": cells("LIF", (3, 6), 1.0)}
    net = imported(nodes, [("input", "c"), ("c", "n"), ("n", "output")], reset="subtract")
    found = runs(net, x.reshape(STEPS, -1))[0]["n"][0]
    assert np.array_equal(found, np.array(want).reshape(STEPS, -1))


def damaged_convolution(**changes):
    """Conv2d with fields that nir itself would refuse to build, as a file may hold them."""
    conv = nir.Conv2d(
        input_shape=(6, 6),
        weight=np.ones((2, 1, 3, 3)),
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=np.zeros(2),
    )
    for key, value in changes.items():
        setattr(conv, key, value)
    return conv


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"stride": 0}, r"stride of node 'c' must be whole numbers from 1, .* got 0"),
        ({"dilation": 0}, r"dilation of node 'c' must be whole numbers from 1, .* got 0"),
        ({"padding": -1}, r"padding of node 'c' must be whole numbers from 0, .* got -1"),
        ({"groups": 0}, r"groups of node 'c' must be at least 1, got 0"),
        ({"groups": -1}, r"groups of node 'c' must be at least 1, got -1"),
        ({"bias": np.zeros(3)}, r"bias of node 'c' must have 2 values, one per channel, got 3"),
        ({"weight": np.ones((2, 1, 3))}, r"weight of node 'c' must have 4 axes .* \(2, 1, 3\)"),
        ({"weight": np.ones(2)}, r"weight of node 'c' must have 4 axes .* \(2,\)"),
        ({"weight": np.ones((2, 1, 0, 3))}, r"weight of node 'c' must have 4 axes .* none of them"),
    ],
)
def test_convolutions_that_are_none(changes, sentence):
    nodes = ends([1, 6, 6], [32]) | {
        "c": damaged_convolution(**changes),
        "n": cells("IF", (2, 4, 4), 1.0),
    }
    with pytest.raises(TriodiaError, match=sentence):
        imported(nodes, list(pairwise(["input", "c", "n", "output"])))


@pytest.mark.parametrize("key", ["kernel_size", "stride"])
def test_a_pool_of_zero(key):
    two = np.array([2, 2])
    pool = nir.SumPool2d(kernel_size=two, stride=two, padding=np.array([0, 0]))
    setattr(pool, key, np.array([0, 0]))
    nodes = ends([1, 6, 6], [9]) | {"p": pool, "n": cells("IF", (1, 3, 3), 1.0)}
    with pytest.raises(TriodiaError, match=f"{key} of node 'p' must be whole numbers from 1"):
        imported(nodes, list(pairwise(["input", "p", "n", "output"])))


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
