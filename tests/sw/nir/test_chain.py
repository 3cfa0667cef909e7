"""From a NIR file to integers and Verilog that agree, on the user's own samples."""

import nir
import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.support.nir_graphs import DT, chain, simulate
from tests.support.parts import array
from triodia.network.files import load_network
from triodia.quantize.inference import input_events
from triodia.tasks.own import load_samples, silence
from triodia_hw.machine.image import load_image
from triodia_hw.machine.reference import Reference

STEPS, SAMPLES = 12, 30


@pytest.fixture(scope="module", params=["LIF-LI", "CubaLIF-LI", "LIF-CubaLI"])
def made(request, tmp_path_factory):
    """A recurrent population with a leaky readout, and samples labelled by those readouts."""
    folder = tmp_path_factory.mktemp(request.param)
    kind, readout = request.param.split("-")
    graph = chain(4, [kind], sizes=(14,), readout=readout)
    nir.write(folder / "a.nir", graph)
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.8, (SAMPLES, STEPS, 3)).clip(-3.9, 3.9).astype(np.float32)
    lengths = rng.integers(6, STEPS + 1, SAMPLES)
    runs = [simulate(graph, row[:n]) for row, n in zip(x, lengths, strict=True)]
    y = np.array([run["output"].sum(0).argmax() for run in runs])
    assert 0.1 < y.mean() < 0.9  # both are there
    np.savez(folder / "data.npz", x=x, lengths=lengths, y=y)
    return folder, runs


@pytest.fixture
def image(made, capsys):
    folder, runs = made
    imported = ("import-nir", folder / "a.nir", "-o", folder / "a.net", "--dt", DT)
    ok(capsys, *imported)
    options = ("--data", folder / "data.npz", "--lanes", 2, "--fraction-bits", 5)
    result = ok(capsys, "quantize", folder / "a.net", "-o", folder / "a.image", *options)
    return folder, runs, result


def test_the_whole_chain(image, capsys):
    """Import, quantize, co-simulate: the classes of the graph, and 0 words that differ."""
    folder, _, result = image
    assert result["task"] == "own" and result["samples"] == SAMPLES and result["clipped"] == 0
    assert result["metric_float"] == 1  # the float network is the graph
    assert result["metric_integer"] > 0.85
    cosim = ("cosim", folder / "a.image", "--data", folder / "data.npz", "--samples", 2, "--state")
    compared = ok(capsys, *cosim)
    assert compared["mismatches"] == 0 and compared["spikes"] > 0
    lengths = np.load(folder / "data.npz")["lengths"][[0, -1]]
    behind = sum(silence(load_network(folder / "a.net").provenance))
    assert compared["steps"] == lengths.sum() + 2 * behind
    written = ok(capsys, "verilog", folder / "a.image", "-o", folder / "verilog")
    assert (folder / "verilog").is_dir() and written["digest"] == result["digest"]


def test_an_imported_network_goes_on_learning(image, capsys):
    folder, _, _ = image
    data = np.load(folder / "data.npz")
    flipped = {name: data[name] for name in ("x", "lengths")} | {"y": 1 - data["y"]}
    np.savez(folder / "flipped.npz", **flipped)
    samples = ("--data", folder / "flipped.npz")
    options = ("--keep", "--epochs", 60, *samples)
    found = ok(capsys, "train", folder / "a.net", "-o", folder / "b.net", *options)
    assert found["metric"] > 0.6  # it began with none right
    before, after = load_network(folder / "a.net"), load_network(folder / "b.net")
    for name in ("mask_in", "mask_rec", "input_std", "threshold"):
        assert np.array_equal(array(before, name), array(after, name))
    again = ok(capsys, "quantize", folder / "b.net", "-o", folder / "b.image", *samples)
    assert again["metric_float"] == found["metric"]


