"""Ridge readout, STDP, and loaders of image files."""

import gzip
import struct

import numpy as np
import pytest
import torch

from tests.support.parts import array, changed
from triodia.network.random import new_network
from triodia.tasks.catalog import get_task
from triodia.tasks.images import load_cifar10, load_cifar100, load_fashion_mnist, read_idx
from triodia.train.attach import attach
from triodia.train.measure import evaluate
from triodia.train.model import SpikingModel
from triodia.train.readouts import StdpSettings, mean_traces, ridge_readout, stdp
from triodia.train.settings import Settings
from triodia_hw.errors import MissingTool, TriodiaError


@pytest.fixture(scope="module")
def vowels():
    task = get_task("japanese-vowels")
    data = task.load()
    return task, data, attach(new_network(40, 0, density=0.3), task, data, 0, Settings())


def test_traces_are_what_the_readout_sums(vowels):
    task, data, net = vowels
    rng = np.random.default_rng(0)
    net = changed(net, bias_out=rng.standard_normal(task.classes))
    x, lengths = data.x_test[:20], data.len_test[:20]
    with torch.no_grad():
        v = SpikingModel(net)(torch.tensor(net.scale_input(x)), torch.tensor(lengths)).v_out
    known = v.sum(1).numpy() / lengths[:, None]
    got = mean_traces(net, x, lengths) @ np.hstack([net.head.w_out, net.head.bias_out[:, None]]).T
    assert got == pytest.approx(known, abs=1e-4)


def test_ridge_readout_learns_and_leaves_the_rest(vowels):
    task, data, net = vowels
    trained = ridge_readout(net, task, data)
    assert evaluate(trained, data)["accuracy"] > 0.75 > evaluate(net, data)["accuracy"]
    for name in ("w_rec", "w_in", "tau_mem", "mask_rec"):
        assert np.array_equal(array(trained, name), array(net, name))


def test_stdp_changes_excitation_only(vowels):
    _, data, net = vowels
    learned = stdp(net, data.subset(60, 1))
    same = net.w_rec <= 0
    assert np.array_equal(learned.w_rec[same], net.w_rec[same])
    plus = net.w_rec > 0
    assert np.all(learned.w_rec[plus] >= 0) and not np.array_equal(learned.w_rec, net.w_rec)
    total = (net.w_rec * plus).sum(1)
    assert (learned.w_rec * plus).sum(1) == pytest.approx(total, rel=1e-5)
    assert np.array_equal(stdp(net, data, StdpSettings(epochs=0)).w_rec, net.w_rec)


def test_stdp_strengthens_pre_before_post():
    from triodia.train.readouts import _pairings

    spikes = np.zeros((1, 6, 2), np.float32)
    spikes[0, 1, 0] = spikes[0, 2, 1] = 1  # neuron 0, then neuron 1
    pairs = _pairings(spikes, StdpSettings())
    assert pairs[1, 0] > 0 > pairs[0, 1]
    assert pairs[1, 0] == pytest.approx(1) and pairs[0, 1] == pytest.approx(-1.05)


def idx(array):
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


def test_fashion_files(tmp_path, monkeypatch):
    folder, rng = tmp_path / "fashion-mnist", np.random.default_rng(0)
    folder.mkdir()
    for split, count in (("train", 12), ("t10k", 5)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(idx(images))
        labels = np.arange(count, dtype=np.uint8) % 10
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    monkeypatch.setenv("TRIODIA_DATA", str(tmp_path))
    data = load_fashion_mnist()
    assert data.x_test.shape == (5, 28, 28) and data.x_train.shape == (12, 28, 28)
    assert data.x_test[2, 3, 4] == pytest.approx(images[2, 3, 4] / 255)
    assert data.y_train.tolist() == [*range(10), 0, 1] and set(data.len_test.tolist()) == {28}
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(TriodiaError, match="cannot be read as a gzipped IDX file"):
        read_idx(path)
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x09abc"))
    with pytest.raises(TriodiaError, match="is damaged or not an IDX file"):
        read_idx(path)


def test_cifar_files(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setenv("TRIODIA_DATA", str(tmp_path))
    with pytest.raises(MissingTool, match=r"^The samples of cifar-10 are missing from the folder"):
        load_cifar10()
    images = rng.integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
    for name, labels, files in (
        ("cifar-10", [b"\7", b"\3"], [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]),
        ("cifar-100", [b"\1\x50", b"\2\x09"], ["train", "test"]),
    ):
        (tmp_path / name).mkdir()
        content = b"".join(y + x.tobytes() for y, x in zip(labels, images, strict=True))
        for file in files:
            (tmp_path / name / f"{file}.bin").write_bytes(content)
    ten, hundred = load_cifar10(), load_cifar100()
    assert ten.x_train.shape == (10, 32, 96) and ten.y_test.tolist() == [7, 3]
    assert hundred.y_train.tolist() == [80, 9]
    # Row 5, pixel 6, blue.
    assert ten.x_test[1, 5, 6 * 3 + 2] == pytest.approx(images[1, 2, 5, 6] / 255)
    (tmp_path / "cifar-100" / "test.bin").write_bytes(b"123")
    with pytest.raises(TriodiaError, match="does not hold the binary version of CIFAR"):
        load_cifar100()
