"""The user's own samples: a file or folder in place of a built-in task."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image

from ..network.network import Network
from .catalog import Task, get_task
from .events import EventSamples
from .npz import read_arrays, read_samples
from .recipe import SHD, recipe_for
from .recordings import (
    cochlea,
    event_samples,
    event_task_data,
    holds_events,
    read_recordings,
    usual_bin,
)
from .samples import TaskData

__all__ = [
    "OWN_TASK",
    "chosen_task",
    "doubts",
    "image_samples",
    "labelled",
    "load_samples",
    "own_task",
    "silence",
    "sizes",
    "task_of",
    "usual_bin",
]

OWN_TASK = "own"  # task name of a network trained on the user's own samples


def load_samples(
    path: str | Path,
    *,
    inputs: int,
    classes: int,
    around: tuple[int, int] = (0, 0),
    bin: float | None = None,
) -> TaskData:
    """Load samples from a file for a network of ``inputs`` and ``classes``.

    A file or folder of events is read by :func:`~.recordings.event_samples`, with steps of ``bin``
    in the unit of its times. An ``.npz`` file holds ``x`` (samples, steps, inputs) and optionally
    ``lengths`` and ``y`` (samples,). ``lengths`` default to all steps, ``y`` (0 to
    ``classes - 1``) to -1. ``x_test``, ``lengths_test`` and ``y_test`` hold the held-out part, by
    default the same samples. ``around``: steps of zeros to add before and after every sample.

    Raises
    ------
    TriodiaError
        If the file cannot be read, or an array is missing or of the wrong shape or range.
    """
    if holds_events(Path(path)):
        return event_samples(Path(path), inputs, classes, around, bin)
    _check_no_bin(path, bin)
    return read_samples(path, read_arrays(path), inputs, classes, around)


def own_task(path: str | Path, like: Network | None = None, bin: float | None = None) -> Task:
    """Make a task from the samples of a file or folder.

    The task has the inputs and classes of the network ``like``, or those found in the samples.
    ``bin`` is the length of a step where the file has the times of events.

    Raises
    ------
    TriodiaError
        As ``load_samples``; and if a sample has no class, or there are more classes than samples.
    """
    if holds_events(Path(path)):
        return _event_task(Path(path), like, bin)
    _check_no_bin(path, bin)
    arrays = read_arrays(path)
    for name in ("y", "y_test"):
        if name not in arrays and name.replace("y", "x") in arrays:
            raise TriodiaError(f"{path} has no array {name}; training needs a class per sample.")
    inputs = like.inputs if like is not None else arrays["x"].shape[2]
    classes = like.readouts if like is not None else _classes(path, arrays)
    return task_of(str(path), read_samples(path, arrays, inputs, classes), classes)


def task_of(
    source: str, data: TaskData, classes: int | None = None, recipe: dict | None = None
) -> Task:
    """A task of ``data``; ``classes`` by default as its labels say, ``recipe`` as it suits them."""
    return Task(
        name=OWN_TASK,
        source=source,
        licence="the user's",
        shape=f"{len(data.y_train)} training samples of up to {data.x_train.shape[1]} steps",
        metric="accuracy",
        inputs=data.x_train.shape[2],
        classes=data.classes if classes is None else classes,
        loader=lambda: data,
        recipe=recipe_for(data) if recipe is None else recipe,
    )


def _event_task(path: Path, like: Network | None, bin: float | None) -> Task:
    recipe = SHD if cochlea(path) else None
    if like is None:
        data = event_task_data(str(path), *read_recordings(path, bin))
        return task_of(str(path), data, recipe=recipe)
    known = usual_bin(path, like.provenance) if bin is None else bin
    shape = {"inputs": like.inputs, "classes": like.readouts}
    data = load_samples(path, **shape, bin=known)
    for y in (data.y_train, data.y_test):
        if y.min() < 0:
            raise TriodiaError(f"{path} must have a class of 0 or more for every sample.")
    return task_of(str(path), data, like.readouts, recipe)


def _check_no_bin(path: str | Path, bin: float | None) -> None:
    if bin is not None:
        raise TriodiaError(f"`--bin` is for events with times, and {path} holds none.")


def chosen_task(
    name: str | None, own: Path | None, like: Network | None = None, bin: float | None = None
) -> Task:
    """The built-in task called ``name`` (JapaneseVowels if None), or that of the file ``own``.

    Raises
    ------
    TriodiaError
        If both are given, if there is no such task, and as ``own_task``.
    """
    if own is None:
        if bin is not None:
            raise TriodiaError("`--bin` is for events with times; pass them with `--data`.")
        return get_task(name or "japanese-vowels")
    if name is not None:
        raise TriodiaError("`--task` and `--data` exclude each other; pass one of them.")
    return own_task(own, like, bin)


def _classes(path: str | Path, arrays: dict[str, np.ndarray]) -> int:
    """Classes of the labels: one more than the greatest."""
    known = [arrays[n] for n in ("y", "y_test") if n in arrays and arrays[n].dtype.kind in "iu"]
    classes = max((int(y.max()) + 1 for y in known if y.size), default=1)
    if classes > len(arrays["x"]) > 0:
        raise TriodiaError(
            f"y in {path} goes up to {classes - 1}, but there are only {len(arrays['x'])} samples."
            " Number the classes from 0."
        )
    return max(classes, 1)


def image_samples(
    image: Image, task: str | None = None, own: Path | None = None, bin: float | None = None
) -> TaskData:
    """Samples for ``image``: from the file ``own``, else from the task it was trained for.

    ``bin`` is the length of a step of events, by default that of training.

    Raises
    ------
    TriodiaError
        If ``task`` is not the image's, if this image needs a file, and as ``load_samples``.
    """
    trained = image.meta.get("task")
    if own is not None:
        around = silence(image.meta.get("provenance", ()))
        shape = {"inputs": image.params.inputs, "classes": len(image.readouts)}
        bin = usual_bin(own, image.meta.get("provenance", ())) if bin is None else bin
        return load_samples(own, **shape, around=around, bin=bin)
    if trained == OWN_TASK:
        raise TriodiaError(f"{_origin(image)}. Pass samples with `--data FILE.npz`.")
    if trained is None:
        raise TriodiaError("This image names no task. Pass samples with `--data FILE.npz`.")
    if task is not None and get_task(task).name != trained:
        raise TriodiaError(
            f"This image was trained for {trained}, not for {task}. Leave out `--task`, or train a"
            f" network for {task}."
        )
    return get_task(trained).load()


def _origin(image: Image) -> str:
    """Reason why an image has no built-in task."""
    commands = [step.get("command") for step in image.meta.get("provenance", ())]
    if "train" in commands:
        return "This image was trained on samples of your own (`triodia train --data`)"
    return "This image comes from an imported network, which has no built-in task"


def labelled(data: TaskData) -> bool:
    """Whether all held-out samples have labels."""
    return bool(np.all(data.y_test >= 0))


def sizes(task: Task, data: TaskData) -> str:
    """Summary of ``data`` in one line."""
    samples, steps, inputs = data.x_train.shape
    held = "" if data.x_test is data.x_train else f" and {len(data.x_test):,} test"
    return (
        f"{samples:,} training{held} samples x {_count(steps, 'step')} x {_count(inputs, 'input')},"
        f" {_count(task.classes, 'class', 'es')}"
    )


def _count(number: int, noun: str, ending: str = "s") -> str:
    return f"{number:,} {noun}{ending if number != 1 else ''}"


def doubts(data: TaskData, classes: int) -> list[str]:
    """Warnings about likely mistakes in usable ``data``, one sentence each."""
    empty = sorted(set(range(classes)) - set(data.y_train.tolist()))
    found = []
    if empty:
        names = ", ".join(map(str, empty[:5])) + (", …" if len(empty) > 5 else "")
        plural = "classes" if len(empty) > 1 else "class"
        found.append(
            f"No training sample has {plural} {names}, so {len(empty)} of {classes} readouts stay"
            " unused. Number the classes from 0 without gaps."
        )
    if not isinstance(data.x_train, EventSamples) and _looks_transposed(data.x_train):
        _, steps, inputs = data.x_train.shape
        found.append(
            f"x has {steps} steps of {inputs} inputs, and varies more from step to step than from"
            " input to input. If its axes are (samples, inputs, steps), swap the last two."
        )
    return found


def _looks_transposed(x: np.ndarray) -> bool:
    """Whether the last axis looks like time: longer and far smoother than the other."""
    _, steps, inputs = x.shape
    if inputs <= steps or steps < 2:
        return False
    some = x[:200].astype(np.float64)
    over_steps = np.mean(np.diff(some, axis=1) ** 2)
    return bool(np.mean(np.diff(some, axis=2) ** 2) < 0.25 * over_steps)


def silence(provenance: Iterable[dict]) -> tuple[int, int]:
    """Silent steps that a network needs before and after each sample."""
    lead = delay = 0
    for step in provenance:
        if step.get("command") == "train":  # in our own time: what came before is over
            lead = delay = 0
        if step.get("command") == "import-nir":
            lead, delay = lead + step.get("lead", 0), delay + step.get("delay", 0)
    return lead, delay - lead
