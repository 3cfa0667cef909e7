"""``--from``: files of a simulator mean what its own neurons do (see tests/frameworks).

Each simulator's neuron is stepped here, as in its source; the graph is as its exporter writes it.
"""

import nir
import numpy as np
import pytest

from tests.support.nir_runs import ends, imported, runs

STEPS, INPUTS, NEURONS = 120, 6, 12


def drawn(seed, size):
    """Weights, input spikes, and time constants of membrane and current, in steps."""
    rng = np.random.default_rng(seed)
    w = rng.normal(0, size, (NEURONS, INPUTS)).astype(np.float32).astype(float)
    x = (rng.random((STEPS, INPUTS)) < 0.4).astype(float)
    return w, x, rng.uniform(4, 20, NEURONS), rng.uniform(2, 8, NEURONS)


def spikes_of(node, w, x, simulator):
    """Spikes of the import in float, ``(STEPS, NEURONS)``."""
    nodes = ends([INPUTS], [NEURONS]) | {"a": nir.Linear(w), "n": node}
    net = imported(nodes, [("input", "a"), ("a", "n"), ("n", "output")], simulator=simulator)
    return runs(net, x)[0]["n"][0]


def current(w, x, *, decay, keep, early, gain, at, subtract):
    """Spikes of neurons with a current; ``early``: it decays in the step that it enters."""
    i, v, found = np.zeros(NEURONS), np.zeros(NEURONS), []
    for row in x:
        i = decay * (i + w @ row) if early else decay * i + w @ row
        v = keep * v + gain * i
        s = (v >= 1 if at else v > 1).astype(float)
        v = v - s if subtract else v * (1 - s)
        found.append(s)
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
def test_rockpool_with_current(seed):
    """LIFTorch of Rockpool 3.1: no ``w_in`` in the file, and ``r = tau exp(-dt / tau) / dt``."""
    w, x, mem, syn = drawn(seed, 0.15)
    keep, decay = np.exp(-1 / mem), np.exp(-1 / syn)
    want = current(w, x, decay=decay, keep=keep, early=True, gain=1, at=True, subtract=True)
    levels = {"v_leak": np.zeros(NEURONS), "v_threshold": np.ones(NEURONS)}
    node = nir.CubaLIF(tau_mem=mem, tau_syn=syn, r=mem * keep, **levels)
    assert want.sum() > 100
    assert np.array_equal(spikes_of(node, w, x, "rockpool"), want)


@pytest.mark.parametrize("seed", range(3))
def test_rockpool_without_current(seed):
    """LIFNeuronTorch of Rockpool 3.1 adds its input as it is, whatever ``r`` says."""
    w, x, mem, _ = drawn(seed, 0.5)
    keep, none = np.exp(-1 / mem), np.zeros(NEURONS)
    want = current(w, x, decay=none, keep=keep, early=False, gain=1, at=True, subtract=True)
    node = nir.LIF(tau=mem, r=mem * keep, v_leak=none, v_threshold=np.ones(NEURONS))
    assert want.sum() > 100
    assert np.array_equal(spikes_of(node, w, x, "rockpool"), want)


@pytest.mark.parametrize("seed", range(3))
def test_norse_with_current(seed):
    """LIFCell of norse: a spike enters the current whole; the file has no ``w_in``."""
    w, x, mem, syn = drawn(seed, 0.8)
    keep, decay = 1 - 1 / mem, 1 - 1 / syn
    how = {"early": False, "at": False, "subtract": False}
    want = current(w, x, decay=decay, keep=keep, gain=1 - keep, **how)
    levels = {"v_leak": np.zeros(NEURONS), "v_threshold": np.ones(NEURONS)}
    node = nir.CubaLIF(tau_mem=mem, tau_syn=syn, r=np.ones(NEURONS), **levels)
    assert want.sum() > 100
    assert np.array_equal(spikes_of(node, w, x, "norse"), want)


def test_spikingjelly_sets_to_zero():
    """IFNode with its default ``v_reset``, the only one that its exporter takes."""
    w, x, *_ = drawn(0, 0.6)
    none = np.zeros(NEURONS)
    how = {"early": False, "gain": 1, "at": True, "subtract": False}
    want = current(w, x, decay=none, keep=1, **how)
    ones = np.ones(NEURONS)
    node = nir.IF(r=ones, v_threshold=ones, v_reset=none)
    assert want.sum() > 100
    assert np.array_equal(spikes_of(node, w, x, "spikingjelly"), want)
