from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.parts import changed
from tests.sw.network.test_network import task_network
from triodia.network.random import new_network
from triodia.train.model import SpikingModel
from triodia.train.surrogate import spike
from triodia_hw.errors import TriodiaError


def by_hand(net, x):
    """The step's equations, one neuron at a time, for one sample of scaled inputs (T, I)."""
    n, o = net.neurons, net.readouts
    v, u, rest, s, v_out = [0.0] * n, [0.0] * n, [0] * n, [0] * n, [0.0] * o
    b = [0.0] * n
    trace = []
    for row in x:
        fired, before = [0] * n, list(s)
        for i in range(n):
            a = sum(float(net.head.w_in[i, j]) * float(row[j]) for j in range(net.inputs))
            a += sum(float(net.w_rec[i, j]) * before[j] for j in range(n))
            alpha = 0.0 if net.tau_syn is None else np.exp(-1 / float(net.tau_syn[i]))
            u[i] = alpha * u[i] + a
            if net.adaptive:
                b[i] *= np.exp(-1 / float(net.tau_adapt[i]))
            if rest[i] > 0:
                rest[i] -= 1
                continue
            v[i] = np.exp(-1 / float(net.tau_mem[i])) * v[i] + u[i] + float(net.bias[i])
            if v[i] >= float(net.threshold[i]) + b[i]:
                b[i] += float(net.jump[i]) if net.adaptive else 0.0
                fired[i], rest[i] = 1, int(net.refractory[i])
                v[i] = v[i] - float(net.threshold[i]) if net.reset == "subtract" else 0.0
        for k in range(o):
            a = sum(float(net.head.w_out[k, j]) * before[j] for j in range(n))
            beta = np.exp(-1 / float(net.head.tau_out[k]))
            v_out[k] = beta * v_out[k] + a + float(net.head.bias_out[k])
        s = fired
        trace.append((list(fired), list(v), list(v_out)))
    return [np.array(part) for part in zip(*trace, strict=True)]


def example(seed, **options):
    net = task_network(9, seed, gain=2.0, **options)
    rng = np.random.default_rng(seed)
    extra = {"bias": rng.normal(0, 0.1, 9), "threshold": rng.uniform(0.5, 2, 9)}
    return changed(net, bias_out=rng.normal(size=2), **extra), rng.normal(0, 1.5, (14, 3))


ADAPTIVE = {"adaptive": 0.6, "tau_adapt": 7.0, "jump": 0.4}


@pytest.mark.parametrize("adaptation", [{}, ADAPTIVE], ids=["", "adaptive"])
@pytest.mark.parametrize("refractory", [0, 1, 3])
@pytest.mark.parametrize("tau_syn_mean", [None, 4.0])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_matches_the_equations(reset, tau_syn_mean, refractory, adaptation):
    options = {"reset": reset, "tau_syn_mean": tau_syn_mean, "refractory": refractory} | adaptation
    for seed in range(4):
        net, x = example(seed, **options)
        if refractory:  # heterogeneous: some neurons never rest
            net = replace(net, refractory=np.arange(9) % (refractory + 1))
        spikes, v, v_out = by_hand(net, x)
        assert 0.02 < spikes.mean() < 0.9
        got = SpikingModel(net)(torch.tensor(x[None], dtype=torch.float32), torch.tensor([14]))
        assert np.array_equal(got.spikes[0].detach().numpy(), spikes)
        assert got.v[0].detach().numpy() == pytest.approx(v, abs=1e-4)
        assert got.v_out[0].detach().numpy() == pytest.approx(v_out, abs=1e-4)


KINDS = {
    "default": {},
    "adaptive": ADAPTIVE,
    "zero": {"reset": "zero"},
    "refractory": {"refractory": 2},
    "synaptic": {"tau_syn_mean": 4.0},
    "above": {"fires": "above"},
    "all": {"reset": "zero", "refractory": 2, "tau_syn_mean": 4.0, "fires": "above", **ADAPTIVE},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_written_out_gradient_equals_autograd_over_the_steps(dropout, kind):
    """Same traces and same gradients of every parameter, with a loss on all spikes and readouts."""
    options = dict(KINDS[kind])
    rule = {"fires": options.pop("fires", "at")}
    net, _ = example(2, **options)
    if "refractory" in options:  # some neurons never rest
        rule["refractory"] = np.arange(9) % 3
    net = replace(net, **rule)
    found, losses = [], torch.linspace(-1, 2, 14)[:, None]
    for written_out in (True, False):
        model = SpikingModel(net, slope=4.0)
        assert model.written_out
        model.written_out = written_out
        torch.manual_seed(0)
        x = torch.randn(5, 14, 3) * 1.5
        trace = model(x, torch.tensor([14, 3, 9, 14, 7]), dropout)
        ((losses * trace.spikes).sum() + (losses * trace.v_out).sin().sum()).backward()
        found.append((trace, {name: p.grad for name, p in model.named_parameters()}))
    (fast, grads), (slow, expected) = found
    assert fast.spikes.sum() > 20 and torch.equal(fast.spikes, slow.spikes)
    assert torch.allclose(fast.v, slow.v, atol=1e-5)
    assert torch.allclose(fast.v_out, slow.v_out, atol=1e-4)
    for name, grad in expected.items():
        assert grad.abs().sum() > 0, name
        assert torch.allclose(grads[name], grad, rtol=1e-3, atol=1e-4), name


def test_padding_does_not_matter():
    net, x = example(1)
    padded = np.zeros((2, 14, 3), np.float32)
    padded[0], padded[1, :6] = x, x[:6]
    padded[1, 6:] = 99
    both = SpikingModel(net)(torch.tensor(padded), torch.tensor([14, 6]))
    alone = SpikingModel(net)(torch.tensor(padded[:1, :6]), torch.tensor([6]))
    assert torch.equal(both.spikes[1, :6], alone.spikes[0])
    assert torch.allclose(both.v_out[1].sum(0), alone.v_out[0].sum(0), atol=1e-5)
    assert both.spikes[1, 6:].sum() == 0 and both.v_out[1, 6:].abs().sum() == 0


def test_threshold_itself_spikes():
    distance = torch.tensor([-1e-6, 0.0, 1e-6])
    assert spike(distance, 10.0).tolist() == [0.0, 1.0, 1.0]


def test_surrogate_gradient():
    distance = torch.tensor([-0.3, 0.0, 0.5], requires_grad=True)
    spike(distance, 4.0).sum().backward()
    assert distance.grad == pytest.approx(np.array([1 / 2.2**2, 1.0, 1 / 9]), rel=1e-5)


def test_gradient_reaches_every_parameter():
    net, x = example(2, tau_syn_mean=3.0)
    model = SpikingModel(net)
    trace = model(torch.tensor(x[None], dtype=torch.float32), torch.tensor([14]))
    trace.v_out.sum(1)[0, 0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert model.w_rec.grad[~torch.tensor(net.mask_rec)].abs().sum() == 0


def test_network_comes_back():
    net, _ = example(3, tau_syn_mean=3.0)
    model = SpikingModel(net)
    with torch.no_grad():
        model.w_rec += 1.0  # also off the graph
    back = model.network()
    assert np.allclose(back.w_rec, (net.w_rec + 1) * net.mask_rec)
    assert np.allclose(back.tau_mem, net.tau_mem, rtol=1e-5)
    assert np.array_equal(back.head.w_out, net.head.w_out)


def test_untrained_network_is_refused():
    with pytest.raises(TriodiaError, match="triodia train"):
        SpikingModel(new_network(4, 0))