def test_integers_spike_as_the_graph_does(image):
    """Not spike for spike, as 8-bit weights and 10-bit leaks are others; but nearly."""
    folder, runs, _ = image
    loaded = load_image(folder / "a.image")
    step = loaded.meta["provenance"][-1]
    around = silence(loaded.meta["provenance"])
    data = load_samples(folder / "data.npz", inputs=3, classes=2, around=around)
    sequences = input_events(loaded, data.x_test, data.len_test)
    late, same, total = step["populations"][0]["steps_behind"], 0, 0
    for sequence, run in zip(sequences, runs, strict=True):
        reference, fired = Reference(loaded), []
        for events in sequence:
            row = np.zeros(loaded.params.neurons)
            row[reference.step(events).spikes] = 1
            fired.append(row[:14])
        got = np.array(fired)[late : late + len(run["a"])]
        same += int((got * run["a"]).sum())
        total += int(np.maximum(got, run["a"]).sum())
    assert same / total > 0.85, (same, total)


def test_without_samples_or_classes(image, capsys):
    folder, _, measured = image
    bare = ok(capsys, "quantize", folder / "a.net", "-o", folder / "b.image", "--lanes", 2)
    assert bare["metric_integer"] is None and bare["samples"] == 0
    assert bare["synapses"] == measured["synapses"]
    np.savez(folder / "x.npz", x=np.load(folder / "data.npz")["x"])
    options = ("--data", folder / "x.npz", "--lanes", 2)
    some = ok(capsys, "quantize", folder / "a.net", "-o", folder / "b.image", *options)
    assert some["metric_float"] is None and some["samples"] == SAMPLES and some["rate"] > 0
    code, _, err = call(capsys, "cosim", folder / "b.image")
    assert code == 2 and "imported" in err and "--data" in err


@pytest.mark.parametrize(
    "arrays, sentence",
    [
        ({"z": np.ones(3)}, "no array x"),
        ({"x": np.ones((2, 3))}, "(samples, steps, "),
        ({"x": np.ones((2, 4, 5))}, "5 inputs"),
        ({"x": np.full((2, 4, 3), np.nan)}, "finite"),
        ({"x": np.ones((2, 4, 3)), "y": np.array([0, 2])}, "y"),
        ({"x": np.ones((2, 4, 3)), "y": np.zeros(2)}, "whole numbers"),
        ({"x": np.ones((2, 4, 3)), "lengths": np.array([0, 4])}, "lengths"),
        ({"x": np.array([None])}, "cannot be read"),
    ],
)
def test_samples_that_do_not_fit(image, arrays, sentence, tmp_path, capsys):
    folder, _, _ = image
    np.savez(tmp_path / "d.npz", **arrays, allow_pickle=True)
    options = ("-o", tmp_path / "b.image", "--data", tmp_path / "d.npz")
    code, _, err = call(capsys, "quantize", folder / "a.net", *options)
    assert code == 2 and sentence in err and err.count("\n") == 1, err
    assert not (tmp_path / "b.image").exists()


def test_a_file_that_is_no_npz(image, tmp_path, capsys):
    folder, _, _ = image
    (tmp_path / "d.npz").write_text("x,y")
    for name in ("d.npz", "none.npz"):
        options = ("-o", tmp_path / "b.image", "--data", tmp_path / name)
        code, _, err = call(capsys, "quantize", folder / "a.net", *options)
        assert code == 2 and ".npz" in err and err.count("\n") == 1, err


def test_silence_is_that_of_the_last_import():
    one = {"command": "import-nir", "lead": 1, "delay": 3}
    assert silence([]) == (0, 0) and silence([{"command": "new"}, one]) == (1, 2)
    assert silence([one, {"command": "import-nir", "lead": 0, "delay": 0}]) == (1, 2)
    assert silence([one, {"command": "train"}]) == (0, 0)


def test_held_out_samples(tmp_path):
    rng = np.random.default_rng(0)
    x, held = rng.normal(size=(4, 5, 3)), rng.normal(size=(2, 6, 3))
    np.savez(tmp_path / "d.npz", x=x, x_test=held, y_test=np.array([1, 0]))
    data = load_samples(tmp_path / "d.npz", inputs=3, classes=2, around=(1, 2))
    assert data.x_train.shape == (4, 8, 3) and data.x_test.shape == (2, 9, 3)
    assert np.array_equal(data.x_test[:, 1:7], held.astype(np.float32))
    assert not data.x_test[:, 0].any() and not data.x_test[:, 7:].any()
    assert data.len_test.tolist() == [9, 9] and data.y_train.tolist() == [-1] * 4
