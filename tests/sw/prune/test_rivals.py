"""Rivals of Lyapunov Noise Pruning, each against its paper's own equation on a small case."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.prune.criteria import Samples, shuffled
from triodia.prune.graphs import GRAPHS
from triodia.prune.pipeline import prune
from triodia.prune.saliency import flow_score, saliency
from triodia.prune.scores import _flow, jacobian_score, synflow_mask
from triodia.prune.spectrum import mean_square_slopes
from triodia.prune.step1 import NoiseOptions, dominant_system, noise_prune
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for, train
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError

DIGITS = replace(get_task("digits"), recipe={"epochs": 2})
SMALL = DIGITS.load().subset(60, 10)


@pytest.mark.parametrize("kind", GRAPHS)
@pytest.mark.parametrize("synapses", [1, 300, 1500, 40 * 39])
def test_graphs_have_the_count_and_no_self_connection(kind, synapses):
    mask = GRAPHS[kind](40, synapses, np.random.default_rng(0))
    assert mask.sum() == synapses and not mask.diagonal().any()
    assert np.array_equal(mask, GRAPHS[kind](40, synapses, np.random.default_rng(0)))


def test_grown_graphs_have_hubs_and_random_ones_do_not():
    degrees = {
        kind: make(400, 4000, np.random.default_rng(1)).sum(axis=1) for kind, make in GRAPHS.items()
    }
    # Ten synapses into a neuron on average: a Poisson law hardly reaches 25.
    assert degrees["erdos-renyi"].max() < 30
    assert degrees["barabasi-albert"].max() > 50 and degrees["geohub"].max() > 50
    assert degrees["geohub"][:3].mean() > 5 * degrees["geohub"].mean()  # readouts are hubs


def test_snip_is_weight_times_gradient():
    """The gradient is that of training's own model, which is written out by hand."""
    net = new_network(20, 0)
    score = saliency("snip", net, DIGITS, SMALL, 3)
    model = SpikingModel(attach(net, DIGITS, SMALL, 3, settings_for(DIGITS, {})))
    assert model.written_out
    x = torch.tensor(model.net.scale_input(SMALL.x_train))
    lengths, y = torch.tensor(SMALL.len_train), torch.tensor(SMALL.y_train)
    logits = model(x, lengths).v_out.sum(1) / lengths[:, None]
    torch.nn.functional.cross_entropy(logits, y).backward()
    expected = np.abs(net.w_rec * model.w_rec.grad.numpy())
    assert np.allclose(score, expected, rtol=1e-3, atol=1e-9) and score.max() > 0


def test_activity_is_the_input_that_a_synapse_carries():
    """The spikes of every source, counted in the forward pass of the same model."""
    net = new_network(20, 0)
    score = saliency("activity", net, DIGITS, SMALL, 3)
    model = SpikingModel(attach(net, DIGITS, SMALL, 3, settings_for(DIGITS, {})))
    x, lengths = torch.tensor(model.net.scale_input(SMALL.x_train)), torch.tensor(SMALL.len_train)
    sent = model(x, lengths).spikes.detach().sum((0, 1)).numpy() / lengths.sum().item()
    assert np.allclose(score, np.abs(net.w_rec) * sent[None, :], rtol=1e-4) and score.max() > 0
    assert np.argmax(score.sum(0) / np.abs(net.w_rec).sum(0)) == np.argmax(sent)


