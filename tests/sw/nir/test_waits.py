"""Skipped layers and Delay nodes: the spikes of the graph, in float and in integers."""

import nir
import numpy as np
import pytest

from tests.support.nir_runs import cells, ends, imported, runs
from triodia_hw.errors import TriodiaError

STEPS = 70


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
