"""``--from``: files of a simulator mean what its own neurons do (see tests/frameworks).

Each simulator's neuron is stepped here, as in its source; the graph is as its exporter writes it.
"""

import nir
import numpy as np
import pytest

from tests.support.nir_runs import ends, imported, runs
from triodia_hw.errors import TriodiaError

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


def spyx(w, x, *, beta, alpha=None, w_rec=None):
    """Spikes of spyx's neurons, each with the step whose potential sent it."""
    v, i, s, found = np.zeros(NEURONS), np.zeros(NEURONS), np.zeros(NEURONS), []
    for row in x:
        arriving = w @ row + (0 if w_rec is None else w_rec @ s)
        if alpha is None:
            v = beta * v + arriving - s
        else:
            i = alpha * i + arriving
            v = beta * (v - s) + i
        s = (v > 1).astype(float)
        found.append(s)
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["IF", "LIF", "CuBaLIF"])
def test_spyx(kind, seed):
    """spyx adds its input as it is: ``r`` of its files is the decay."""
    w, x, mem, syn = drawn(seed, 0.15 if kind == "CuBaLIF" else 0.5)
    beta, alpha = 1 - 1 / mem, 1 - 1 / syn
    levels = {"v_leak": np.zeros(NEURONS), "v_threshold": np.ones(NEURONS)}
    if kind == "IF":
        want = spyx(w, x, beta=1)
        node = nir.IF(r=np.ones(NEURONS), v_threshold=np.ones(NEURONS))
    elif kind == "LIF":
        want, node = spyx(w, x, beta=beta), nir.LIF(tau=mem, r=beta, **levels)
    else:
        want = spyx(w, x, beta=beta, alpha=alpha)
        node = nir.CubaLIF(tau_mem=mem, tau_syn=syn, r=beta, **levels)
    assert want.sum() > 100
    assert np.array_equal(spikes_of(node, w, x, "spyx"), want)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("current", [False, True])
def test_spyx_recurrent(current, seed):
    """Its files lead the input through the recurrent weights; its neurons do not."""
    w, x, mem, syn = drawn(seed, 0.15 if current else 0.5)
    w_rec = np.random.default_rng(seed + 9).normal(0, 0.2, (NEURONS, NEURONS))
    beta, alpha = 1 - 1 / mem, 1 - 1 / syn
    levels = {"v_leak": np.zeros(NEURONS), "v_threshold": np.ones(NEURONS)}
    node = (
        nir.CubaLIF(tau_mem=mem, tau_syn=syn, r=beta, **levels)
        if current
        else nir.LIF(tau=mem, r=beta, **levels)
    )
    inner = ends([NEURONS], [NEURONS]) | {"lif": node, "w_rec": nir.Linear(w_rec)}
    edges = [("input", "w_rec"), ("w_rec", "lif"), ("lif", "w_rec"), ("lif", "output")]
    nodes = ends([INPUTS], [NEURONS]) | {"a": nir.Linear(w), "n": nir.NIRGraph(inner, edges)}
    net = imported(nodes, [("input", "a"), ("a", "n"), ("n", "output")], simulator="spyx")
    want = spyx(w, x, beta=beta, alpha=alpha if current else None, w_rec=w_rec)
    assert want.sum() > 100
    assert np.array_equal(runs(net, x)[0]["n.lif"][0], want)


def test_simulator_without_files():
    nodes = ends([2], [2]) | {"n": nir.IF(r=np.ones(2), v_threshold=np.ones(2))}
    with pytest.raises(TriodiaError, match=r"Nengo 4\.1 writes no NIR files; leave --from out"):
        imported(nodes, [("input", "n"), ("n", "output")], simulator="nengo")