def test_grasp_is_weight_times_hessian_times_gradient():
    """Of a quadratic loss, w A w / 2 + b w, gradient and Hessian are known."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 4)), rng.standard_normal(4)
    a = a + a.T
    w = torch.tensor(rng.standard_normal(4), requires_grad=True)
    loss = w @ torch.tensor(a) @ w / 2 + torch.tensor(b) @ w
    value = w.detach().numpy()
    assert np.allclose(flow_score(loss, w), value * (a @ (a @ value + b)))


def test_synaptic_flow_is_the_gradient_of_the_summed_signal():
    rng = np.random.default_rng(0)
    w = torch.tensor(np.abs(rng.standard_normal((5, 5))) * 0.2, requires_grad=True)
    signal, total = torch.ones(5, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for _ in range(20):
        signal = w @ signal
        total = total + signal.sum()
    total.backward()
    flow, expected = _flow(w.detach().numpy(), scale=1.0), (w * w.grad).detach().numpy()
    assert np.allclose(flow, expected)


def test_synflow_keeps_the_count_and_no_dead_end():
    net = new_network(40, 0, density=0.5)
    mask = synflow_mask(net, 0.2)
    assert mask.sum() == round(0.2 * net.synapses) and not (mask & ~net.mask_rec).any()


def test_jacobian_score_is_the_sensitivity_of_the_mean_squared_singular_value():
    net = new_network(12, 0, density=0.5)
    square = torch.tensor(mean_square_slopes(net, 4))
    w = torch.tensor(net.w_rec.astype(np.float64), requires_grad=True)
    beta = torch.tensor(np.exp(-1 / net.tau_mem.astype(np.float64)))
    # <J_ij^2> off the diagonal is w_ij^2 <s_j^2>; no neuron drives itself.
    chi = ((w**2) * square).sum() / 12 + (beta**2).sum() / 12
    chi.backward()
    expected = (w * w.grad).detach().numpy() * 12 / 2
    assert np.allclose(jacobian_score(net, 4), expected) and expected.max() > 0


def test_iterative_magnitude_rewinds():
    net = new_network(20, 0)
    samples = Samples(DIGITS, SMALL)
    thin, _ = prune(net, method="iterative-magnitude", synapses=0.2, seed=2, samples=samples)
    assert thin.synapses == round(0.2 * net.synapses)
    assert np.array_equal(thin.w_rec, net.w_rec * thin.mask_rec)
    random, _ = prune(net, method="random", synapses=0.2, seed=2)
    learned, _ = train(net, DIGITS, data=SMALL, seed=2)
    moved = np.abs(learned.w_rec)
    assert moved[thin.mask_rec].mean() > 1.5 * moved[random.mask_rec].mean()


@pytest.mark.parametrize("method", ["snip", "grasp", "activity", "iterative-magnitude"])
def test_methods_that_look_at_samples_need_them(method):
    with pytest.raises(TriodiaError, match=f"Method {method} looks at samples; pass `--task`"):
        prune(new_network(10, 0), method=method)


def test_a_shuffled_graph_keeps_every_degree():
    net = new_network(60, 0, density=0.4)
    thin, _ = prune(net, method="lnp", synapses=0.3)
    mixed = shuffled(thin, net, 1)
    for axis in (0, 1):
        assert np.array_equal(mixed.mask_rec.sum(axis), thin.mask_rec.sum(axis))
    assert not (mixed.mask_rec & ~net.mask_rec).any()
    assert (mixed.mask_rec != thin.mask_rec).mean() > 0.05


def test_the_report_says_what_the_rule_sees():
    net = new_network(80, 0, density=0.3)
    _, report = noise_prune(net, 0.5, 0, NoiseOptions(steps=40))
    assert 0 <= report["path_share"] < 0.2  # the covariance hardly counts (docs/lnp.md)
    assert report["explained_by_tau"] > 0.6
    _, equal = noise_prune(net, 0.5, 0, NoiseOptions(steps=40, equal_tau=True))
    assert equal["explained_by_tau"] < report["explained_by_tau"]


def test_without_covariance_the_rule_knows_variances_only():
    net = new_network(60, 0, density=0.3)
    with_paths, _ = noise_prune(net, 0.5, 0, NoiseOptions(steps=40))
    without, _ = noise_prune(net, 0.5, 0, NoiseOptions(steps=40, covariance=False))
    same = (with_paths.mask_rec == without.mask_rec)[net.mask_rec].mean()
    assert 0.9 < same < 1


def test_iterations_cut_step_by_step_to_the_same_count():
    net = new_network(60, 0, density=0.3)
    thin, report = noise_prune(net, 0.25, 0, NoiseOptions(steps=40, iterations=4))
    assert thin.synapses == round(0.25 * net.synapses) == report["cuts"][-1]
    shares = np.array(report["cuts"]) / net.synapses
    assert np.allclose(shares, 0.25 ** (np.arange(1, 5) / 4), atol=0.01)


def test_the_dominant_system_is_what_the_theorem_asks_for():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((8, 8)) - np.eye(8)
    system = dominant_system(a)
    off = system - np.diag(np.diag(system))
    assert np.allclose(system, system.T)
    assert np.all(-np.diag(system) >= np.abs(off).sum(axis=1))
    assert np.linalg.eigvalsh(system).max() < 0
