"""Training on samples of one's own, from a file to a co-simulated machine."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import call, ok
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.tasks.catalog import get_task
from triodia.tasks.own import doubts, image_samples, own_task
from triodia.tasks.recipe import recipe_for
from triodia.tasks.samples import from_parts
from triodia.train.settings import Settings
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image

SHAPE_NEEDED = "must have the shape (samples, steps, inputs), with no axis empty; got ("


def turning(count, seed):
    """Two channels, one a quarter turn behind the other: which leads is the class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    phase = rng.uniform(0, 2 * np.pi, (count, 1)) + 0.6 * np.arange(20)
    lag = np.where(y, 1, -1)[:, None] * np.pi / 2
    return np.stack([np.sin(phase), np.sin(phase + lag)], -1), y


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("own")
    (x, y), (x_test, y_test) = turning(200, 0), turning(100, 1)
    np.savez(place / "d.npz", x=x, y=y, x_test=x_test, y_test=y_test)
    np.savez(place / "train.npz", x=x, y=y)
    save_network(new_network(40, 0, density=0.3), place / "a.net")
    return place


def test_chain(folder, capsys):
    samples, net, image = ("--data", folder / "d.npz"), folder / "t.net", folder / "m.image"
    found = ok(capsys, "train", folder / "a.net", "-o", net, *samples, "--epochs", 20)
    assert found["task"] == "own" and found["metric"] > 0.8
    trained = load_network(net)
    assert (trained.inputs, trained.readouts) == (2, 2)
    assert trained.provenance[-1]["task"] == "own"
    measured = ok(capsys, "quantize", net, "-o", image, "--lanes", 2, *samples)
    assert measured["metric_float"] == found["metric"] and measured["samples"] == 100
    assert abs(measured["metric_integer"] - found["metric"]) < 0.1
    assert ok(capsys, "cosim", image, "--samples", 1, *samples)["mismatches"] == 0
    ok(capsys, "prune", net, "-o", folder / "p.net", "--method", "magnitude")
    more = ("--keep", *samples, "--epochs", 2)
    again = ok(capsys, "train", folder / "p.net", "-o", folder / "q.net", *more)
    assert again["metric"] > 0.7


@pytest.mark.parametrize(
    ("given", "meant"), [("length", "lengths"), ("X_test", "x_test"), ("Y", "y")]
)
def test_a_misspelt_array_is_not_left_out(given, meant, folder, capsys, tmp_path):
    with np.load(folder / "train.npz") as samples:
        np.savez(tmp_path / "d.npz", x=samples["x"], **{given: samples["y"]})
    arguments = ("train", folder / "a.net", "-o", tmp_path / "t.net", "--data", tmp_path / "d.npz")
    code, _, err = call(capsys, *arguments)
    assert code == 2 and f"holds {given}, which is unknown; is {meant} meant?" in err


def test_a_task_and_samples_exclude_each_other(folder, capsys, tmp_path):
    samples = ("--data", folder / "train.npz", "--task", "digits")
    code, _, err = call(capsys, "train", folder / "a.net", "-o", tmp_path / "t.net", *samples)
    assert code == 2 and "`--task` and `--data` exclude each other" in err


def test_without_a_test_part_it_says_so(folder, capsys):
    samples = ("--data", folder / "train.npz", "--epochs", 1)
    code, _, err = call(capsys, "train", folder / "a.net", "-o", folder / "t2.net", *samples)
    assert code == 0 and "measured on the training samples" in " ".join(err.split())


