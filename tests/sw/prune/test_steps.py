from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia.network.random import new_network
from triodia.prune.literal import literal_matrix
from triodia.prune.sampling import keep_count, keep_probabilities, sample
from triodia.prune.spectrum import network_spectrum
from triodia.prune.step1 import (
    NoiseOptions,
    edge_matrix,
    harmonic_matrix,
    noise_prune,
    noise_score,
    stable_system,
)
from triodia.prune.step2 import betweenness, connected, prune_by_betweenness, prune_neurons
from triodia_hw.errors import TriodiaError
from triodia_studies.lnp.defaults import preservation


def naive_harmonic(closeness, exponents):
    """One pair at a time: weighted harmonic mean over the union."""
    n = len(exponents)
    mean = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            union = [max(float(closeness[i, k]), float(closeness[j, k])) for k in range(n)]
            if sum(union):
                below = sum(c / e for c, e in zip(union, exponents, strict=True))
                mean[i, j] = sum(union) / below
    return mean


@pytest.mark.parametrize("n", [1, 2, 9, 14])
@pytest.mark.parametrize("weighted", [False, True])
def test_harmonic_matrix_against_the_loop(n, weighted):
    rng = np.random.default_rng(n)
    exponents = rng.uniform(0.1, 3, n)
    closeness = rng.random((n, n)) < 0.3
    if weighted:
        closeness = closeness * rng.random((n, n))
    got = harmonic_matrix(closeness, exponents)
    assert got == pytest.approx(naive_harmonic(closeness, exponents), rel=1e-9)


def test_edge_matrix_lives_on_the_synapses_with_their_signs():
    net = new_network(20, 0, density=0.2)
    exponents = np.random.default_rng(0).uniform(0.1, 2, 20)
    for neighbourhood in ("graph", "weighted"):
        matrix = edge_matrix(net, exponents, neighbourhood)
        assert np.array_equal(np.sign(matrix), np.sign(net.w_rec))
        size = np.abs(matrix[net.mask_rec])
        assert exponents.min() <= size.min() < size.max() <= exponents.max()


def test_complete_graph_has_one_lyapunov_value_for_all_edges():
    net = new_network(20, 0)
    exponents = np.random.default_rng(0).uniform(0.1, 2, 20)
    size = np.abs(edge_matrix(net, exponents)[net.mask_rec])
    assert size == pytest.approx(np.full(380, 20 / (1 / exponents).sum()))
    assert np.abs(edge_matrix(net, exponents, "weighted")[net.mask_rec]).std() > 1e-3


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 12), size=st.floats(1e-3, 1e3))
def test_system_is_stable_by_its_margin(seed, n, size):
    rng = np.random.default_rng(seed)
    coupling, leak = size * rng.standard_normal((n, n)), rng.uniform(0.01, 1, n)
    np.fill_diagonal(coupling, 0)
    a, scale = stable_system(coupling, leak, 0.1)
    margin = 0.1 * leak.min()
    assert scale > 0 and np.array_equal(np.diag(a), -leak)
    assert np.linalg.eigvals(a).real.max() <= -margin * (1 - 1e-6)
    assert np.linalg.eigvalsh((a + a.T) / 2).max() == pytest.approx(-margin, rel=1e-6)


def test_noise_score_by_hand():
    a = np.array([[-1.0, 0.5, 0.0], [-0.2, -1.0, 0.0], [0.0, 0.3, -1.0]])
    c = np.array([[1.0, 0.4, 0.1], [0.4, 2.0, -0.3], [0.1, -0.3, 3.0]])
    score = noise_score(a, c)
    assert score[0, 1] == pytest.approx(0.5 * (1 + 2 - 2 * 0.4))
    assert score[1, 0] == pytest.approx(0.2 * (1 + 2 + 2 * 0.4))
    assert score[2, 1] == pytest.approx(0.3 * (3 + 2 + 2 * 0.3))
    assert np.count_nonzero(score) == 3


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), keep=st.floats(0.05, 1), sigma=st.floats(0.1, 4))
def test_probabilities_sum_to_the_count(seed, keep, sigma):
    score = np.random.default_rng(seed).lognormal(0, sigma, 40)
    p = keep_probabilities(score, keep)
    assert p.sum() == pytest.approx(keep_count(40, keep), abs=1e-6)
    assert p.max() <= 1
    free = p < 1
    if free.any():  # where not clipped, in proportion to the score
        assert p[free] / score[free] == pytest.approx((p[free] / score[free])[0])


def test_impossible_fractions_are_refused():
    with pytest.raises(TriodiaError, match=r"^the fraction kept must be at most 0\.5000: "):
        keep_probabilities(np.array([1.0, 0.0, 2.0, 0.0]), 0.75)
    for keep in (0.0, 1.1):
        with pytest.raises(TriodiaError, match="must be above 0 and at most 1"):
            keep_probabilities(np.ones(4), keep)


def test_sampling_has_the_count_and_the_probabilities():
    p = np.array([1.0, 0.0, 0.9, 0.5, 0.5, 0.3, 0.2, 0.6])
    rng = np.random.default_rng(0)
    draws = np.array([sample(p, rng) for _ in range(6000)])
    assert np.all(draws.sum(axis=1) == 4)
    assert draws[:, 0].all() and not draws[:, 1].any()
    # Pareto sampling is close to p, not equal: 0.03 is its bias plus four standard errors.
    assert draws.mean(axis=0) == pytest.approx(p, abs=0.05)


