"""Labelled series, split into training and test samples."""

from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import TriodiaError

from .events import EventSamples, rows

__all__ = ["TaskData", "from_parts"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskData:
    """Series and their classes.

    ``x_*`` are ``(samples, steps, inputs)`` float32, zero padded after ``len_*`` ``(samples,)``
    valid steps; ``y_*`` are classes from 0. "Test" samples are held out. Event counts may be
    :class:`~.events.EventSamples`, which become dense as they are used.
    """

    x_train: np.ndarray | EventSamples
    len_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray | EventSamples
    len_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    def fold(self, index: int, folds: int, seed: int = 0) -> "TaskData":
        """Split the training set for tuning: part ``index`` of ``folds`` is held out.

        The real test set is left out.
        """
        if not 0 <= index < folds:
            raise ValueError(f"index must be between 0 and {folds - 1}, got {index}")
        order = np.random.default_rng(seed).permutation(len(self.y_train))
        held = np.zeros(len(order), bool)
        held[order[index::folds]] = True
        whole = (self.x_train, self.len_train, self.y_train)
        return from_parts(tuple(rows(a, ~held) for a in whole), tuple(rows(a, held) for a in whole))

    def held_out(self, part: float, seed: int = 0) -> "TaskData":
        """Split the training set: about ``part`` of each class's samples becomes the test set.

        A class keeps at least one sample for training. The real test set is left out.
        """
        chance, held = np.random.default_rng([seed, 12]), np.zeros(len(self.y_train), bool)
        for label in np.unique(self.y_train):
            mine = chance.permutation(np.flatnonzero(self.y_train == label))
            held[mine[: min(round(part * len(mine)), len(mine) - 1)]] = True
        if not held.any():
            raise TriodiaError(
                f"validation must hold out at least one sample; {part:g} of the"
                f" {len(held)} samples is none."
            )
        whole = (self.x_train, self.len_train, self.y_train)
        return from_parts(tuple(rows(a, ~held) for a in whole), tuple(rows(a, held) for a in whole))

    def subset(self, train: int, test: int) -> "TaskData":
        """The first ``train`` and ``test`` samples."""
        return from_parts(
            (rows(self.x_train, slice(train)), self.len_train[:train], self.y_train[:train]),
            (rows(self.x_test, slice(test)), self.len_test[:test], self.y_test[:test]),
        )


def from_parts(train: tuple, test: tuple) -> TaskData:
    """``TaskData`` of ``(x, lengths, y)`` for training and test."""
    names = [f"{part}_{split}" for split in ("train", "test") for part in ("x", "len", "y")]
    return TaskData(**dict(zip(names, (*train, *test), strict=True)))
