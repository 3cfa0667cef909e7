"""The built-in tasks: labelled series from installed packages; nothing is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec

import numpy as np

from triodia_hw.errors import MissingTool, TriodiaError

from .images import load_cifar10, load_cifar100, load_fashion_mnist
from .recall import load_delayed_sum
from .samples import TaskData, from_parts
from .watch import load_watch

__all__ = ["TASKS", "Task", "TaskData", "get_task"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task and its origin; ``load()`` reads the samples.

    ``recipe``: options of ``train.Settings`` for this task, where the defaults do not suit.
    """

    name: str
    source: str
    licence: str
    shape: str
    metric: str
    inputs: int
    classes: int
    loader: Callable[[], TaskData]
    recipe: dict = field(default_factory=dict)

    def load(self) -> TaskData:
        """Read the samples; they are the same on every call and machine."""
        return self.loader()


def _check_package(package: str, task: str) -> None:
    """Raise :class:`MissingTool` unless the ``package`` that ships the samples is installed."""
    try:
        there = find_spec(package) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise MissingTool(
            f"The samples of {task} come with a package that is not installed."
            " Run: pip install 'triodia[train]'"
        )


def _padded(series: list[np.ndarray], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """``series`` of ``(inputs, length)`` as ``(samples, steps, inputs)`` and their lengths."""
    x = np.zeros((len(series), steps, series[0].shape[0]), np.float32)
    for row, s in zip(x, series, strict=True):
        row[: s.shape[1]] = s.T
    return x, np.array([s.shape[1] for s in series], np.int64)


def _japanese_vowels() -> TaskData:
    _check_package("aeon", "japanese-vowels")
    from aeon.datasets import load_japanese_vowels  # heavy import, only when asked for

    train_x, train_y = load_japanese_vowels(split="train")
    test_x, test_y = load_japanese_vowels(split="test")
    steps = max(s.shape[1] for s in (*train_x, *test_x))
    train = (*_padded(train_x, steps), np.asarray(train_y).astype(np.int64) - 1)
    test = (*_padded(test_x, steps), np.asarray(test_y).astype(np.int64) - 1)
    return from_parts(train, test)


def _digits() -> TaskData:
    _check_package("sklearn", "digits")
    from sklearn.datasets import load_digits  # heavy import, only when asked for

    images, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x = images[order].reshape(-1, 8, 8).astype(np.float32) / 16
    y, lengths = y[order].astype(np.int64), np.full(len(y), 8, np.int64)
    cut = 1297
    train, test = slice(None, cut), slice(cut, None)
    return from_parts((x[train], lengths[train], y[train]), (x[test], lengths[test], y[test]))


def _digits_pixels() -> TaskData:
    """The digits of ``_digits``, a pixel a step, row by row."""
    data = _digits()

    def part(x: np.ndarray, y: np.ndarray) -> tuple:
        return x.reshape(len(x), 64, 1), np.full(len(x), 64, np.int64), y

    return from_parts(part(data.x_train, data.y_train), part(data.x_test, data.y_test))


def _delayed_sum(name: str, delay: int) -> "Task":
    return Task(
        name=name,
        source=f"generated (triodia.tasks.recall): two symbols {delay} steps apart, added modulo 4",
        licence="Apache-2.0, with Triodia",
        shape=f"2,000 training and 1,000 test samples, {delay + 12} steps of 4 channels",
        metric="accuracy",
        inputs=4,
        classes=4,
        loader=partial(load_delayed_sum, delay),
        recipe=_MANY | {"epochs": 20, "batch": 64, "tau_out": 4.0, "learn_tau": False},
    )


# Tasks with thousands of samples need little augmentation, and more inputs per neuron.
_MANY = {"noise": 0.0, "shift": 0.0, "warp": 0.0, "dropout": 0.0}
_MANY |= {"input_density": 0.5, "input_gain": 1.0}

_DELAYS = {"delayed-sum": 12, "delayed-sum-short": 4, "delayed-sum-long": 20}

TASKS = {
    task.name: task
    for task in (
        Task(
            name="japanese-vowels",
            source="aeon.datasets.load_japanese_vowels (UCI/UEA JapaneseVowels, Kudo et al. 1999)",
            licence="CC BY 4.0 (UCI)",
            shape="270 training and 370 test utterances, 7-29 steps of 12 cepstrum coefficients",
            metric="accuracy",
            inputs=12,
            classes=9,
            loader=_japanese_vowels,
        ),
        Task(
            name="digits",
            source="sklearn.datasets.load_digits (UCI optical digits, Alpaydin & Kaynak 1998)",
            licence="CC BY 4.0 (UCI)",
            shape="1297 training and 500 test images, 8 steps (rows) of 8 pixels",
            metric="accuracy",
            inputs=8,
            classes=10,
            loader=_digits,
        ),
        Task(
            name="fashion-mnist",
            source="Fashion-MNIST (Xiao et al. 2017), files of Debian's dataset-fashion-mnist",
            licence="MIT",
            shape="60,000 training and 10,000 test images, 28 steps (rows) of 28 pixels",
            metric="accuracy",
            inputs=28,
            classes=10,
            loader=load_fashion_mnist,
            recipe=_MANY
            | {"epochs": 12, "batch": 128, "lr": 0.015, "noise": 0.1, "average": 0.99}
            | {"target_rate": 0.15},
        ),
        Task(
            name="cifar-10",
            source="CIFAR-10 (Krizhevsky 2009), the user's own binary files",
            licence="none stated",
            shape="50,000 training and 10,000 test images, 32 steps (rows) of 32 x 3 pixels",
            metric="accuracy",
            inputs=96,
            classes=10,
            loader=load_cifar10,
        ),
        Task(
            name="cifar-100",
            source="CIFAR-100 (Krizhevsky 2009), the user's own binary files",
            licence="none stated",
            shape="50,000 training and 10,000 test images, 32 steps (rows) of 32 x 3 pixels",
            metric="accuracy",
            inputs=96,
            classes=100,
            loader=load_cifar100,
        ),
        Task(
            name="watch",
            source="seglearn's watch_dataset.npy (shoulder exercises, Burns et al. 2018)",
            licence="BSD-3-Clause, with the package",
            shape="1,595 training and 743 test windows of other persons, 48 steps of 6 channels",
            metric="accuracy",
            inputs=6,
            classes=7,
            loader=load_watch,
        ),
        *(_delayed_sum(name, delay) for name, delay in _DELAYS.items()),
        Task(
            name="digits-pixels",
            source="sklearn.datasets.load_digits, a pixel a step",
            licence="CC BY 4.0 (UCI)",
            shape="1297 training and 500 test images, 64 steps of 1 pixel",
            metric="accuracy",
            inputs=1,
            classes=10,
            loader=_digits_pixels,
            recipe=_MANY
            | {"epochs": 20, "batch": 64, "input_density": 1.0, "input_gain": 2.0}
            | {"bias_spread": 1.0, "target_rate": 0.1},
        ),
    )
}


def get_task(name: str) -> Task:
    """The task called ``name``."""
    if name not in TASKS:
        raise TriodiaError(f"`--task` must be one of {', '.join(sorted(TASKS))}, got {name}.")
    return TASKS[name]
