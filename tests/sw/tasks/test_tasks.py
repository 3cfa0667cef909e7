import numpy as np
import pytest

from triodia.tasks import watch
from triodia.tasks.catalog import TASKS, get_task
from triodia.tasks.recall import delayed_sum
from triodia_hw.errors import MissingTool, TriodiaError


@pytest.mark.parametrize(
    ("name", "train", "test", "steps"),
    [
        ("japanese-vowels", 270, 370, (7, 29)),
        ("digits", 1297, 500, (8, 8)),
        ("watch", 1595, 743, (48, 48)),
        ("delayed-sum", 2000, 1000, (24, 24)),
        ("delayed-sum-long", 2000, 1000, (32, 32)),
        ("digits-pixels", 1297, 500, (64, 64)),
    ],
)
def test_shapes(name, train, test, steps):
    task = get_task(name)
    data = task.load()
    assert data.x_train.shape == (train, steps[1], task.inputs) and data.classes == task.classes
    assert data.x_test.shape == (test, steps[1], task.inputs)
    assert data.x_train.dtype == np.float32
    lengths = np.concatenate([data.len_train, data.len_test])
    assert (lengths.min(), lengths.max()) == steps
    for y in (data.y_train, data.y_test):
        assert set(y.tolist()) == set(range(task.classes))


def test_padding_is_zero_and_nothing_else_is():
    data = get_task("japanese-vowels").load()
    valid = np.arange(data.x_train.shape[1]) < data.len_train[:, None]
    assert not data.x_train[~valid].any()
    assert np.all(np.abs(data.x_train[valid]).max(axis=1) > 0)


def test_digits_split_is_fixed_and_disjoint():
    a, b = get_task("digits").load(), get_task("digits").load()
    assert np.array_equal(a.x_test, b.x_test)
    train = {x.tobytes() for x in a.x_train}
    assert not any(x.tobytes() in train for x in a.x_test)


def test_folds_partition_the_training_set():
    data = get_task("japanese-vowels").load()
    held = [data.fold(k, 5) for k in range(5)]
    assert sum(len(f.y_test) for f in held) == 270
    assert all(len(f.y_train) + len(f.y_test) == 270 for f in held)
    seen = {x.tobytes() for f in held for x in f.x_test}
    assert seen == {x.tobytes() for x in data.x_train}
    test = {x.tobytes() for x in data.x_test}
    assert not seen & test
    with pytest.raises(ValueError, match=r"^index must be between 0 and 4, got 5$"):
        data.fold(5, 5)


def test_subset():
    data = get_task("digits").load().subset(7, 3)
    assert len(data.x_train) == len(data.y_train) == len(data.len_train) == 7
    assert len(data.x_test) == len(data.y_test) == len(data.len_test) == 3


def test_watch_windows_are_of_persons_and_scaled_alike():
    data = get_task("watch").load()
    train = {x.tobytes() for x in data.x_train}
    assert len(train) == 1595 and not any(x.tobytes() in train for x in data.x_test)
    # Half of a window is the first half of the next one of its recording.
    assert np.array_equal(data.x_train[0, 24:], data.x_train[1, :24])


def test_watch_without_its_package(monkeypatch):
    monkeypatch.setattr(watch, "find_spec", lambda _: None)
    with pytest.raises(MissingTool, match=r"^The task watch needs the package seglearn"):
        get_task("watch").load()


def test_neither_symbol_alone_tells_the_sum():
    x, lengths, y = delayed_sum(4000, 3, delay=6, noise=0.0)
    assert x.shape == (4000, 18, 4) and set(lengths.tolist()) == {18}
    a, b = x[:, 2].argmax(1), x[:, 11].argmax(1)
    assert np.array_equal((a + b) % 4, y)
    assert x.sum() == 4000 * 6 and not x[:, 5:11].any() and not x[:, 14:].any()
    for shown in (a, b):
        table = np.histogram2d(shown, y, bins=4)[0] / 4000
        assert np.abs(table - 1 / 16).max() < 0.02


def test_unknown_task():
    with pytest.raises(TriodiaError) as caught:
        get_task("mnist")
    known = "cifar-10, cifar-100, delayed-sum, delayed-sum-long, delayed-sum-short, digits,"
    known += " digits-pixels, fashion-mnist, japanese-vowels, watch"
    assert str(caught.value) == f"`--task` must be one of {known}, got mnist."


def test_metadata_is_complete():
    for name, task in TASKS.items():
        assert name == task.name and task.source and task.licence and task.shape
