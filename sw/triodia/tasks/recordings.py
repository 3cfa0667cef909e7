"""Which event files a path holds, and their samples checked for training or for a network."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from triodia_hw.errors import TriodiaError

from .events import EventSamples
from .samples import TaskData, from_parts

__all__ = [
    "cochlea",
    "event_samples",
    "event_task_data",
    "holds_events",
    "read_recordings",
    "usual_bin",
]

_H5 = (".h5", ".hdf5")
_SPIKES_BIN = 0.01  # seconds; SHD and SSC


def holds_events(path: Path) -> bool:
    """Whether ``path`` is a folder or file of events, not of dense samples."""
    if path.is_dir() or path.suffix in _H5:
        return True
    try:
        with ZipFile(path) as file:  # numpy.load would read other files whole
            names = {name.removesuffix(".npy") for name in file.namelist()}
    except Exception:  # zip files have errors of many kinds
        return False  # the reader of dense samples says what is wrong
    return "x" not in names and bool({"times", "channels"} & names)


def read_recordings(path: Path, bin: float | None, inputs: int | None = None) -> tuple:
    """Training and test part of a file or folder of events: samples, lengths and classes.

    A file in our format, a folder with ``*_train.h5`` and ``*_test.h5`` (SHD, SSC) or one such
    file, or a folder of N-MNIST or DVS-Gesture. Without a test part it is the training part.

    Raises
    ------
    TriodiaError
        If there is no such file, it cannot be read, or a value is out of range.
    """
    from .event_files import is_spikes, read_events, read_spikes  # h5py is slow to import
    from .sensors import camera_parts

    if not path.exists():
        raise TriodiaError(f"{path} does not exist; pass a file or folder of samples.")
    if path.is_dir():
        found = camera_parts(path, bin)
        if found is not None:
            return found
        files = [_only(path, f"*_{part}.h5") for part in ("train", "test")]
        return tuple(read_spikes(file, bin or _SPIKES_BIN) for file in files)
    if path.suffix in _H5 and is_spikes(path):
        part = read_spikes(path, bin or _SPIKES_BIN)
        return part, part
    return read_events(path, bin, inputs)


def _only(folder: Path, pattern: str) -> Path:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise TriodiaError(
            f"{folder} must hold one file {pattern} (SHD, SSC), or Train and Test (N-MNIST), or"
            f" ibmGestureTrain and ibmGestureTest (DVS-Gesture); of {pattern} it holds {names}."
        )
    return files[0]


def event_task_data(source: str, train: tuple, test: tuple) -> TaskData:
    """Samples to train on, all with classes 0 to C - 1 that occur in the training part.

    Raises
    ------
    TriodiaError
        If classes are missing, negative or left out, or only the test part has one.
    """
    for name, part in (("y", train), ("y_test", test)):
        if part[2] is None:
            raise TriodiaError(f"{source} has no array {name}; training needs a class per sample.")
        if part[2].min() < 0:
            raise TriodiaError(f"Classes in {source} must be 0 or more, got {part[2].min()}.")
    present = set(train[2].tolist())
    only = set(test[2].tolist()) - present
    if only:
        raise TriodiaError(
            f"Class {min(only)} in {source} occurs in the test part only; training must see it."
        )
    absent = next(k for k in range(len(present) + 1) if k not in present)
    if absent < max(present):
        raise TriodiaError(
            f"No training sample in {source} has class {absent}, and classes go up to"
            f" {max(present)}; number them from 0 without gaps."
        )
    return from_parts(train, test)


def event_samples(
    path: Path, inputs: int, classes: int, around: tuple[int, int], bin: float | None
) -> TaskData:
    """Samples of a file or folder for a network of ``inputs`` and ``classes``.

    ``around``: silent steps to add before and after every sample. Classes are -1 where the file has
    none.

    Raises
    ------
    TriodiaError
        As :func:`read_recordings`; and if channels or classes do not suit the network.
    """
    train, test = read_recordings(path, bin, inputs)
    given = _suited(path, train, inputs, classes, around)
    if test is not train:
        return from_parts(given, _suited(path, test, inputs, classes, around))
    return from_parts(given, given)


def _suited(
    path: Path, part: tuple, inputs: int, classes: int, around: tuple[int, int]
) -> tuple[EventSamples, np.ndarray, np.ndarray]:
    x, lengths, y = part
    if x.inputs != inputs:
        raise TriodiaError(f"{path} has {x.inputs} channels, but the network has {inputs} inputs.")
    y = np.full(len(x), -1) if y is None else y
    if y.max() >= classes:
        raise TriodiaError(
            f"Classes in {path} must be below {classes}, the network's readouts; got {y.max()}."
        )
    more = sum(around)
    if more:
        step = x.step.astype(np.int64) + around[0]
        x = replace(x, step=step, steps=x.steps + more)
    return x, lengths + more, y


def cochlea(path: Path) -> bool:
    """Whether ``path`` holds recordings of SHD or SSC."""
    if path.is_dir():
        return bool(list(path.glob("*_train.h5")))
    from .event_files import is_spikes  # h5py is slow to import

    return path.suffix in _H5 and is_spikes(path)


def usual_bin(path: Path, provenance: Iterable[dict]) -> float | None:
    """Length of a step of events in ``path``: as the network of ``provenance`` was trained.

    None if it was not trained on times, or ``path`` holds no events.
    """
    if not holds_events(path):
        return None
    steps = [step for step in provenance if step.get("command") == "train"]
    return steps[-1].get("bin") if steps else None
