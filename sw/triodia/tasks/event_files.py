"""Files of events: ours (.npz, .h5), and SHD and SSC (.h5, one file for each part)."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import h5py
import numpy as np

from triodia_hw.errors import TriodiaError

from ..hdf5 import open_hdf5
from .events import MOST_INPUTS, EventSamples, bin_events
from .npz import read_archive

__all__ = ["Part", "is_spikes", "read_events", "read_h5", "read_spikes", "save_events"]

Part = tuple[EventSamples, np.ndarray, np.ndarray | None]  # samples, lengths, classes

_NEEDED = ("times", "channels", "offsets")
_NAMES = (*_NEEDED, "y", "lengths")
_SPIKES = ("spikes/times", "spikes/units", "labels")  # SHD and SSC
_H5PY = (OSError, TypeError, ValueError, RuntimeError, KeyError)  # what h5py raises of a bad file
_UNITS = 700  # channels of SHD and SSC


def read_h5(path: Path) -> dict[str, np.ndarray]:
    """The arrays at the top of an HDF5 file.

    Raises
    ------
    TriodiaError
        If the file cannot be read.
    """
    try:
        with open_hdf5(path) as file:
            return {n: item[()] for n, item in file.items() if isinstance(item, h5py.Dataset)}
    except _H5PY as error:
        raise TriodiaError(f"{path} cannot be read as an HDF5 file ({error}).") from error


def is_spikes(path: Path) -> bool:
    """Whether an HDF5 file has the layout of SHD and SSC, at least in part."""
    try:
        with h5py.File(path) as file:
            return "spikes" in file
    except _H5PY:
        return False


def read_events(path: Path, bin: float | None, inputs: int | None = None) -> tuple[Part, Part]:
    """Training and test part of a file in our format; docs/data.md lists the arrays.

    The test part is the training part if the file has none. ``inputs`` are the channels, by default
    those of the file. A file with ``bin`` was binned before, so that its times are steps.

    Raises
    ------
    TriodiaError
        If the file cannot be read, an array is missing, or a value is out of range.
    """
    arrays = read_h5(path) if path.suffix in (".h5", ".hdf5") else read_archive(path)
    _check_names(path, arrays)
    _check_lists(path, arrays)
    channels, done = inputs or _inputs(path, arrays), _done(path, arrays)
    parts = []
    for suffix in ("", "_test") if "times_test" in arrays else ("",):
        x, *rest = _part(path, arrays, suffix, None if done else bin, channels)
        parts.append((replace(x, bin=done or bin), *rest))
    return parts[0], parts[-1]


def _done(path: Path, arrays: dict[str, np.ndarray]) -> float | None:
    """Length of the steps that the file was binned to; None if it says nothing."""
    if "bin" not in arrays:
        return None
    found = np.asarray(arrays["bin"])
    if found.ndim or found.dtype.kind not in "fiu" or not 0 < found < np.inf:
        raise TriodiaError(f"bin in {path} must be one number above 0, got {found}.")
    return float(found)


def _check_names(path: Path, arrays: dict[str, np.ndarray]) -> None:
    known = {"inputs", "bin", *_NAMES, *(f"{name}_test" for name in _NAMES)}
    for name in sorted(set(arrays) - known):
        for meant in get_close_matches(name.lower(), sorted(known - set(arrays)), 1, 0.8):
            raise TriodiaError(f"{path} holds {name}, which is unknown; is {meant} meant?")
    for suffix in ("", "_test"):
        given = [name for name in _NAMES if name + suffix in arrays]
        absent = [name + suffix for name in _NEEDED if name not in given]
        if absent and (given or not suffix):
            raise TriodiaError(
                f"{path} has no array {absent[0]}; it holds {', '.join(sorted(arrays)) or 'none'}."
            )


def _check_lists(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for name in [*_NAMES, *(f"{name}_test" for name in _NAMES)]:
        value = np.asarray(arrays.get(name, ()))
        if value.dtype.kind not in "fiub":
            raise TriodiaError(f"{path}: {name} must be numbers, got {value.dtype}.")
        if value.ndim != 1:
            raise TriodiaError(f"{path}: {name} must be a list, got the shape {value.shape}.")


def _inputs(path: Path, arrays: dict[str, np.ndarray]) -> int:
    """Channels: those that the file names, or up to the greatest there is."""
    if "inputs" in arrays:
        found = np.asarray(arrays["inputs"])
        whole = found.ndim == 0 and found.dtype.kind in "iu"
        if not whole or not 1 <= int(found) <= MOST_INPUTS:
            raise TriodiaError(
                f"inputs in {path} must be a whole number of channels up to {MOST_INPUTS:,},"
                f" got {found}."
            )
        return int(found)
    given = [arrays[name] for name in ("channels", "channels_test") if name in arrays]
    whole = [part for part in given if part.size and part.dtype.kind in "iu"]  # others fail later
    most = int(max((part.max() for part in whole), default=0)) + 1
    if most > MOST_INPUTS:
        raise TriodiaError(
            f"{path} has events of channel {most - 1}; a machine has up to {MOST_INPUTS:,} inputs."
        )
    return max(most, 1)


def _part(
    path: Path, arrays: dict[str, np.ndarray], suffix: str, bin: float | None, inputs: int
) -> Part:
    times, channels, start = (arrays[name + suffix] for name in _NEEDED)
    _check_offsets(path, f"offsets{suffix}", start, len(times))
    if len(channels) != len(times):
        raise TriodiaError(
            f"{path} has {len(times)} times{suffix} and {len(channels)} channels{suffix}; an event"
            " needs one of each."
        )
    samples = len(start) - 1
    lengths, y = (_whole(path, arrays, name + suffix, samples) for name in ("lengths", "y"))
    if lengths is not None and lengths.min() < 1:
        raise TriodiaError(f"lengths{suffix} in {path} must be 1 or more, got {lengths.min()}.")
    how = {"bin": bin, "inputs": inputs, "lengths": lengths}
    return *bin_events(f"{path}, times{suffix}", times, channels, start, **how), y


def _check_offsets(path: Path, name: str, start: np.ndarray, events: int) -> None:
    plain = start.ndim == 1 and start.dtype.kind in "iu" and len(start) > 1
    if not plain or start[0] != 0 or start[-1] != events or np.any(np.diff(start.astype(int)) < 0):
        raise TriodiaError(
            f"{name} in {path} must be the index of each sample's first event, then the number of"
            f" events: whole numbers from 0 up to {events}, with no step back."
        )


def _whole(path: Path, arrays: dict[str, np.ndarray], name: str, samples: int) -> np.ndarray | None:
    if name not in arrays:
        return None
    value = arrays[name]
    if value.shape != (samples,) or value.dtype.kind not in "iu":
        raise TriodiaError(
            f"{name} in {path} must be one whole number for each of {samples} samples, got"
            f" {value.dtype} of shape {value.shape}."
        )
    return value.astype(np.int64)


def read_spikes(path: Path, bin: float) -> Part:
    """One file of SHD or SSC (Cramer et al. 2020): times in seconds, units 0 to 699, labels.

    Read sample by sample, so that nothing but the binned events is kept.

    Raises
    ------
    TriodiaError
        If the file cannot be read, a key is missing, or a value is out of range.
    """
    try:
        with open_hdf5(path) as file:
            for key in _SPIKES:
                if key not in file:
                    raise TriodiaError(f"{path} has no {key}; is it a file of SHD or SSC?")
            times, units, labels = (file[key] for key in _SPIKES)
            _check_ragged(path, times, units, labels)
            if not len(times) == len(units) == len(labels) or not len(times):
                raise TriodiaError(
                    f"{path} must have as many times, units and labels, at least one; got"
                    f" {len(times)}, {len(units)} and {len(labels)}."
                )
            parts = [_spikes(path, k, times[k], units[k], bin) for k in range(len(labels))]
            y = np.asarray(labels[()])
    except _H5PY as error:
        raise TriodiaError(f"{path} cannot be read as an HDF5 file ({error}).") from error
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise TriodiaError(f"labels in {path} must be whole numbers from 0.")
    return joined(parts, y.astype(np.int64))


def _check_ragged(path: Path, *parts: h5py.Dataset) -> None:
    for key, part in zip(_SPIKES, parts, strict=True):
        ragged = key != "labels"
        if not isinstance(part, h5py.Dataset) or part.ndim != 1:
            raise TriodiaError(f"{key} in {path} must be a list with an entry for each sample.")
        if ragged != (h5py.check_vlen_dtype(part.dtype) is not None):
            form = "lists of numbers, one" if ragged else "whole numbers, one"
            raise TriodiaError(f"{key} in {path} must be {form} for each sample.")


def _spikes(path: Path, k: int, times: np.ndarray, units: np.ndarray, bin: float) -> EventSamples:
    if len(times) != len(units):
        raise TriodiaError(
            f"{path}: sample {k} has {len(times)} times and {len(units)} units; an event needs one"
            " of each."
        )
    start = np.array([0, len(times)])
    how = {"bin": bin, "inputs": _UNITS}
    return bin_events(f"{path}, sample {k}", times, units, start, **how)[0]


def joined(parts: list[EventSamples], y: np.ndarray) -> Part:
    """One part of samples of one each."""
    start = np.concatenate([[0], np.cumsum([len(part.step) for part in parts])])
    lengths = np.array([part.steps for part in parts], np.int64)
    step, channel = (np.concatenate([getattr(p, n) for p in parts]) for n in ("step", "channel"))
    whole = EventSamples(step, channel, start, int(lengths.max()), parts[0].inputs, parts[0].bin)
    return whole, lengths, y


def save_events(path: str | Path, train: Part, test: Part | None = None) -> None:
    """Write binned samples as an ``.npz`` file in our format."""
    arrays: dict[str, np.ndarray] = {"inputs": np.array(train[0].inputs)}
    arrays |= {} if train[0].bin is None else {"bin": np.array(train[0].bin)}
    for suffix, part in (("", train), ("_test", test)):
        if part is not None:
            x, lengths, y = part
            values = {"times": x.step, "channels": x.channel, "offsets": x.start}
            values |= {"lengths": lengths} | ({} if y is None else {"y": y})
            arrays |= {name + suffix: value for name, value in values.items()}
    np.savez(path, **arrays)
