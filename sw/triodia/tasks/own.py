"""Samples of one's own: an ``.npz`` file in place of a built-in task."""

from collections.abc import Callable, Iterable
from pathlib import Path
from zipfile import is_zipfile

import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image

from ..network.network import Network
from ..quantize.inference import evaluate_image
from ..train.loop import evaluate
from .catalog import Task
from .samples import TaskData, from_parts

__all__ = ["OWN_TASK", "compare_on", "labelled", "load_samples", "own_task", "silence"]

OWN_TASK = "own"  # name of the task of a network that came without one of ours
_UNLABELLED = -1


def load_samples(
    path: str | Path, *, inputs: int, classes: int, around: tuple[int, int] = (0, 0)
) -> TaskData:
    """``x`` (samples, steps, inputs), ``lengths`` and ``y`` (samples,) of an ``.npz`` file.

    ``lengths`` are all steps if they are not there, ``y`` (0..classes-1) -1. ``x_test``,
    ``lengths_test`` and ``y_test`` are the held-out part; without them it is the same samples.
    ``around``: steps of zeros that are put in front of every sample and behind it.

    Raises
    ------
    TriodiaError
        If the file cannot be read, or an array is missing or of the wrong shape or range.
    """
    return _data(path, _arrays(path), inputs, classes, around)


def own_task(path: str | Path, like: Network | None = None) -> Task:
    """The samples of a file as a task to train for, of as many inputs and classes as it has.

    With ``like`` of as many as that network has.

    Raises
    ------
    TriodiaError
        As ``load_samples``; and if a sample has no class, or there are more classes than samples.
    """
    arrays = _arrays(path)
    for name in ("y", "y_test"):
        if name not in arrays and name.replace("y", "x") in arrays:
            raise TriodiaError(f"{path} must hold {name}, a class for each sample, to train on it")
    known = [arrays[n] for n in ("y", "y_test") if n in arrays and arrays[n].dtype.kind in "iu"]
    classes = 1 + max((int(y.max()) for y in known if y.size), default=0)
    samples, *_, inputs = arrays["x"].shape if arrays["x"].ndim == 3 else (0, 0)
    if classes > samples > 0:
        raise TriodiaError(
            f"y of {path} must be classes numbered from 0; {classes - 1} is more than there are"
            " samples"
        )
    inputs, classes = (like.inputs, like.readouts) if like is not None else (inputs, classes)
    data = _data(path, arrays, inputs, classes)
    return Task(
        name=OWN_TASK,
        source=str(path),
        licence="the user's",
        shape=f"{len(data.y_train)} training samples of up to {data.x_train.shape[1]} steps",
        metric="accuracy",
        inputs=inputs,
        classes=classes,
        loader=lambda: data,
    )


def _arrays(path: str | Path) -> dict[str, np.ndarray]:
    path = Path(path)
    try:
        with path.open("rb") as content:  # numpy.load takes other kinds of file too
            if not is_zipfile(content):
                raise ValueError("it is of another kind")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name} in it is no array")
    except Exception as error:  # zip, every codec and numpy have errors of their own
        raise TriodiaError(
            f"{path} must be an .npz file of numpy arrays that can be read ({error});"
            " numpy.savez(path, x=x, y=y) writes one"
        ) from error
    if "x" not in arrays:
        found = ", ".join(arrays) or "nothing"
        raise TriodiaError(f"{path} must hold an array x (samples, steps, inputs); it has {found}")
    for name in ("lengths_test", "y_test"):
        if name in arrays and "x_test" not in arrays:
            raise TriodiaError(f"{path} holds {name} and no x_test; add it, or leave {name} out")
    return arrays


def _data(
    path: str | Path, arrays: dict, inputs: int, classes: int, around: tuple[int, int] = (0, 0)
) -> TaskData:
    train = _part(path, arrays, "", inputs, classes, around)
    held = _part(path, arrays, "_test", inputs, classes, around) if "x_test" in arrays else train
    return from_parts(train, held)


def _part(
    path: str | Path, arrays: dict, suffix: str, inputs: int, classes: int, around: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = arrays[f"x{suffix}"]
    if x.ndim != 3 or x.shape[2] != inputs or not x.size or x.dtype.kind not in "fiub":
        raise TriodiaError(
            f"x{suffix} of {path} must be numbers of shape (samples, steps, {inputs}), not"
            f" {x.dtype} of {x.shape}"
        )
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    if not np.all(np.isfinite(x)):
        raise TriodiaError(
            f"x{suffix} of {path} must be finite in float32; it holds NaN or infinity"
        )
    samples, steps, _ = x.shape
    lengths = _whole(path, arrays, f"lengths{suffix}", np.full(samples, steps), 1, steps)
    y = _whole(path, arrays, f"y{suffix}", np.full(samples, _UNLABELLED), 0, classes - 1)
    x = np.where((np.arange(steps) < lengths[:, None])[..., None], x, 0)
    padded = np.pad(x, ((0, 0), around, (0, 0)))
    return padded, lengths + sum(around), y


def _whole(
    path: str | Path, arrays: dict, name: str, default: np.ndarray, low: int, high: int
) -> np.ndarray:
    if name not in arrays:
        return default
    value = arrays[name]
    integer = value.dtype.kind in "iu"
    whole = integer and value.shape == default.shape
    if not whole or value.min() < low or value.max() > high:
        found = f"{value.min()}..{value.max()}" if whole else f"{value.dtype} of {value.shape}"
        span = f" in {low}..{high}" if integer else ""
        advice = f"; {name}.astype(int) makes them so" if value.dtype.kind in "fb" else ""
        raise TriodiaError(
            f"{name} of {path} must be {len(default)} whole numbers{span}, not {found}{advice}"
        )
    return value.astype(np.int64)


def labelled(data: TaskData) -> bool:
    """Whether the held-out samples have classes."""
    return bool(np.all(data.y_test >= 0))


def compare_on(
    net: Network, image: Image, data: TaskData, progress: Callable[[int, int], None] | None = None
) -> dict:
    """Metric of ``net`` and of its ``image`` on the held-out samples, None without classes.

    ``clipped`` is the part of all input values that the input's range cuts off.
    """
    integer = evaluate_image(image, data, progress=progress)
    known = labelled(data)
    valid = np.arange(data.x_test.shape[1]) < data.len_test[:, None]
    z = net.trained().coding.standardise(data.x_test[valid])
    return {
        "metric_float": evaluate(net, data)["accuracy"] if known else None,
        "metric_integer": integer["metric"] if known else None,
        "samples": integer["samples"],
        "rate": integer["rate"],
        "sops_per_sample": integer["sops_per_sample"],
        "clipped": float((np.abs(z) > net.trained().input_clip).mean()),
    }


def silence(provenance: Iterable[dict]) -> tuple[int, int]:
    """Steps without input that a network takes in front of a sample, and behind it to finish."""
    lead = delay = 0
    for step in provenance:
        if step.get("command") == "train":  # in our own time: what came before is over
            lead = delay = 0
        if step.get("command") == "import-nir":
            lead, delay = lead + step.get("lead", 0), delay + step.get("delay", 0)
    return lead, delay - lead