@pytest.mark.parametrize(
    "arrays, sentence",
    [
        ({"x": np.ones((2, 4, 3))}, "has no array y; training needs a class per sample"),
        ({"x": np.ones((2, 4, 3)), "y": np.array([0, 1]), "x_test": np.ones((1, 4, 3))},
         "has no array y_test"),
        ({"x": np.ones((2, 4, 3)), "y": np.array([0, 2])},
         "goes up to 2, but there are only 2 samples"),
        ({"x": np.ones((2, 4, 3)), "y": np.array([-1, 1])},
         "y in {file} must be between 0 and 1, got -1."),
        ({"x": np.ones((2, 4, 3)), "y": np.array([0.0, 1.0])},
         "must hold whole numbers, got float64; y.astype(int) converts it"),
        ({"x": np.ones((2, 4, 3)), "y": np.array([-5, -5])}, "y in {file} must be 0, got -5."),
        ({"x": np.ones((2, 4, 3)), "y": np.array([0])}, "one number per sample, 2 in all"),
        ({"x": np.full((2, 4, 3), 1e30), "y": np.array([0, 1])}, "values up to 1e+30; scale them"),
        ({"x": np.full((2, 4, 3), np.nan), "y": np.array([0, 1])}, "it has NaN or infinity"),
        ({"x": np.ones((2, 4)), "y": np.array([0, 1])}, SHAPE_NEEDED),
        ({"x": np.float32(1), "y": np.array([0, 1])}, SHAPE_NEEDED),
        ({"x": np.ones((0, 4, 3)), "y": np.zeros(0, int)}, "must have the shape (samples"),
    ],
)  # fmt: skip
def test_samples_that_cannot_be_learned(arrays, sentence, folder, tmp_path, capsys):
    np.savez(tmp_path / "d.npz", **arrays)
    options = ("-o", tmp_path / "t.net", "--data", tmp_path / "d.npz")
    code, _, err = call(capsys, "train", folder / "a.net", *options)
    assert code == 2 and sentence.format(file=tmp_path / "d.npz") in err and err.count("\n") == 1, (
        err
    )
    assert not (tmp_path / "t.net").exists()


def flipped(path):
    """A bit of the packed numbers."""
    np.savez_compressed(path, x=np.random.default_rng(0).random((20, 20, 3)), y=np.arange(20) % 2)
    content = bytearray(path.read_bytes())
    content[200] ^= 16
    path.write_bytes(content)


