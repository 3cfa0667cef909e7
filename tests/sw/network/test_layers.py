"""Layered networks: their graph, and the whole chain from training to Verilog."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.commands import call, ok
from triodia.network.files import load_network, save_network
from triodia.network.layers import Layers
from triodia.network.random import new_network
from triodia.nir.exporter import export_nir
from triodia.prune.pipeline import prune
from triodia.quantize.inference import evaluate_image, input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for, train
from triodia.train.measure import evaluate
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image, save_image
from triodia_hw.machine.trace import trace
from triodia_sim.runner import cosimulate

DIGITS = get_task("digits")
THREE = {"layers": (30, 20, 10), "recurrent": (True, False, True), "skips": [(0, 2)]}
EXACT = QuantizeOptions(state_bits=24, leak_bits=16)


@pytest.fixture(scope="module")
def trained():
    net = new_network(layers=(48, 32), recurrent=(True, False), seed=1)
    little = {"noise": 0.1, "shift": 0.0, "warp": 0.0, "dropout": 0.0, "target_rate": 0.15}
    return train(net, DIGITS, epochs=12, seed=1, **little)[0]


def block(net, target, source):
    return net.mask_rec[np.ix_(net.layer == target, net.layer == source)]


def test_blocks_are_where_they_were_asked_for():
    net = new_network(seed=2, tau_mean=(20.0, 5.0, 2.0), refractory=(0, 1, 2), **THREE)
    assert net.layers == (30, 20, 10) and net.depth == 3
    filled = {(1, 0), (2, 1), (2, 0)}
    for target in range(3):
        for source in range(3):
            part = block(net, target, source)
            if target == source and target != 1:
                assert np.array_equal(part, ~np.eye(len(part), dtype=bool))
            else:
                assert part.all() == part.any() == ((target, source) in filled)
    means = [net.tau_mem[net.layer == k].mean() for k in range(3)]
    assert means[0] > 12 and 3 < means[1] < 8 and means[2] < 4
    assert np.array_equal(net.refractory, net.layer)
    assert np.all(np.sign(net.w_rec) == net.sign * net.mask_rec)
    assert np.array_equal(net.places(), net.mask_rec)


def test_density_may_differ_by_layer():
    net = new_network(layers=(40, 30), recurrent=(False, True), density=(1.0, 0.1), seed=0)
    assert np.all(block(net, 1, 0).sum(axis=0) == 3)
    assert block(net, 1, 1).sum(axis=0).max() <= 3 and block(net, 1, 1).any()


def test_one_layer_is_the_network_without_layers():
    whole, one = new_network(20, 4, density=0.5), new_network(layers=(20,), density=0.5, seed=4)
    assert np.array_equal(whole.w_rec, one.w_rec) and np.array_equal(whole.tau_mem, one.tau_mem)
    assert whole.layer is None and whole.layers == one.layers == (20,)


def test_inputs_reach_the_first_layer_and_readouts_see_the_last():
    net = attach(new_network(seed=0, **THREE), DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))
    reached = net.head.mask_in.any(axis=1)
    assert reached[net.layer == 0].any() and not reached[net.layer > 0].any()
    assert np.array_equal(net.head.mask_out, np.tile(net.layer == 2, (10, 1)))


def test_the_last_step_of_a_sample_reaches_the_readouts():
    net = new_network(layers=(20, 20, 20), recurrent=(False,) * 3, seed=0)
    data = DIGITS.load().subset(40, 40)
    net = attach(net, DIGITS, data, 0, settings_for(DIGITS, {"input_gain": 4.0}))
    other = data.x_test.copy()
    other[:, -1] = 1 - other[:, -1]  # only the last step differs

    def outputs(x):
        x, lengths = (torch.tensor(a) for a in net.model_inputs(x, data.len_test))
        with torch.no_grad():
            return SpikingModel(net)(x, lengths).spikes[..., 40:].numpy()

    changed = (outputs(data.x_test) != outputs(other)).any(axis=(0, 2))
    assert net.head.input_tail == 2
    assert changed.tolist() == [False] * 9 + [True]  # two steps after the eighth


def test_samples_of_different_lengths_end_in_silence():
    net = attach(new_network(seed=0, **THREE), DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))
    x, lengths = net.model_inputs(DIGITS.load().x_test[:2], np.array([3, 8]))
    assert x.shape == (2, 10, 8) and lengths.tolist() == [5, 10]
    assert not x[0, 3:].any() and not x[1, 8:].any() and x[0, 2].any() and x[1, 7].any()
    image = quantize(net, None, QuantizeOptions())
    events = input_events(image, DIGITS.load().x_test[:2], np.array([3, 8]))
    assert [len(e) for e in events] == [5, 10] and events[0][3:] == [[], []]


@pytest.mark.parametrize("task", ["digits", "japanese-vowels"])
@pytest.mark.parametrize("recurrent", [(True,) * 4, (False,) * 4])
def test_no_layer_is_silent_before_training(task, recurrent):
    task = get_task(task)
    data = task.load()
    net = new_network(layers=(64,) * 4, recurrent=recurrent, seed=0)
    net = attach(net, task, data, 0, settings_for(task, {}))
    with torch.no_grad():
        x, lengths = torch.tensor(net.scale_input(data.x_train[:200])), data.len_train[:200]
        spikes = SpikingModel(net)(x, torch.tensor(lengths)).spikes.sum((0, 1)).numpy()
    rates = [spikes[net.layer == k].mean() / lengths.sum() for k in range(4)]
    assert min(rates) > 0.005 and max(rates) < 0.6, rates


def test_the_file_keeps_layers_and_older_files_have_none(tmp_path):
    net = new_network(seed=0, **THREE)
    save_network(net, tmp_path / "a.net")
    assert np.array_equal(load_network(tmp_path / "a.net").layer, net.layer)
    assert load_network("tests/data/network-1.net").layer is None
    head = attach(net, DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))
    save_network(head, tmp_path / "b.net")
    assert load_network(tmp_path / "b.net").head.input_tail == 2
    save_image(quantize(head, None, QuantizeOptions()), tmp_path / "b.image")
    assert load_image(tmp_path / "b.image").coding.tail == 2


def test_two_layers_learn(trained):
    data = DIGITS.load()
    assert evaluate(trained, data)["accuracy"] > 0.8  # ten classes: chance is 0.1
    assert trained.layers == (48, 32)
    assert not trained.w_rec[np.ix_(trained.layer == 0, trained.layer == 1)].any()


def test_quantized_layers_spike_as_in_float_and_verilog_as_the_reference(trained, tmp_path):
    data = DIGITS.load()
    image = quantize(trained, data, EXACT)
    few = data.subset(10, 40)
    assert evaluate_image(image, few)["metric"] >= evaluate(trained, few)["accuracy"] - 0.1
    sequences = input_events(image, data.x_test, data.len_test, limit=2)
    fired = [trace(image, s).spikes[:, : trained.neurons].any(axis=0) for s in sequences]
    assert all(np.logical_or(*fired)[trained.layer == k].any() for k in range(2))
    result = cosimulate(image, sequences, tmp_path, state=True, exercise=False)
    assert result.mismatches == 0 and result.words > 100


def test_the_nir_export_says_that_it_loses_the_tail(trained, tmp_path):
    said = export_nir(trained, tmp_path / "deep.nir")
    assert [text for text in said if text.startswith("NIR has no steps after a sample: give 1 ")]
    flat = attach(new_network(8, 0), DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))
    assert not any("after a sample" in text for text in export_nir(flat, tmp_path / "flat.nir"))


def test_the_exported_readme_tells_of_the_tail(tmp_path, capsys):
    for layers, words in (((6, 4), "Run one more step"), ((6, 4, 4), "Run 2 more steps")):
        net = new_network(layers=layers, seed=0)
        net = attach(net, DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))
        save_image(quantize(net, None, QuantizeOptions(lanes=1)), tmp_path / "a.image")
        folder = tmp_path / str(len(layers))
        ok(capsys, "verilog", tmp_path / "a.image", "-o", folder)
        assert f"{words} without input after each sample" in (folder / "README.md").read_text()


@pytest.mark.parametrize("method", ["magnitude", "lnp", "weight-sampling", "synflow"])
def test_pruning_by_layer_keeps_the_same_share_of_every_block(method):
    net = new_network(seed=0, **THREE)
    thin, _ = prune(net, method=method, synapses=0.3, steps=("I",), by_layer=True)
    blocks = net.blocks()
    for number in np.unique(blocks[net.mask_rec]):
        here = blocks == number
        assert thin.mask_rec[here].sum() == round(0.3 * net.mask_rec[here].sum())
    by_size, _ = prune(net, method=method, synapses=0.3, steps=("I",))
    assert by_size.synapses == round(0.3 * net.synapses)
    assert not (by_size.mask_rec & ~net.mask_rec).any()


def test_neurons_keep_their_layer():
    net = new_network(seed=0, **THREE)
    thin, report = prune(net, synapses=0.5, nodes=0.5, steps=("I", "II", "III"))
    assert thin.layers == (15, 10, 5)
    assert np.array_equal(thin.layer, net.layer[report["passes"][1]["kept"]])
    assert not (thin.mask_rec & ~thin.subnetwork(np.arange(thin.neurons)).places()).any()


def test_time_constants_are_tuned_by_layer():
    net = new_network(layers=(30, 30), tau_mean=(40.0, 2.0), seed=0)
    tuned, _ = prune(net, steps=("IV",), trials=2, spectrum_steps=40)
    means = [tuned.tau_mem[net.layer == k].mean() for k in range(2)]
    assert means[0] > 3 * means[1]


def test_a_layer_must_not_vanish():
    net = new_network(layers=(8, 8), recurrent=(True, False), seed=0)
    cut = replace(net, w_rec=net.w_rec * 0, mask_rec=net.mask_rec & (net.layer[:, None] == 0))
    with pytest.raises(TriodiaError, match="leaves a layer without any"):
        prune(cut, method="random", nodes=0.5, steps=("II",))
    lost = net.subnetwork(np.flatnonzero(net.layer == 1))
    with pytest.raises(TriodiaError, match="Layer 0 of the network has no neurons left"):
        attach(lost, DIGITS, DIGITS.load(), 0, settings_for(DIGITS, {}))


def test_graphs_without_layers_are_refused():
    with pytest.raises(TriodiaError, match="makes a new graph without layers"):
        prune(new_network(seed=0, **THREE), method="erdos-renyi", synapses=0.5, steps=("I",))


@pytest.mark.parametrize("rule", ["rigl", "deep-r"])
def test_moving_synapses_stay_between_joined_layers(rule):
    net = new_network(seed=0, density=0.3, **THREE)
    moved, _ = train(net, DIGITS, data=DIGITS.load().subset(100, 10), epochs=4, sparse=rule)
    assert (moved.mask_rec != net.mask_rec).any() and moved.synapses == net.synapses
    assert not (moved.mask_rec & ~net.places()).any()


BAD = {
    "fewer than layers": (["--layers", "8,8", "--recurrent", "1"], "one value for each of the 2"),
    "backwards": (["--layers", "8,8,8", "--skip", "2-0"], "later one, numbered from 0 to 2"),
    "beyond": (["--layers", "8,8", "--skip", "0-2"], "got 0-2"),
    "no skip": (["--layers", "8,8", "--skip", "0-1"], "leave out the skip 0-1"),
    "empty layer": (["--layers", "8,0"], "at least 2 neurons, got 8, 0"),
    "both": (["--layers", "8,8", "--neurons", "16"], "not both"),
    "no layers": (["--recurrent", "1"], "pass the layers too"),
    "times": (["--layers", "8,8", "--tau-mean", "8,4,2"], "tau_mean must have one value"),
    "words": (["--layers", "8,x"], "whole numbers separated by commas"),
    "not a skip": (["--layers", "8,8", "--skip", "1"], "two layers as 0-2"),
    "maybe": (["--layers", "8,8", "--recurrent", "1,2"], "0 or 1 for each layer"),
    "clusters": (["--layers", "8,8", "--clusters", "2"], "exclude each other"),
    "rests": (["--layers", "8,8", "--refractory", "0,300"], "between 0 and 255, got 300"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_layers_are_one_sentence(case, tmp_path, capsys):
    arguments, words = BAD[case]
    code, _, errors = call(capsys, "new", "-o", tmp_path / "a.net", *arguments)
    assert code == 2 and words in errors and len(errors.strip().splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_the_command_makes_and_prunes_layers(tmp_path, capsys):
    made, thin = tmp_path / "a.net", tmp_path / "b.net"
    arguments = ["--layers", "20,10,6", "--recurrent", "1,0,0", "--skip", "0-2"]
    data = ok(capsys, "new", "-o", made, *arguments, "--tau-mean", "8,4,4")
    assert data["layers"] == [20, 10, 6] and data["neurons"] == 36
    assert data["synapses"] == 20 * 19 + 20 * 10 + 10 * 6 + 20 * 6
    data = ok(capsys, "prune", made, "-o", thin, "--by-layer", "--synapses", 0.5)
    assert data["layers"] == [20, 10, 6] and data["synapses"] == 380
    assert load_network(thin).provenance[0]["skips"] == [[0, 2]]


def test_plans_check_themselves():
    with pytest.raises(TriodiaError, match="got none"):
        Layers(sizes=(), recurrent=())
