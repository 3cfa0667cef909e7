"""Synapses that wait, from the command line to the machine."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.commands import call, ok
from tests.sw.network.test_files import equal
from triodia.network.files import load_network, save_network
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.quantize.comparison import agreement
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image

DIGITS = get_task("digits")


@pytest.fixture(scope="module")
def small():
    """A few samples, and a network whose inputs, recurrent synapses and readouts all wait."""
    data, rng = DIGITS.load().subset(60, 30), np.random.default_rng(1)
    net = attach(
        new_network(20, 3, max_delay=3), DIGITS, data, 3, settings_for(DIGITS, {"input_gain": 3.0})
    )
    waits = {"delay_in": rng.integers(0, 3, net.head.w_in.shape)}
    return data, net.with_head(**waits, delay_out=rng.integers(0, 5, net.head.w_out.shape))


def by_hand(net: Network, x: np.ndarray) -> np.ndarray:
    """Spikes of one sample ``(T, I)``, each synapse by itself."""
    n, head = net.neurons, net.head
    spikes, v = np.zeros((len(x), n)), np.zeros(n)
    for t in range(len(x)):
        a = net.bias.astype(np.float64)
        for i in range(n):
            for j in range(head.inputs):
                if t >= head.delay_in[i, j]:
                    a[i] += head.w_in[i, j] * x[t - head.delay_in[i, j], j]
            for j in range(n):
                if t >= 1 + net.delay_rec[i, j]:
                    a[i] += net.w_rec[i, j] * spikes[t - 1 - net.delay_rec[i, j], j]
        v = np.exp(-1 / net.tau_mem) * v + a
        spikes[t] = v >= net.threshold
        v = v - spikes[t] * net.threshold
    return spikes


def test_the_float_model_waits(small):
    data, net = small
    x = net.scale_input(data.x_test[:2])
    with torch.no_grad():
        trace = SpikingModel(net)(torch.tensor(x), torch.tensor(data.len_test[:2]))
    for k in range(2):
        want = by_hand(net, x[k][: data.len_test[k]].astype(np.float64))
        assert np.array_equal(trace.spikes[k, : len(want)].numpy(), want) and want.sum() > 20


def test_gradients_reach_synapses_that_wait(small):
    """Those of every delay, and the delays change what is learned."""
    data, net = small
    model = SpikingModel(net)
    x = torch.tensor(net.scale_input(data.x_train[:20]))
    model(x, torch.tensor(data.len_train[:20])).v_out.square().sum().backward()
    for name, delay in (("w_rec", net.delay_rec), ("w_in", net.head.delay_in)):
        gradient = getattr(model, name).grad.numpy()
        assert all(gradient[delay == steps].any() for steps in np.unique(delay))
    equal(replace(model.network(), tau_mem=net.tau_mem), replace(net, tau_mem=net.tau_mem))


def test_the_twin_differs_in_nothing_else():
    net, twin = new_network(20, 3, max_delay=7), new_network(20, 3)
    assert net.delays == (1, 2, 3, 4, 5, 6, 7) and twin.delays == () and twin.delay_rec is None
    equal(replace(net, delay_rec=None, provenance=twin.provenance), twin)


def test_files(small, tmp_path):
    """The file of a network without delays has no trace of them."""
    _, net = small
    save_network(net, tmp_path / "a.net")
    equal(load_network(tmp_path / "a.net"), net)
    save_network(new_network(20, 3), tmp_path / "b.net")
    assert b"delay" in (tmp_path / "a.net").read_bytes()
    assert b"delay" not in (tmp_path / "b.net").read_bytes()


def test_a_part_keeps_its_delays(small):
    _, net = small
    part = net.subnetwork(np.array([4, 2, 9]))
    assert part.delay_rec[0, 2] == net.delay_rec[4, 9]
    assert np.array_equal(part.head.delay_in, net.head.delay_in[[4, 2, 9]])
    assert np.array_equal(part.head.delay_out, net.head.delay_out[:, [4, 2, 9]])


def test_the_machine_waits_as_the_network(small):
    """Integers follow the float model; those without delays do not."""
    data, net = small
    image = quantize(net, data, QuantizeOptions(weight_bits=16, leak_bits=16, state_bits=24))
    assert image.params.delays == (1, 2, 3, 4)
    assert agreement(net, image, data)["spikes_agree"] > 0.95
    without = replace(net, delay_rec=None).with_head(delay_in=None, delay_out=None)
    assert agreement(without, image, data)["spikes_agree"] < 0.8
    assert quantize(without, None, QuantizeOptions()).params.delays == ()


@pytest.mark.parametrize("wrong", [-1, 64])
def test_delays_out_of_range(wrong, small):
    _, net = small
    with pytest.raises(TriodiaError, match=rf"^delay_rec must be in 0..63 steps, not {wrong}$"):
        replace(net, delay_rec=np.full((20, 20), wrong))
    with pytest.raises(TriodiaError, match=rf"^delay_in must be in 0..63 steps, not {wrong}$"):
        net.with_head(delay_in=np.full_like(net.head.delay_in, wrong))


def test_the_whole_chain(tmp_path, capsys):
    """Made, pruned, trained, through NIR and back, and in gateware: 0 differences."""
    names = ("a.net", "b.net", "c.net", "d.nir", "e.net", "f.image")
    made, sparse, trained, other, back, image = (tmp_path / name for name in names)
    done = ok(capsys, "new", "-o", made, "--neurons", 20, "--gain", 3, "--max-delay", 5)
    assert done["delays"] == [1, 2, 3, 4, 5]
    ok(capsys, "prune", made, "-o", sparse, "--method", "lnp", "--synapses", 0.5, "--nodes", 0.8)
    ok(capsys, "train", sparse, "-o", trained, "--task", "digits", "--epochs", 1)
    ok(capsys, "export-nir", trained, "-o", other)
    assert ok(capsys, "import-nir", other, "-o", back)["relay_neurons"] == 0
    net = load_network(trained)
    equal(replace(load_network(back), provenance=net.provenance), net)
    ok(capsys, "quantize", back, "-o", image, "--lanes", 2)
    assert load_image(image).params.delays == net.delays == (1, 2, 3, 4, 5)
    options = ["--task", "digits", "--samples", 12, "--state", "-o", tmp_path / "sim"]
    result = ok(capsys, "cosim", image, *options)
    assert result["mismatches"] == 0 and result["spikes"] > 20


def test_bad_options_are_one_sentence(tmp_path, capsys):
    code, _, errors = call(capsys, "new", "-o", tmp_path / "a.net", "--max-delay", 64)
    assert code == 2 and "max_delay must be whole steps in 0..63, not 64" in errors
    assert len(errors.strip().splitlines()) == 1 and not any(tmp_path.iterdir())