def member(path, name, content, **field):
    """One member, and a ``field`` of it changed where it is and in the directory."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(zipfile.ZipInfo(name), content)
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    for place, value in field.items():
        at = {"flags": 8, "codec": 10}[place]
        content[directory + at] = content[at - 2] = value
    path.write_bytes(content)


def npy(header):
    header = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


SHAPE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000, 1000)}"
BROKEN = {
    "a bit flip": flipped,
    "lzma": lambda path: member(path, "x.npy", b"abcd" + bytes([5, 0]) + b"\xff" * 99, codec=14),
    "a codec of its own": lambda path: member(path, "x.npy", b"a" * 99, codec=99),
    "encrypted": lambda path: member(path, "x.npy", b"a" * 99, flags=1),
    "a header that ends": lambda path: member(path, "x.npy", npy("{'descr': (")),
    "a header of brackets": lambda path: member(path, "x.npy", npy("(" * 110)),
    "more than a memory": lambda path: member(path, "x.npy", npy(SHAPE)),
    "text": lambda path: member(path, "x", b"hello"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files(kind, folder, tmp_path, capsys):
    BROKEN[kind](tmp_path / "d.npz")
    options = ("-o", tmp_path / "t.net", "--data", tmp_path / "d.npz")
    code, _, err = call(capsys, "train", folder / "a.net", *options)
    assert code == 2 and err.count("\n") == 1, err
    assert "d.npz cannot be read as samples (" in err


def test_samples_of_one_step(folder, tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(40, 1, 2))
    np.savez(tmp_path / "d.npz", x=x, y=(x[:, 0, 0] > 0).astype(int))
    options = ("-o", tmp_path / "t.net", "--data", tmp_path / "d.npz", "--epochs", 3)
    assert np.isfinite(ok(capsys, "train", folder / "a.net", *options)["loss"])


def test_going_on_takes_the_networks_own_shape(folder, capsys):
    samples = ("--data", folder / "d.npz", "--epochs", 1)
    ok(capsys, "train", folder / "a.net", "-o", folder / "two.net", *samples)
    trained = load_network(folder / "two.net")
    only = {"x": np.ones((4, 5, 2)), "y": np.zeros(4, int)}  # one of its two classes
    np.savez(folder / "one.npz", **only)
    assert own_task(folder / "one.npz").classes == 1
    assert own_task(folder / "one.npz", trained).classes == 2
    np.savez(folder / "three.npz", **(only | {"x": np.ones((4, 5, 3))}))
    with pytest.raises(TriodiaError, match=r"x in \S+ has 3 inputs, but 2 are needed"):
        own_task(folder / "three.npz", trained)


def test_train_says_what_it_read_and_what_looks_wrong(folder, tmp_path, capsys):
    x, y = turning(60, 0)
    good = {"x": x, "y": y}
    for arrays, sentences in (
        (good, []),
        (good | {"y": y + 1}, ["Warning: No training sample has class 0, so 1 of 3 readouts"]),
        (good | {"x": x.transpose(0, 2, 1)}, ["Warning: x has 2 steps of 20 inputs", "swap"]),
    ):
        np.savez(tmp_path / "d.npz", **arrays)
        options = ("-o", tmp_path / "t.net", "--data", tmp_path / "d.npz", "--epochs", 1)
        code, _, err = call(capsys, "train", folder / "a.net", *options)
        assert code == 0 and all(sentence in err for sentence in sentences), err
        assert ("Warning" in err.replace("Warning: only", "")) == bool(sentences)
        samples, steps, inputs = arrays["x"].shape
        assert f"{samples} training samples x {steps} steps x {inputs} inputs, " in err
        assert f"{arrays['y'].max() + 1} classes" in err


def test_built_in_tasks_look_right():
    for name in ("japanese-vowels", "digits", "delayed-sum", "watch"):
        task = get_task(name)
        assert doubts(task.load(), task.classes) == []


def test_an_image_knows_where_its_samples_come_from(folder, tmp_path, capsys):
    ok(capsys, "train", folder / "a.net", "-o", tmp_path / "t.net", "--data", folder / "d.npz",
       "--epochs", 1)  # fmt: skip
    ok(capsys, "quantize", tmp_path / "t.net", "-o", tmp_path / "m.image")
    code, _, err = call(capsys, "cosim", tmp_path / "m.image")
    assert code == 2 and "trained on samples of your own" in err and "--data FILE.npz" in err
    image = load_image(tmp_path / "m.image")
    imported = replace(image, meta=image.meta | {"provenance": [{"command": "import-nir"}]})
    with pytest.raises(TriodiaError, match=r"comes from an imported network.*`--data"):
        image_samples(imported)
    with pytest.raises(TriodiaError, match=r"trained for digits, not for watch\. Leave out"):
        image_samples(replace(image, meta=image.meta | {"task": "digits"}), "watch")


def test_small_sets_get_enough_updates_and_little_noise():
    """Whatever the size: about 1,200 updates, unless that takes too many or too few epochs."""
    for samples, steps in ((12, 24), (40, 100), (300, 50), (5000, 30)):
        x, lengths = np.zeros((samples, steps, 2), np.float32), np.full(samples, steps)
        part = (x, lengths, np.arange(samples) % 2)
        found = recipe_for(from_parts(part, part))
        updates = found["epochs"] * -(-samples // found["batch"])
        assert 1000 <= updates <= 2500 and found["batch"] <= samples
        assert 8 <= found["tau_out"] <= 64 and Settings(**found).noise <= 0.1


def test_a_small_set_is_fitted_by_the_defaults(tmp_path, capsys):
    """Forty samples of two sines: the old defaults, five epochs' worth of updates, did not."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    t = np.arange(30)[None] + rng.uniform(0, 30, (40, 1))
    x = np.sin(t * np.where(y, 0.5, 0.7)[:, None])[..., None] + rng.normal(0, 0.1, (40, 30, 1))
    np.savez(tmp_path / "d.npz", x=x, y=y)
    ok(capsys, "new", "-o", tmp_path / "a.net", "--neurons", 32, "--density", 0.5)
    command = ("train", tmp_path / "a.net", "-o", tmp_path / "b.net", "--data", tmp_path / "d.npz")
    assert ok(capsys, *command)["train_metric"] >= 0.95
    code, _, err = call(capsys, *command, "--set", "nois=0")
    assert code == 2 and "noise" in err and "nois" in err
    few = ("--epochs", 1, "--set", "noise=2.5")
    _, _, err = call(capsys, *command, *few)
    assert "fitted" in err
    net = load_network(tmp_path / "b.net")
    assert [s["noise"] for s in net.provenance if s["command"] == "train"] == [2.5]
