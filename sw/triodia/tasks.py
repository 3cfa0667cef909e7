"""Tasks: labelled series that load with the network off, from packages that ship them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .errors import TriodiaError

__all__ = ["TASKS", "Task", "TaskData", "get_task"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskData:
    """Series and their classes.

    ``x_*`` are ``(samples, steps, inputs)`` float32, zero padded after ``len_*`` ``(samples,)``
    valid steps; ``y_*`` are classes from 0. "Test" is whatever was held out.
    """

    x_train: np.ndarray
    len_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    len_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    def fold(self, index: int, folds: int, seed: int = 0) -> "TaskData":
        """Training set split for tuning: part ``index`` of ``folds`` is the held-out one.

        The real test set is in neither part.
        """
        if not 0 <= index < folds:
            raise ValueError(f"index must be in 0..{folds - 1}, not {index}")
        order = np.random.default_rng(seed).permutation(len(self.y_train))
        held = np.zeros(len(order), bool)
        held[order[index::folds]] = True
        whole = (self.x_train, self.len_train, self.y_train)
        return TaskData(**_named(tuple(a[~held] for a in whole), tuple(a[held] for a in whole)))

    def subset(self, train: int, test: int) -> "TaskData":
        """The first ``train`` and ``test`` samples."""
        return replace(
            self,
            **_named(
                (self.x_train[:train], self.len_train[:train], self.y_train[:train]),
                (self.x_test[:test], self.len_test[:test], self.y_test[:test]),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a task is and where it comes from; ``load()`` reads it."""

    name: str
    source: str
    licence: str
    shape: str
    metric: str
    inputs: int
    classes: int
    loader: Callable[[], TaskData]

    def load(self) -> TaskData:
        """Read the data; the same on every call and machine."""
        return self.loader()


def _named(train: tuple, test: tuple) -> dict[str, np.ndarray]:
    names = [f"{part}_{split}" for split in ("train", "test") for part in ("x", "len", "y")]
    return dict(zip(names, (*train, *test), strict=True))


def _padded(series: list[np.ndarray], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """``series`` of ``(inputs, length)`` as ``(samples, steps, inputs)`` and their lengths."""
    x = np.zeros((len(series), steps, series[0].shape[0]), np.float32)
    for row, s in zip(x, series, strict=True):
        row[: s.shape[1]] = s.T
    return x, np.array([s.shape[1] for s in series], np.int64)


def _japanese_vowels() -> TaskData:
    from aeon.datasets import load_japanese_vowels  # heavy import, only when asked for

    train_x, train_y = load_japanese_vowels(split="train")
    test_x, test_y = load_japanese_vowels(split="test")
    steps = max(s.shape[1] for s in (*train_x, *test_x))
    train = (*_padded(train_x, steps), np.asarray(train_y).astype(np.int64) - 1)
    test = (*_padded(test_x, steps), np.asarray(test_y).astype(np.int64) - 1)
    return TaskData(**_named(train, test))


def _digits() -> TaskData:
    from sklearn.datasets import load_digits  # heavy import, only when asked for

    images, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x = images[order].reshape(-1, 8, 8).astype(np.float32) / 16
    y, lengths = y[order].astype(np.int64), np.full(len(y), 8, np.int64)
    cut = 1297
    train, test = slice(None, cut), slice(cut, None)
    return TaskData(
        **_named((x[train], lengths[train], y[train]), (x[test], lengths[test], y[test]))
    )


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
    )
}


def get_task(name: str) -> Task:
    """The task called ``name``."""
    if name not in TASKS:
        raise TriodiaError(f"task must be one of {', '.join(sorted(TASKS))}, not {name!r}")
    return TASKS[name]
