"""Measures, steps III and IV, structured networks, and controls with equal counts."""

import json
from dataclasses import replace

import numpy as np
import pytest

from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network, small_world_mask
from triodia.prune.controls import CONTROLS, activity_like, control_like
from triodia.prune.measures import (
    algebraic_connectivity,
    localisation,
    spectral_error,
    stability_margin,
)
from triodia.prune.pipeline import METHODS, prune
from triodia.prune.step3 import EdgeOptions, add_edges, candidate_scores
from triodia.prune.step4 import TimeOptions, redrawn_taus, tune_time_constants
from triodia_hw.errors import TriodiaError


def with_weights(w):
    w = np.asarray(w, float)
    return replace(new_network(len(w), 0), w_rec=w, mask_rec=w != 0)


def ring(n):
    w = np.zeros((n, n))
    w[(np.arange(n) + 1) % n, np.arange(n)] = 1
    return with_weights(w)


def test_localisation_of_known_eigenvectors():
    assert localisation(ring(12)) == pytest.approx(1)  # Fourier modes are even
    assert localisation(with_weights(np.diag(np.arange(1.0, 9)))) == pytest.approx(8)
    assert localisation(with_weights(np.zeros((5, 5)))) == 5
    gauss = with_weights(np.random.default_rng(0).standard_normal((200, 200)))
    assert localisation(gauss) == pytest.approx(2, rel=0.15)  # complex, a few real (3)


def test_algebraic_connectivity_of_known_graphs():
    n = 9
    assert algebraic_connectivity(ring(n)) == pytest.approx(2 - 2 * np.cos(2 * np.pi / n))
    assert algebraic_connectivity(new_network(n, 0)) == pytest.approx(n)  # complete graph
    apart = np.zeros((4, 4))
    apart[1, 0] = apart[3, 2] = 1
    assert algebraic_connectivity(with_weights(apart)) < 1e-12


def test_margin_and_spectral_error():
    net = with_weights(np.zeros((3, 3)))
    net = replace(net, tau_mem=np.array([2.0, 4.0, 5.0]))
    assert stability_margin(net, 1.0) == pytest.approx(0.2)
    big = new_network(700, 0, density=0.05)  # Arnoldi against all eigenvalues
    a = 0.1 * big.w_rec.astype(float) - np.diag(1 / big.tau_mem.astype(float))
    assert stability_margin(big, 0.1) == pytest.approx(-np.linalg.eigvals(a).real.max(), rel=1e-5)
    x = -np.linspace(0.1, 1, 50)
    assert spectral_error(x, x) == 0
    assert spectral_error(x - 0.055, x) == pytest.approx(0.1)
    assert spectral_error(x[::-1].repeat(2), x) < 0.02  # size and order do not count


def test_small_world():
    mask = small_world_mask(30, 0.2, 0.1, np.random.default_rng(0))
    assert np.all(mask.sum(1) == 6) and not mask.diagonal().any()
    near = small_world_mask(30, 0.2, 0.0, np.random.default_rng(0))
    i, j = np.nonzero(near)
    assert np.all(np.minimum((i - j) % 30, (j - i) % 30) <= 3)
    assert 0 < (mask & ~near).sum() < 0.25 * near.sum()


def test_clustered_network(tmp_path):
    net = clustered_network(200, 0, clusters=4, tau_spread=9.0)
    assert net.synapses == 200 * 40 and np.bincount(net.cluster).tolist() == [50] * 4
    means = [net.tau_mem[net.cluster == k].mean() for k in range(4)]
    assert max(means) / min(means) == pytest.approx(9, rel=0.5)
    total = (net.w_rec.astype(float) ** 2).sum() / 200
    assert total == pytest.approx(1)
    save_network(net, tmp_path / "c.net")
    assert np.array_equal(load_network(tmp_path / "c.net").cluster, net.cluster)
    assert net.subnetwork(np.array([0, 199])).cluster.tolist() == [0, 3]
    with pytest.raises(TriodiaError, match=r"^clusters must be in 1\.\.10, not 11$"):
        clustered_network(10, 0, clusters=11)


def test_candidates_of_step_3():
    # A chain 0-1-2-3: two hops, no synapse yet, never to itself.
    w = np.zeros((4, 4))
    w[1, 0] = w[2, 1] = w[3, 2] = 1
    places, score = candidate_scores(with_weights(w), "heterogeneity", np.random.default_rng(0))
    known = {(0, 1), (1, 2), (2, 3), (0, 2), (2, 0), (1, 3), (3, 1)}
    assert set(zip(*np.nonzero(places), strict=True)) == known
    # Degrees 1 2 2 1, neighbours' means 2 1.5 1.5 2: growth -1 at ends, +0.5 inside.
    assert score[1, 2] == pytest.approx(1, abs=1e-3)
    assert score[0, 2] == pytest.approx(-0.5, abs=1e-3)


