"""Samples as events: their files, what is refused, and the chain from events to Verilog."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.support.recordings import gesture_folder, moving, nmnist_folder, ours, shd_folder
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.quantize.inference import input_events
from triodia.tasks.event_files import save_events
from triodia.tasks.events import EventSamples, bin_events
from triodia.tasks.own import image_samples, own_task, task_of
from triodia.tasks.recipe import SHD
from triodia.tasks.recordings import event_samples, event_task_data, read_recordings
from triodia.tasks.samples import from_parts
from triodia.tasks.sensors import tonic_part
from triodia.train.attach import attach
from triodia.train.loop import settings_for, train
from triodia.train.measure import evaluate
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image

SHORT = {"epochs": 12, "seed": 0}


def arrays(**changes):
    """Our format, changed; None drops an array."""
    given = ours(*moving(20, 0)) | ours(*moving(10, 1), "_test") | changes
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("events")
    np.savez(place / "e.npz", **ours(*moving(60, 0)), **ours(*moving(30, 1), "_test"))
    save_network(new_network(40, 0), place / "a.net")
    shd_folder(place / "shd")
    return place


def test_counts_by_hand():
    times = np.array([0.0, 0.01, 0.01, 0.029, 0.03, 0.005])
    channels = np.array([0, 1, 1, 2, 0, 1])
    x, lengths = bin_events("f", times, channels, np.array([0, 5, 6, 6]), bin=0.01, inputs=3)
    assert x.shape == (3, 4, 3) and lengths.tolist() == [4, 1, 1]
    first = [[1, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 0]]  # two events of channel 1 add up
    assert x[0].tolist() == first and x[1][0].tolist() == [0, 1, 0] and not x[2].any()
    assert x[np.array([1, 0])][1].tolist() == first
    assert [counts.tolist() for counts in x.counts()] == [[1, 2, 1, 1], [1], []]


def test_taking_samples_is_as_indexing_them():
    found, y = moving(12, 3)
    given = ours(found, y)
    x, _ = bin_events(
        "f", *(given[n] for n in ("times", "channels", "offsets")), bin=0.01, inputs=10
    )
    for index in (slice(2, 7), np.array([5, 0, 5]), np.arange(12) % 3 == 0):
        assert isinstance(x.take(index), EventSamples)
        assert np.array_equal(x.take(index)[:], x[index])


def test_training_on_events_is_training_on_their_dense_counts():
    parts = [tuple_of(moving(n, k)) for k, n in enumerate((30, 20))]
    data = from_parts(*parts)
    task = task_of("f", data)
    net = attach(new_network(20, 0), task, data, 0, settings_for(task, {}))
    dense = from_parts(*((x[:], lengths, y) for x, lengths, y in parts))
    how = {"keep": True, "epochs": 3, "validation": 0.2}
    a, report = train(net, task, data=data, **how)
    b, same = train(net, task, data=dense, **how)
    assert np.array_equal(a.w_rec, b.w_rec) and report.history == same.history
    assert evaluate(a, data) == evaluate(a, dense)
    assert not a.head.input_mean.any() and np.ptp(a.head.input_std) == 0


def tuple_of(given, bin=0.01):
    found = ours(*given)
    where = (found[n] for n in ("times", "channels", "offsets"))
    return *bin_events("f", *where, bin=bin, inputs=10), found["y"]


def test_the_chain_from_events_to_verilog(folder, capsys):
    samples, net, image = ("--data", folder / "e.npz"), folder / "t.net", folder / "m.image"
    found = ok(
        capsys, "train", folder / "a.net", "-o", net, *samples, "--bin", 0.01, "--epochs", 25
    )
    assert found["metric"] > 0.8
    assert load_network(net).provenance[-2]["bin"] == 0.01  # so that nobody need say it again
    measured = ok(capsys, "quantize", net, "-o", image, "--lanes", 2, *samples)
    assert measured["metric_float"] == found["metric"]
    assert abs(measured["metric_integer"] - found["metric"]) < 0.15
    loaded = load_image(image)
    held = image_samples(loaded, own=folder / "e.npz")
    values = np.concatenate([x[:n] for x, n in zip(held.x_test, held.len_test, strict=True)])
    assert measured["clipped"] == pytest.approx((values / loaded.coding.std > 4).mean())
    assert loaded.coding.std.min() >= 0.5 and not loaded.coding.mean.any()  # two events fit
    (sequence,) = input_events(loaded, held.x_test, held.len_test, limit=1)
    x = held.x_test[0]
    assert [len(step) for step in sequence] == (x > 0).sum(axis=1)[: held.len_test[0]].tolist()
    assert ok(capsys, "cosim", image, "--samples", 1, *samples)["mismatches"] == 0
    assert ok(capsys, "infer", image, folder / "e.npz", "--samples", 2)["labelled"] == 2
    thin = ("prune", net, "-o", folder / "p.net", "--method", "snip", "--synapses", 0.5)
    ok(capsys, *thin, *samples)


def test_shd_is_read_by_sample(folder):
    found, y = moving(20, 0, channels=700, span=0.5)
    task = own_task(folder / "shd")
    data = task.load()
    assert (task.inputs, task.classes, task.recipe) == (700, 2, SHD)
    assert data.x_train.bin == 0.01 and np.array_equal(data.y_train, y)
    times, units = found[3]
    dense = np.zeros((data.x_train.steps, 700))
    steps = np.floor(times.astype(np.float16).astype(float) / 0.01 + 1e-9).astype(int)
    np.add.at(dense, (steps, units), 1)
    assert np.array_equal(data.x_train[3], dense) and len(data.x_test) == 10
    one = read_recordings(folder / "shd" / "shd_test.h5", 0.05)
    assert one[0] is one[1] and one[0][0].steps <= 11
    trained, _ = train(new_network(16, 0), task, epochs=2, batch=8)
    assert trained.inputs == 700 and trained.provenance[-1]["bin"] == 0.01


def test_hdf5_holds_the_same_as_npz(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays())
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, value in arrays().items():
            file[name] = value
    a, b = (own_task(tmp_path / name, bin=0.02).load() for name in ("a.npz", "a.h5"))
    assert np.array_equal(a.x_train[:], b.x_train[:]) and np.array_equal(a.y_test, b.y_test)


def test_binned_samples_go_to_a_file_and_back(tmp_path):
    part = tuple_of(moving(6, 0))
    save_events(tmp_path / "a.npz", part)
    data = own_task(tmp_path / "a.npz", bin=0.01).load()
    assert np.array_equal(data.x_train[:], part[0][:]) and data.x_train.bin == 0.01
    assert data.x_test is data.x_train


def test_nmnist_is_read_by_its_layout(tmp_path):
    found = nmnist_folder(tmp_path)
    data = own_task(tmp_path, bin=5_000).load()
    assert data.x_train.shape[0] == 6 and data.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    t, x, y, p = found[tmp_path / "Train" / "1" / "00001.bin"]
    dense = np.zeros((data.x_train.steps, 2, 34, 34))
    np.add.at(dense, ((t - t[0]) // 5_000, p, y, x), 1)
    assert np.array_equal(data.x_train[4], dense.reshape(-1, 2312))
    path = tmp_path / "Test" / "0" / "00000.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TriodiaError, match="not 5 per event"):
        own_task(tmp_path)


def test_gestures_are_pooled(tmp_path):
    gesture_folder(tmp_path)
    data = own_task(tmp_path).load()
    assert data.x_train.inputs == 2048 and sorted(data.y_train.tolist()) == [0, 0, 1, 1, 2, 2]
    events = np.load(tmp_path / "ibmGestureTrain" / "user01_led" / "2.npy")
    x, y, p, t = events.astype(int).T
    dense = np.zeros((data.x_train.steps, 2, 32, 32))
    np.add.at(dense, ((t - t[0]) // 20, p, y // 4, x // 4), 1)
    assert np.array_equal(data.x_train[2], dense.reshape(-1, 2048))


class Tonic:
    """What a data set of Tonic is: a length, items, and the size of its sensor."""

    def __init__(self, size, fields):
        self.sensor_size, self.fields = size, fields

    def __len__(self):
        return 4

    def __getitem__(self, k):
        events = np.zeros(5, np.dtype([(name, int) for name in self.fields]))
        events["t"], events["x"] = np.arange(5) * 1000 + 500, np.arange(5) % 3
        if "p" in self.fields:
            events["p"] = 1
        return events, k % 2


def test_tonic_data_sets():
    x, lengths, y = tonic_part(Tonic((3, 2, 2), ("x", "y", "t", "p")), 2000)
    assert x.inputs == 12 and lengths.tolist() == [3] * 4 and y.tolist() == [0, 1, 0, 1]
    assert np.flatnonzero(x[0][0]).tolist() == [6, 7]  # polarity 1, row 0
    assert tonic_part(Tonic((3, 1, 1), ("t", "x", "p")), 2000)[0].inputs == 3  # sounds
    with pytest.raises(TriodiaError, match="no field t"):
        tonic_part(SimpleTonic(), 1)
    data = event_task_data("Tonic", (x, lengths, y), (x, lengths, y))
    trained, _ = train(new_network(8, 0), task_of("Tonic", data), epochs=1)
    assert trained.inputs == 12


class SimpleTonic(Tonic):
    def __init__(self):
        super().__init__((3, 1, 1), ())

    def __getitem__(self, k):
        return np.zeros(2, [("x", int)]), 0


def test_imported_networks_get_silent_steps_around(tmp_path):
    found, y = moving(20, 0)
    steps = [(np.rint(times * 100), channels) for times, channels in found]
    np.savez(tmp_path / "a.npz", **ours(steps, y), inputs=10)
    near = event_samples(tmp_path / "a.npz", 10, 2, (0, 0), None)
    far = event_samples(tmp_path / "a.npz", 10, 2, (2, 3), None)
    assert np.array_equal(far.len_train, near.len_train + 5)
    assert np.array_equal(far.x_train[4][2 : 2 + near.x_train.steps], near.x_train[4])
    assert not far.x_train[4][:2].any()


TIMES = arrays()["times"]
SWAPPED = np.concatenate([TIMES[1::-1], TIMES[2:]])
FEW = np.arange(20) % 2
BAD = {
    "unsorted": ({"times": SWAPPED}, "the times of sample 0 are not in order"),
    "negative": ({"times": np.concatenate([[-1.0], TIMES[1:]])}, "times must be 0 or more, got -1"),
    "not a number": ({"times": np.concatenate([[np.nan], TIMES[1:]])}, "NaN or infinity"),
    "channel": ({"inputs": np.array(5)}, "channels must be between 0 and 4, got"),
    "below": ({"channels": arrays()["channels"] - 1}, "channels must be between 0 and"),
    "gap": ({"y": FEW * 2, "y_test": np.zeros(10, int)}, "No training sample in"),
    "below 0": ({"y": FEW - 1}, "must be 0 or more, got -1"),
    "test only": ({"y_test": np.arange(10) % 3}, "Class 2 in"),
    "no labels": ({"y": None}, "has no array y; training needs a class"),
    "no channels": ({"channels": None}, "has no array channels; it holds"),
    "misspelt": ({"label": FEW, "offset": FEW, "offsets": None}, "is offsets meant?"),
    "offsets": ({"offsets": np.array([0, 5])}, "offsets in"),
    "too few": ({"channels": arrays()["channels"][:-1]}, "an event needs one of each"),
    "lengths": ({"lengths": np.full(20, 2)}, "but only 2 steps"),
    "labels": ({"y": FEW[:3]}, "one whole number for each of 20 samples"),
    "half a test": ({"offsets_test": None}, "has no array offsets_test"),
    "too many inputs": ({"inputs": np.array(20_000)}, "up to 16,384"),
    "words": ({"times": TIMES.astype(str)}, "times must be numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_events_are_one_sentence(case, folder, tmp_path, capsys):
    changes, words = BAD[case]
    np.savez(tmp_path / "bad.npz", **arrays(**changes))
    given = ("--data", tmp_path / "bad.npz", "--bin", 0.01, "--epochs", 1)
    code, _, err = call(capsys, "train", folder / "a.net", "-o", tmp_path / "t.net", *given)
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1, err
    assert not (tmp_path / "t.net").exists()


def refused(capsys, folder, path, *more):
    given = ("-o", folder / "none.net", "--data", path, "--epochs", 1, *more)
    code, _, err = call(capsys, "train", folder / "a.net", *given)
    assert code == 2 and len(err.strip().splitlines()) == 1, err
    assert not (folder / "none.net").exists()
    return err


def test_files_and_bins_that_do_not_fit_are_one_sentence(folder, tmp_path, capsys):
    np.savez(tmp_path / "dense.npz", x=np.zeros((4, 3, 2)), y=np.arange(4) % 2)
    assert "`--bin` is for events" in refused(capsys, folder, tmp_path / "dense.npz", "--bin", 1)
    assert "pass the length of a step" in refused(capsys, folder, folder / "e.npz")
    assert "must be above 0, got 0" in refused(capsys, folder, folder / "e.npz", "--bin", 0)
    assert "longer step" in refused(capsys, folder, folder / "e.npz", "--bin", 1e-9)
    assert "does not exist" in refused(capsys, folder, folder / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    assert "cannot be read as an HDF5 file" in refused(capsys, folder, tmp_path / "text.h5")
    (tmp_path / "empty").mkdir()
    assert "must hold one file *_train.h5" in refused(capsys, folder, tmp_path / "empty")
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file["spikes/times"] = np.zeros(3)
    assert "has no spikes/units" in refused(capsys, folder, tmp_path / "spikes.h5")


@pytest.mark.slow
def test_a_set_of_the_size_of_shd_trains_in_two_gigabytes(tmp_path):
    """8,156 samples of 8,000 events of 700 channels; two updates; the process's greatest size."""
    rng, samples = np.random.default_rng(0), 8156
    with h5py.File(tmp_path / "shd_train.h5", "w") as file:
        times = file.create_dataset("spikes/times", (samples,), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (samples,), h5py.vlen_dtype(np.uint16))
        for k in range(samples):
            times[k] = np.sort(rng.uniform(0, 1.2, 8000)).astype(np.float16)
            units[k] = rng.integers(0, 700, 8000, np.uint16)
        file["labels"] = np.arange(samples) % 20
    shd_folder(tmp_path / "small")
    (tmp_path / "small" / "shd_test.h5").rename(tmp_path / "shd_test.h5")
    (tmp_path / "small").rename(tmp_path.parent / f"{tmp_path.name}-small")
    run = [sys.executable, "-m", "tests.support.two_updates", tmp_path]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    updates, megabytes = map(float, done.stdout.split())
    assert updates == 2 and megabytes < 2000, megabytes
