"""Read and check samples from an ``.npz`` file."""

from difflib import get_close_matches
from pathlib import Path
from zipfile import is_zipfile

import numpy as np

from triodia_hw.errors import TriodiaError

from .samples import TaskData, from_parts

__all__ = ["read_archive", "read_arrays", "read_samples"]

_NAMES = ("x", "y", "lengths", "x_test", "y_test", "lengths_test")
_UNLABELLED = -1
_GREATEST = 1e15  # of an input: its square is far from the end of float32


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz`` file, which must include an ``x`` with three axes.

    Raises
    ------
    TriodiaError
        If the file cannot be read or does not hold samples.
    """
    arrays = read_archive(Path(path))
    if "x" not in arrays:
        raise TriodiaError(
            f"{path} has no array x of shape (samples, steps, inputs);"
            f" it holds {', '.join(arrays) or 'nothing'}."
        )
    absent = [name for name in _NAMES if name not in arrays]
    for name in sorted(set(arrays) - set(_NAMES)):
        for meant in get_close_matches(name.lower(), absent, 1, 0.8):
            raise TriodiaError(f"{path} holds {name}, which is unknown; is {meant} meant?")
    for name in ("x", "x_test"):
        if name in arrays and (arrays[name].ndim != 3 or not arrays[name].size):
            raise TriodiaError(
                f"{name} in {path} must have the shape (samples, steps, inputs), with no axis"
                f" empty; got {arrays[name].shape}."
            )
    for name in ("lengths_test", "y_test"):
        if name in arrays and "x_test" not in arrays:
            raise TriodiaError(f"{path} holds {name} but no x_test; add x_test or remove {name}.")
    return arrays


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` file.

    Raises
    ------
    TriodiaError
        If the file cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as content:  # numpy.load takes other kinds of file too
            if not is_zipfile(content):
                raise ValueError("it is no .npz file")
            content.seek(0)
            with np.load(content, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name} in it is no array")
    except Exception as error:  # zip, every codec and numpy have errors of their own
        reason = getattr(error, "strerror", None) or error
        raise TriodiaError(
            f"{path} cannot be read as samples ({reason});"
            " numpy.savez(path, x=x, y=y) writes such a file."
        ) from error
    return arrays


def read_samples(
    path: str | Path,
    arrays: dict[str, np.ndarray],
    inputs: int,
    classes: int,
    around: tuple[int, int] = (0, 0),
) -> TaskData:
    """Convert the ``arrays`` of file ``path`` to samples of ``inputs`` and ``classes``.

    Raises
    ------
    TriodiaError
        If an array is of the wrong shape or range.
    """
    train = _part(path, arrays, "", inputs, classes, around)
    held = _part(path, arrays, "_test", inputs, classes, around) if "x_test" in arrays else train
    return from_parts(train, held)


def _part(
    path: str | Path,
    arrays: dict[str, np.ndarray],
    suffix: str,
    inputs: int,
    classes: int,
    around: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = _values(path, f"x{suffix}", arrays[f"x{suffix}"], inputs)
    samples, steps, _ = x.shape
    lengths = _whole(path, arrays, f"lengths{suffix}", np.full(samples, steps), 1, steps)
    y = _whole(path, arrays, f"y{suffix}", np.full(samples, _UNLABELLED), 0, classes - 1)
    x = np.where((np.arange(steps) < lengths[:, None])[..., None], x, 0)
    return np.pad(x, ((0, 0), around, (0, 0))), lengths + sum(around), y


def _values(path: str | Path, name: str, x: np.ndarray, inputs: int) -> np.ndarray:
    """``x`` as float32, if its values are finite and in range."""
    if x.dtype.kind not in "fiub":
        raise TriodiaError(f"{name} in {path} must hold numbers, got {x.dtype}.")
    if x.shape[2] != inputs:
        raise TriodiaError(
            f"{name} in {path} has {x.shape[2]} inputs, but {inputs} are needed:"
            f" its shape is {x.shape}, read as (samples, steps, inputs)."
        )
    if not np.all(np.isfinite(x)):
        raise TriodiaError(f"{name} in {path} must hold finite numbers; it has NaN or infinity.")
    largest = max(abs(float(x.max())), abs(float(x.min())))
    if largest > _GREATEST:
        raise TriodiaError(
            f"{name} in {path} has values up to {largest:.3g}; scale them below {_GREATEST:g}."
        )
    return x.astype(np.float32)


def _whole(
    path: str | Path,
    arrays: dict[str, np.ndarray],
    name: str,
    default: np.ndarray,
    low: int,
    high: int,
) -> np.ndarray:
    if name not in arrays:
        return default
    value = arrays[name]
    if value.shape != default.shape:
        raise TriodiaError(
            f"{name} in {path} must have one number per sample, {len(default)} in all;"
            f" its shape is {value.shape}."
        )
    if value.dtype.kind not in "iu":
        whole = value.dtype.kind in "fb" and np.array_equal(value, np.rint(value))
        advice = f"; {name}.astype(int) converts it" if whole else ""
        raise TriodiaError(f"{name} in {path} must hold whole numbers, got {value.dtype}{advice}.")
    if value.min() < low or value.max() > high:
        wrong = int(value.min() if value.min() < low else value.max())
        span = f"must be {low}" if low == high else f"must be between {low} and {high}"
        raise TriodiaError(f"{name} in {path} {span}, got {wrong}.")
    return value.astype(np.int64)