@pytest.mark.parametrize("choice", ["heterogeneity", "random", "localised"])
def test_step_3_never_localises_more(choice):
    dense = new_network(60, 0)
    thin, _ = prune(dense, synapses=0.1, nodes=0.6)
    more, report = add_edges(thin, dense, 0, EdgeOptions(choice=choice, budget=0.2))
    assert np.all(more.mask_rec[thin.mask_rec])
    assert np.array_equal(more.w_rec[thin.mask_rec], thin.w_rec[thin.mask_rec])
    assert report["synapses_added"] == more.synapses - thin.synapses <= 0.2 * thin.synapses + 5
    assert localisation(more) == min(report["localisation_by_round"]) <= localisation(thin)
    assert report["reached"] == (localisation(more) <= report["goal"])
    new = more.mask_rec & ~thin.mask_rec
    assert np.array_equal(np.sign(more.w_rec[new]), np.broadcast_to(more.sign, new.shape)[new])
    nothing, _ = add_edges(thin, dense, 0, EdgeOptions(budget=0.0))
    assert nothing.synapses == thin.synapses


def test_taus_keep_their_rank():
    net = clustered_network(60, 0, clusters=3)
    tau = redrawn_taus(net, np.array([1.0, 2.0, 1.0]), np.array([5.0, 5.0, 5.0]))
    for k, factor in enumerate((1, 2, 1)):
        here = net.cluster == k
        assert np.array_equal(tau[here].argsort(), net.tau_mem[here].argsort())
        assert tau[here].mean() == pytest.approx(factor * net.tau_mem[here].mean(), rel=0.1)


@pytest.mark.parametrize("objective", ["spectrum", "edge"])
def test_step_4_improves_or_leaves(objective):
    dense = clustered_network(40, 0, clusters=2)
    slow = replace(dense, tau_mem=2 * dense.tau_mem)
    options = TimeOptions(objective=objective, trials=12)
    tuned, report = tune_time_constants(slow, dense, 0, options)
    assert report["cost_after"] <= report["cost_before"]
    if objective == "spectrum":  # half the time constants are within reach
        assert report["cost_after"] < 0.6 * report["cost_before"]
        assert tuned.tau_mem.mean() < slow.tau_mem.mean()
    again, _ = tune_time_constants(slow, dense, 0, options)
    assert np.array_equal(again.tau_mem, tuned.tau_mem)
    same, report = tune_time_constants(dense, dense, 0, TimeOptions(trials=2))
    assert np.array_equal(same.tau_mem, dense.tau_mem) and report["cost_after"] == 0


def test_four_steps_with_measures():
    net = clustered_network(60, 0, density=0.3)
    pruned, report = prune(net, steps=("I", "II", "III", "IV"), trials=3, measured=True)
    assert [entry["step"] for entry in report["passes"]] == ["I", "II", "III", "IV"]
    first = report["passes"][0]["before"]
    assert first["spectral_error"] == 0 and first["neurons"] == 60
    for one, two in zip(report["passes"], report["passes"][1:], strict=False):
        assert one["after"] == two["before"]
    last = report["passes"][-1]["after"]
    assert last["synapses"] == pruned.synapses and last["spectral_error"] > 0
    assert len(last["spectrum_quantiles"]) == 11 and last["stability_margin"] > 0
    json.dumps(report)
    assert pruned.provenance[-1]["options"]["trials"] == 3


@pytest.mark.parametrize("kind", CONTROLS)
def test_controls_have_exactly_the_counts(kind):
    net = clustered_network(60, 0, density=0.4)
    lnp, _ = prune(net, seed=1)
    control = control_like(kind, net, lnp.neurons, lnp.synapses, 1)
    assert (control.neurons, control.synapses) == (lnp.neurons, lnp.synapses)
    again = control_like(kind, net, lnp.neurons, lnp.synapses, 1)
    assert np.array_equal(control.w_rec, again.w_rec)
    if kind != "born-sparse":
        assert np.isin(control.w_rec[control.mask_rec], net.w_rec).all()
    if kind == "magnitude":
        other = control_like("random", net, lnp.neurons, lnp.synapses, 1)
        assert np.abs(control.w_rec).sum() > np.abs(other.w_rec).sum()


def test_activity_control_drops_the_quiet():
    net = new_network(20, 0)
    rates = np.arange(20) / 100
    part = activity_like(net, rates, 8, 30)
    assert (part.neurons, part.synapses) == (8, 30)
    assert np.array_equal(part.tau_mem, net.tau_mem[12:])
    with pytest.raises(TriodiaError, match=r"^synapses must be in 0\.\.56, not 57$"):
        activity_like(net, rates, 8, 57)


def test_steps_3_and_4_work_for_controls_too():
    assert "random" in METHODS
    _, report = prune(new_network(30, 0), method="random", steps=("I", "III", "IV"), trials=2)
    assert [entry["step"] for entry in report["passes"]] == ["I", "III", "IV"]
