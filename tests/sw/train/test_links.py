"""Training along the synapses gives what dense matrices give, up to rounding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.tasks.catalog import get_task
from triodia.train import links, model
from triodia.train.links import Synapses, links_of, pays
from triodia.train.loop import train
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError
from triodia_studies.bench import synapses as bench

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(120, 60)
KINDS = {
    "default": {},
    "synaptic current": {"tau_syn_mean": 4.0},
    "rests": {"refractory": 2, "reset": "zero"},
    "adaptive": {"adaptive": 0.5, "tau_adapt": 20.0, "jump": 0.2},
}


def of_size(neurons, seed=0, **options):
    x = np.random.default_rng(seed).standard_normal((6, 12, 5)).astype(np.float32)
    net = with_inputs(new_network(neurons, seed, density=0.15, **options), x, 3)
    return net, torch.tensor(x)


def test_products_are_those_of_the_matrix():
    net, _ = of_size(40)
    places, w = Synapses(net), torch.tensor(net.w_rec)
    values = places.values(w)
    assert torch.equal(places.matrix(values), w) and len(values) == net.synapses
    sparse, dense = links_of(values, places), links_of(w.T, None)
    sent, grad = torch.randn(7, 6, 40).relu(), torch.randn(7, 6, 40)
    found, expected = grad[0].clone(), grad[0].clone()
    sparse.add_to(found, sent[0])
    dense.add_to(expected, sent[0])
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(sparse.back(grad[0]), dense.back(grad[0]), atol=1e-5)
    there = places.values(dense.weight_grad(sent, grad).T)
    assert torch.allclose(sparse.weight_grad(sent, grad), there, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_traces_and_gradients_are_those_of_the_dense_model(kind):
    net, x = of_size(60, **KINDS[kind])
    lengths, found = torch.tensor([12, 4, 12, 9, 12, 1]), []
    for sparse in (False, True):
        ours = SpikingModel(net, sparse=sparse)
        torch.manual_seed(0)
        trace = ours(2 * x, lengths, 0.2)
        (trace.v_out.sin().sum() + (trace.spikes * torch.linspace(-1, 2, 60)).sum()).backward()
        found.append((ours, trace))
    (dense, expected), (ours, trace) = found
    assert ours.w_rec.shape == (net.synapses,) and expected.spikes.sum() > 50
    assert torch.equal(trace.spikes, expected.spikes)
    assert torch.allclose(trace.v_out, expected.v_out, atol=1e-4)
    grad = ours.synapses.values(dense.w_rec.grad)
    assert grad.abs().sum() > 0 and torch.allclose(ours.w_rec.grad, grad, rtol=1e-3, atol=1e-4)
    for name, p in ours.named_parameters():
        if name != "w_rec":
            same = torch.allclose(p.grad, dense.get_parameter(name).grad, rtol=1e-3, atol=1e-4)
            assert same, name
    assert np.array_equal(ours.network().w_rec, net.w_rec)


def test_training_ends_where_dense_training_does(monkeypatch):
    net, how = new_network(64, 0, density=0.15), {"data": SMALL, "epochs": 3, "seed": 1}
    dense, _ = train(net, DIGITS, **how)
    monkeypatch.setattr(links, "_NEURONS", 50)
    assert pays(net) and not pays(new_network(64, 0, density=0.4))
    sparse, report = train(net, DIGITS, **how)
    assert np.array_equal(sparse.mask_rec, dense.mask_rec) and report.loss > 0
    moved = np.abs(dense.w_rec - net.w_rec).max()
    assert moved > 0.01 and np.abs(sparse.w_rec - dense.w_rec).max() < 0.02 * moved
    again, _ = train(net, DIGITS, **how)
    assert np.array_equal(again.w_rec, sparse.w_rec)


def test_a_checkpoint_of_dense_training_is_refused(monkeypatch, tmp_path):
    """An earlier version left such files of large networks; their weights have other places."""
    net, how = new_network(32, 0, density=0.15), {"data": SMALL, "epochs": 2, "seed": 1}
    train(net, DIGITS, **how, checkpoint=tmp_path / "state")
    monkeypatch.setattr(links, "_NEURONS", 20)
    with pytest.raises(TriodiaError, match="belongs to another training"):
        train(net, DIGITS, **how, checkpoint=tmp_path / "state")


@pytest.mark.parametrize("option", [{"sparse": "rigl"}, {"weight_bits": 4}, {"learn_delays": 3}])
def test_what_needs_all_places_is_trained_as_before(option, monkeypatch):
    net, how = new_network(32, 0, density=0.15), {"data": SMALL, "epochs": 2, "seed": 1}
    dense, _ = train(net, DIGITS, **how, **option)
    monkeypatch.setattr(links, "_NEURONS", 20)
    found, _ = train(net, DIGITS, **how, **option)
    assert found.synapses == dense.synapses
    if "weight_bits" not in option:  # there the epochs before the grid are sparse
        assert np.array_equal(found.w_rec, dense.w_rec)


def test_where_it_does_not_go_models_are_dense(monkeypatch):
    monkeypatch.setattr(links, "_NEURONS", 10)
    net, _ = of_size(30)
    assert SpikingModel(net).synapses is not None
    late = replace(net, delay_rec=np.ones_like(net.w_rec, dtype=np.int64) * net.mask_rec)
    assert SpikingModel(late).synapses is None
    monkeypatch.setattr(model, "pays", lambda net: False)
    assert SpikingModel(net).synapses is None


def test_on_another_device_products_are_dense():
    """As for a GPU; see test_device.py."""
    net, _ = of_size(30)
    ours = SpikingModel(net, sparse=True).to("meta")
    trace = ours(torch.zeros(2, 4, 5, device="meta"), torch.full((2,), 4, device="meta"))
    trace.v_out.sum().backward()
    assert ours.w_rec.grad.device.type == "meta" and ours.w_rec.grad.shape == (net.synapses,)


def test_benchmark_runs_both_ways():
    row = bench.row(30, 0.2, batch=2, steps=3)
    assert row["synapses"] > 100 and row["sparse_gradient_ms"] > 0 < row["dense_update_ms"]
