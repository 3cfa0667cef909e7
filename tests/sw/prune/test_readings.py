"""Open readings of LNP: loops, refilling, deflation, and the memory that step IV may aim at."""

from dataclasses import replace

import numpy as np
import pytest

from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.memory import memory_and_rate, recalled
from triodia.prune.pipeline import prune
from triodia.prune.step1 import deflated, edge_matrix, stable_system
from triodia.prune.step4 import TimeOptions, tune_time_constants
from triodia_hw.errors import TriodiaError


def test_loops_end_at_the_same_counts():
    net = clustered_network(80, 0)
    once, _ = prune(net, synapses=0.3, steps=("I",))
    often, report = prune(net, synapses=0.3, steps=("I",), loops=4)
    assert often.synapses == once.synapses and report["loops"] == 4
    counts = [entry["synapses_after"] for entry in report["passes"]]
    assert counts == [round(net.synapses * 0.3 ** (k / 4)) for k in (1, 2, 3, 4)]
    fewer, report = prune(net, synapses=0.5, nodes=0.5, steps=("I", "II"), loops=3)
    assert fewer.neurons == 40 and len(report["passes"]) == 6
    assert [entry["neurons_after"] for entry in report["passes"][1::2]] == [63, 50, 40]
    with pytest.raises(TriodiaError, match=r"loops must be in 1\.\.1000, not 0"):
        prune(net, loops=0)


def test_step_3_fills_up_to_a_total():
    net = clustered_network(80, 0)
    full, report = prune(net, nodes=0.5, steps=("II", "III"), total=0.4)
    assert full.synapses == round(0.4 * net.synapses) and report["passes"][1]["reached"]
    more, report = prune(net, nodes=0.1, steps=("II", "III"), total=1.0)
    assert more.synapses < net.synapses and not report["passes"][1]["reached"]  # no place is left
    with pytest.raises(TriodiaError, match=r"total must be in 0\.\.1, not 2\.0"):
        prune(net, total=2.0)


def test_deflation_takes_out_the_modes_that_limit_the_scale():
    net = new_network(60, 1, density=0.3)
    coupling, leak = edge_matrix(net, np.ones(60)), 1 / net.tau_mem.astype(np.float64)
    scales = []
    for modes in range(4):
        a, scale = stable_system(deflated(coupling, leak, 0.1, modes), leak, 0.1)
        greatest = np.linalg.eigvalsh((a + a.T) / 2)[-1]
        assert greatest == pytest.approx(-0.1 * leak.min())
        scales.append(scale)
    assert scales == sorted(scales) and scales[1] > 1.2 * scales[0]
    assert np.allclose(deflated(coupling, leak, 0.1, 0), coupling)
    with pytest.raises(TriodiaError, match=r"deflate must be below \d+, the modes there are, not"):
        deflated(coupling, leak, 0.1, 60)


def test_memory_of_known_spikes():
    """Spikes that are the signal's delayed signs recall exactly that lag and its trace."""
    rng = np.random.default_rng(0)
    signal = rng.choice([-1.0, 1.0], 2000)
    late = np.stack([np.roll(signal, k) > 0 for k in range(6)], axis=1).astype(float)
    assert recalled(late[:, 3:4], signal, 10, tau=1e-3) == pytest.approx(1, abs=0.05)
    assert recalled(late[:, 1:6], signal, 10, tau=1e-3) == pytest.approx(5, abs=0.05)
    assert recalled(rng.random((2000, 3)).round(), signal, 10) < 0.1
    assert recalled(np.zeros((2000, 3)), signal, 10) == 0


def test_step_4_lowers_spikes_over_memory():
    net = new_network(40, 0, density=0.2)
    memory, rate = memory_and_rate(net, 0)
    assert memory > 0.5 and 0.01 < rate < 0.3
    # The noise is scaled by the threshold: a bias far below it silences the network.
    assert memory_and_rate(replace(net, bias=np.full(40, -50.0)), 0) == (0.0, 0.0)
    options = TimeOptions(objective="efficiency", trials=6)
    tuned, report = tune_time_constants(net, net, 0, options)
    memory, rate = memory_and_rate(tuned, 0)
    assert report["cost_after"] == pytest.approx(rate / memory)
    assert report["cost_after"] < report["cost_before"]