def test_noise_prune_keeps_what_it_says():
    net = new_network(40, 0, density=0.3)
    pruned, report = noise_prune(net, 0.4, 1, NoiseOptions(steps=40))
    assert pruned.synapses == round(0.4 * net.synapses) == report["synapses_after"]
    assert not np.any(pruned.mask_rec & ~net.mask_rec)
    assert np.array_equal(pruned.w_rec, net.w_rec * pruned.mask_rec)
    assert np.array_equal(pruned.tau_mem, net.tau_mem)
    assert report["abscissa"] <= -report["margin"] < 0
    assert report["edge_spread"] > 0 and report["leak_correlation"] > 0.5
    same = replace(net, tau_mem=np.full(40, 5.0))
    assert noise_prune(same, 0.4, 1, NoiseOptions(steps=40))[1]["leak_correlation"] == 0
    again, _ = noise_prune(net, 0.4, 1, NoiseOptions(steps=40))
    other, _ = noise_prune(net, 0.4, 2, NoiseOptions(steps=40))
    assert np.array_equal(again.mask_rec, pruned.mask_rec)
    assert not np.array_equal(other.mask_rec, pruned.mask_rec)


def test_rescaling_keeps_the_sum_in_the_mean():
    net = new_network(60, 0)
    o = NoiseOptions(edges="weights", rescale=True)
    total = np.mean([np.abs(noise_prune(net, 0.5, s, o)[0].w_rec).sum() for s in range(5)])
    assert total == pytest.approx(np.abs(net.w_rec).sum(), rel=0.05)


def test_compensation_changes_leaks_only_as_far_as_neurons_allow():
    net = new_network(60, 0)
    cut = NoiseOptions(edges="weights", compensate=True)
    pruned, report = noise_prune(net, 0.3, 0, cut)
    # Without rescaling, synapses only go: every leak falls, time constants grow.
    assert report["tau_changed"] == 60
    assert np.all(pruned.tau_mem > net.tau_mem) and np.all(pruned.tau_mem <= 10.01 * net.tau_mem)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"edges": "x"}, "edges must be 'lyapunov' or 'weights', not 'x'"),
        ({"neighbourhood": "x"}, "neighbourhood must be 'graph' or 'weighted', not 'x'"),
        ({"margin": 0.0}, "floor and margin must be between 0 and 1"),
    ],
)
def test_options_are_checked(option, message):
    with pytest.raises(TriodiaError) as caught:
        NoiseOptions(**option)
    assert str(caught.value) == message


@pytest.mark.parametrize("density", [0.08, 0.3, 1.0])
def test_betweenness_against_networkx(density):
    net = new_network(30, 4, density=density)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(30))
    for i, j in zip(*np.nonzero(net.w_rec), strict=True):
        graph.add_edge(int(j), int(i), length=1 / abs(float(net.w_rec[i, j])))
    oracle = nx.betweenness_centrality(graph, weight="length", normalized=False)
    assert betweenness(net) == pytest.approx([oracle[k] for k in range(30)], abs=1e-9)


def chain(*edges, neurons=5):
    """Network with the given (source, target) synapses of weight 1."""
    w = np.zeros((neurons, neurons))
    for source, target in edges:
        w[target, source] = 1
    return replace(new_network(neurons, 0), w_rec=w, mask_rec=w != 0)


def test_the_least_central_go():
    net = chain((0, 1), (1, 2), (2, 3), (3, 4))
    pruned, report = prune_by_betweenness(net, 0.6)
    assert np.array_equal(pruned.w_rec, net.w_rec[1:4, 1:4])
    assert report["zero_betweenness"] == 2 and report["neurons_after"] == 3


def test_what_is_cut_off_goes_too():
    net = chain((0, 1), (1, 0), (2, 3))
    assert connected(net).tolist() == [0, 1]
    pruned, report = prune_neurons(net, 0.8, np.array([5.0, 4.0, 3.0, 2.0, 1.0]))
    assert pruned.neurons == 2 and report["unreachable"] == 2


def test_ties_go_to_the_strong():
    net = chain((0, 1), (1, 0), (0, 2), (2, 0), neurons=3)
    w = net.w_rec.copy()
    w[0, 2] = 9
    pruned, _ = prune_neurons(replace(net, w_rec=w), 2 / 3, np.zeros(3))
    assert pruned.w_rec.max() == 9


def test_literal_matrix_takes_the_spectrum_of_the_two_neighbourhoods():
    net = chain((0, 1), (1, 2), (3, 4))
    matrix = literal_matrix(net, steps=100)
    assert np.array_equal(matrix != 0, net.mask_rec)
    for edge, part in (((1, 0), [0, 1, 2]), ((4, 3), [3, 4])):
        size = np.abs(network_spectrum(net.subnetwork(np.array(part)), steps=100).exponents)
        assert matrix[edge] == pytest.approx(1 / np.mean(1 / size))
    with pytest.raises(TriodiaError, match=r"^neurons must be at most 64 for this, not 65$"):
        literal_matrix(new_network(65, 0))


def test_noise_rule_preserves_the_covariance_best():
    # The claim of the base paper, on a small case of ours.
    error = {row["rule"]: row["error"] for row in preservation(n=80, seeds=2, keep=0.5)}
    assert error["noise"] < error["weight"] < error["uniform"]
