"""Neurons whose spikes raise their threshold, from the command line to the machine."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.sw.network.test_files import equal
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.quantize.comparison import agreement
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for
from triodia.train.model import SpikingModel
from triodia_hw.machine.image import load_image

DIGITS = get_task("digits")
ADAPTIVE = {"adaptive": 0.5, "tau_adapt": 12.0, "jump": 0.5}


@pytest.fixture(scope="module")
def small():
    """A few samples, and a network of 20 neurons with inputs and readouts, 10 of which adapt."""
    data = DIGITS.load().subset(60, 30)
    net = new_network(20, 3, **ADAPTIVE)
    return data, attach(net, DIGITS, data, 3, settings_for(DIGITS, {"input_gain": 3.0}))


def test_the_twin_differs_in_nothing_else():
    net, twin = new_network(20, 3, **ADAPTIVE), new_network(20, 3)
    assert np.count_nonzero(net.jump) == 10 and set(net.jump.tolist()) == {0.0, 0.5}
    assert net.adaptive and not twin.adaptive and twin.jump is None
    equal(replace(net, tau_adapt=None, jump=None, provenance=twin.provenance), twin)
    assert net.provenance[0] == twin.provenance[0] | ADAPTIVE
    other = new_network(20, 4, **ADAPTIVE)
    assert (other.jump != net.jump).any()


def test_one_neuron_at_least_adapts():
    assert np.count_nonzero(new_network(20, 0, adaptive=0.001).jump) == 1


def test_layers_and_clusters():
    many = {"adaptive": (0.0, 1.0), "jump": (0.1, 0.2), "tau_adapt": (5.0, 9.0)}
    net = new_network(seed=0, layers=(6, 4), **many)
    assert net.jump.tolist() == pytest.approx([0.0] * 6 + [0.2] * 4)
    assert net.tau_adapt.tolist() == [5.0] * 6 + [9.0] * 4
    assert np.count_nonzero(clustered_network(20, 0, clusters=2, **ADAPTIVE).jump) == 10


def test_files(small, tmp_path):
    """The file of a network without adaptation has no trace of it."""
    _, net = small
    save_network(net, tmp_path / "a.net")
    equal(load_network(tmp_path / "a.net"), net)
    save_network(new_network(20, 3), tmp_path / "b.net")
    assert b"adapt" in (tmp_path / "a.net").read_bytes()
    assert b"adapt" not in (tmp_path / "b.net").read_bytes()


def test_integers(small):
    """``rho`` by ``leak_bits``; a jump in the units of its neuron's threshold; readouts none."""
    _, net = small
    image = quantize(net, None, QuantizeOptions(leak_bits=6))
    n = image.neurons
    assert image.params.adaptive and image.params.leak_bits == 6
    assert n.rho.tolist() == [round(64 * np.exp(-1 / 12))] * 20 + [0] * 10
    assert n.jump[:20] == pytest.approx(net.jump * n.threshold[:20], abs=1)
    assert not n.jump[20:].any() and n.jump.any()
    plain = quantize(replace(net, tau_adapt=None, jump=None), None, QuantizeOptions(leak_bits=6))
    assert not plain.params.adaptive and not plain.neurons.rho.any()


def test_a_high_jump_fits(small):
    """It takes weight bits, like a high threshold."""
    _, net = small
    image = quantize(replace(net, jump=60 * net.jump), None, QuantizeOptions(state_bits=12))
    assert 0.9 * 2**9 < image.neurons.jump.max() <= 2**9


def test_the_machine_adapts_as_the_network(small):
    """Adaptation changes many spikes, and the integers follow."""
    data, net = small
    wide = QuantizeOptions(weight_bits=16, leak_bits=16, state_bits=24)
    image = quantize(net, data, wide)
    assert agreement(net, image, data)["spikes_agree"] > 0.95
    without = replace(net, tau_adapt=None, jump=None)
    assert agreement(without, image, data)["spikes_agree"] < 0.92


def test_trained_on_a_grid_jumps_are_exact(small):
    _, net = small
    model = SpikingModel(net)
    model.set_grid(4)
    snapped = model.network()
    assert 0 < np.abs(snapped.jump - net.jump).max() < 0.01
    image = quantize(snapped, None, QuantizeOptions(weight_bits=4))
    assert image.meta["exact_neurons"] == net.neurons + net.readouts


def test_the_whole_chain(tmp_path, capsys):
    files = [tmp_path / name for name in ("a.net", "b.net", "c.net", "d.image")]
    made, sparse, trained, image = files
    asked = ["--adaptive", 0.5, "--tau-adapt", 12, "--jump", 0.2]
    done = ok(capsys, "new", "-o", made, "--neurons", 20, "--density", 0.5, *asked)
    assert done["adaptive_neurons"] == 10
    ok(capsys, "prune", made, "-o", sparse, "--method", "lnp", "--synapses", 0.5, "--nodes", 0.8)
    ok(capsys, "train", sparse, "-o", trained, "--task", "digits", "--epochs", 1)
    net = load_network(trained)
    assert net.neurons == 16 and net.adaptive and net.tau_adapt.tolist() == [12.0] * 16
    assert ok(capsys, "quantize", trained, "-o", image, "--lanes", 2)["spikes_agree"] > 0.5
    options = ["--task", "digits", "--samples", 2, "--state", "-o", tmp_path / "sim"]
    result = ok(capsys, "cosim", image, *options)
    # ends, counters, and v and b of every neuron and step, at least
    assert (
        result["mismatches"] == 0 and result["words"] >= 16 * 2 * load_image(image).params.neurons
    )
    code, _, error = call(capsys, "export-nir", trained, "-o", tmp_path / "a.nir")
    assert code == 2 and "adapt their thresholds" in error and not (tmp_path / "a.nir").exists()


BAD = {
    "fraction": (["--adaptive", "2"], "adaptive must be between 0 and 1, not 2.0"),
    "no fraction": (["--jump", "0.3"], "`--jump` is of neurons that adapt"),
    "time": (["--adaptive", "1", "--tau-adapt", "0"], "tau_adapt must be between 1 and 1e+06"),
    "words": (["--adaptive", "all"], "`--adaptive` must be numbers separated by commas"),
    "nan": (["--adaptive", "1", "--jump", "nan"], "jump must be a finite number, not nan"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_one_sentence(case, tmp_path, capsys):
    arguments, words = BAD[case]
    code, _, errors = call(capsys, "new", "-o", tmp_path / "a.net", *arguments)
    assert code == 2 and words in errors and len(errors.strip().splitlines()) == 1
    assert not any(tmp_path.iterdir())
