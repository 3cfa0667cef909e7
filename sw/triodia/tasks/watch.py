"""Shoulder exercises seen by a smartwatch (Burns et al. 2018, arXiv 1802.01489), from seglearn."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from triodia_hw.errors import MissingTool

from .samples import TaskData, from_parts

__all__ = ["load_watch"]

_POOLED = 4  # of 50 Hz: a step is 80 ms
_STEPS, _STRIDE = 48, 24  # of a window: 3.8 s, about a repetition
_HELD_OUT = (8, 9, 10)  # persons whose recordings are the test set


def load_watch() -> TaskData:
    """Windows of 48 steps of acceleration and turning rate, of seven exercises.

    Test windows come from persons outside the training set. A step is the mean of four samples at
    50 Hz. Windows overlap by half; each lies within one recording.
    """
    data = np.load(_path(), allow_pickle=True).item()  # a list of arrays, hence pickled
    parts: dict[bool, list] = {False: [], True: []}
    for series, label, person in zip(data["X"], data["y"], data["subject"], strict=True):
        steps = len(series) // _POOLED
        pooled = np.asarray(series)[: steps * _POOLED].reshape(steps, _POOLED, -1).mean(axis=1)
        for start in range(0, steps - _STEPS + 1, _STRIDE):
            parts[int(person) in _HELD_OUT].append((pooled[start : start + _STEPS], int(label)))
    return from_parts(_stacked(parts[False]), _stacked(parts[True]))


def _path() -> Path:
    """The file of recordings; seglearn itself is not imported, as it would load all its tools."""
    spec = find_spec("seglearn")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / "data" / "watch_dataset.npy"
        if path.is_file():
            return path
    raise MissingTool(
        "The task watch needs the package seglearn, which is not installed."
        " Run: pip install 'triodia[train]'"
    )


def _stacked(windows: list[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = (np.array(part) for part in zip(*windows, strict=True))
    return x.astype(np.float32), np.full(len(x), _STEPS, np.int64), y.astype(np.int64)
