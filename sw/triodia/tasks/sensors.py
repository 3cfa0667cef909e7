"""Recordings of event cameras: folders of N-MNIST and DVS-Gesture, and Tonic's data sets."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from triodia_hw.errors import TriodiaError

from .event_files import Part, joined
from .events import EventSamples, bin_events

__all__ = ["camera_parts", "pixels", "read_gestures", "read_nmnist", "tonic_part"]

_OVERFLOW = 240  # this y of N-MNIST is no pixel: the clock of 13 bits starts again
_GREATEST = 1e15  # of a coordinate or time, far from the end of 64 bits
_POOL = 4  # of DVS-Gesture: 128 x 128 x 2 channels are more than a machine has


def pixels(
    x: np.ndarray, y: np.ndarray, p: np.ndarray, size: tuple[int, int, int], pool: int = 1
) -> tuple[np.ndarray, int]:
    """Channel of each event, polarity by polarity and row by row, and how many there are.

    ``size`` is width, height and polarities; ``pool`` joins squares of so many pixels a side.
    Pixels outside ``size`` give a channel of -1, which is refused later.
    """
    wide, high = (-(-side // pool) for side in size[:2])
    x, y, p = (np.asarray(part).astype(np.int64) for part in (x, y, p))
    inside = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1]) & (p >= 0) & (p < size[2])
    channel = (p * high + y // pool) * wide + x // pool
    return np.where(inside, channel, -1), size[2] * wide * high


def _recording(
    source: str,
    events: tuple[np.ndarray, ...],
    size: tuple[int, int, int],
    bin: float,
    pool: int = 1,
) -> EventSamples:
    """One sample of events ``(t, x, y, p)``; its time starts with its first event."""
    t, *where = events
    channel, inputs = pixels(*where, size, pool)
    t = np.asarray(t) - (t[0] if len(t) else 0)
    ends = np.array([0, len(t)])
    return bin_events(source, t, channel, ends, bin=bin, inputs=inputs)[0]


def camera_parts(folder: Path, bin: float | None) -> tuple[Part, Part] | None:
    """Training and test part of a folder of N-MNIST or DVS-Gesture; None if it is neither.

    ``bin`` is in microseconds, by default 10 ms for N-MNIST and 20 ms for DVS-Gesture.
    """
    if (folder / "Train").is_dir():
        return tuple(read_nmnist(folder / part, bin or 10_000) for part in ("Train", "Test"))
    if (folder / "ibmGestureTrain").is_dir():
        names = ("ibmGestureTrain", "ibmGestureTest")
        return tuple(read_gestures(folder / name, bin or 20_000) for name in names)
    return None


def read_nmnist(folder: Path, bin: float) -> Part:
    """N-MNIST (Orchard et al. 2015): a folder for each digit, a file of 5-byte events each.

    34 x 34 pixels of two polarities, 2,312 channels; ``bin`` in microseconds.

    Raises
    ------
    TriodiaError
        If the folder has no such files, or one is damaged.
    """
    files = [(path, path.parent.name) for path in sorted(folder.glob("[0-9]/*.bin"))]
    _check_some(files, folder, "folders 0 to 9 of .bin files")
    parts = [_recording(str(p), _nmnist_events(p), (34, 34, 2), bin) for p, _ in files]
    return joined(parts, np.array([int(name) for _, name in files]))


def _nmnist_events(path: Path) -> tuple[np.ndarray, ...]:
    """``t, x, y, p`` of a file: a byte of x, of y, then polarity and 23 bits of microseconds."""
    raw = np.fromfile(path, np.uint8)
    if len(raw) % 5 or not len(raw):
        raise TriodiaError(f"{path} has {len(raw)} bytes, not 5 per event; copy it again.")
    x, y, high, middle, low = raw.reshape(-1, 5).astype(np.int64).T
    wrapped = y == _OVERFLOW
    t = ((high & 0x7F) << 16) + (middle << 8) + low + (1 << 13) * np.cumsum(wrapped)
    return tuple(part[~wrapped] for part in (t, x, y, high >> 7))


def read_gestures(folder: Path, bin: float) -> Part:
    """DVS-Gesture (Amir et al. 2017) as Tonic unpacks it: ``user*/CLASS.npy`` of x, y, p, t.

    Times in the files are milliseconds; ``bin`` is in microseconds. Squares of 4 x 4 pixels are
    joined: 32 x 32 pixels of two polarities, 2,048 channels.

    Raises
    ------
    TriodiaError
        If the folder has no such files, or one is damaged.
    """
    files = sorted(folder.glob("*/[0-9]*.npy"))
    _check_some(files, folder, "user folders of .npy files, as Tonic unpacks them")
    return joined(
        [_recording(str(p), _gesture_events(p), (128, 128, 2), bin, _POOL) for p in files],
        np.array([_number(path) for path in files]),
    )


def _gesture_events(path: Path) -> tuple[np.ndarray, ...]:
    try:
        events = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, and lets its errors through
        raise TriodiaError(f"{path} cannot be read as events ({error}).") from error
    if (
        not isinstance(events, np.ndarray)
        or events.ndim != 2
        or events.shape[1] != 4
        or events.dtype.kind not in "fiu"
    ):
        raise TriodiaError(f"{path} must hold x, y, p and t in columns, got {events.shape}.")
    if not np.all(np.abs(events.astype(np.float64)) < _GREATEST):
        raise TriodiaError(f"{path} must hold numbers below {_GREATEST:g}, without NaN.")
    x, y, p, t = events.T
    return t * 1000.0, x, y, p


def _number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise TriodiaError(f"{path} must be named after its class, as 3.npy.")
    return int(path.stem)


def _check_some(files: list, folder: Path, wanted: str) -> None:
    if not files:
        raise TriodiaError(f"{folder} must hold {wanted}; none was found.")


def tonic_part(dataset: Iterable, bin: float, *, pool: int = 1) -> Part:
    """Samples of a Tonic data set: events with fields t, x, p and perhaps y, and a class.

    ``bin`` is in the unit of its times, mostly microseconds. ``pool`` joins squares of pixels.

    Raises
    ------
    TriodiaError
        If it is empty, has no ``sensor_size``, or its events lack a field.
    """
    size = getattr(dataset, "sensor_size", None)
    if size is None or len(size) != 3:
        raise TriodiaError(
            f"The data set must have a sensor_size of width, height and polarities, got {size}."
        )
    parts, labels = [], []
    for k in range(len(dataset)):  # Tonic's data sets do not end an iteration
        events, label = dataset[k]
        names = events.dtype.names or ()
        absent = [name for name in ("t", "x") if name not in names]
        if absent:
            raise TriodiaError(f"Events of sample {k} have no field {absent[0]}.")
        zeros = np.zeros(len(events), np.int64)
        y = events["y"] if "y" in names else zeros
        # Sounds have a polarity that is always 1, and one channel for it.
        p = events["p"] if "p" in names and size[2] > 1 else zeros
        where = (events["t"].astype(np.float64), events["x"], y, p)
        parts.append(_recording(f"sample {k}", where, tuple(map(int, size)), bin, pool))
        labels.append(int(label))
    _check_some(parts, Path(type(dataset).__name__), "samples")
    return joined(parts, np.array(labels, np.int64))
