"""The user's own samples: an ``.npz`` file in place of a built-in task."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image

from ..network.network import Network
from .catalog import Task, get_task
from .npz import read_arrays, read_samples
from .recipe import recipe_for
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
]

OWN_TASK = "own"  # task name of a network trained on the user's own samples


def load_samples(
    path: str | Path, *, inputs: int, classes: int, around: tuple[int, int] = (0, 0)
) -> TaskData:
    """Load samples from an ``.npz`` file for a network of ``inputs`` and ``classes``.

    The file holds ``x`` (samples, steps, inputs) and optionally ``lengths`` and ``y`` (samples,).
    ``lengths`` default to all steps, ``y`` (0 to ``classes - 1``) to -1. ``x_test``,
    ``lengths_test`` and ``y_test`` hold the held-out part, by default the same samples. ``around``:
    steps of zeros to add before and after every sample.

    Raises
    ------
    TriodiaError
        If the file cannot be read, or an array is missing or of the wrong shape or range.
    """
    return read_samples(path, read_arrays(path), inputs, classes, around)


def own_task(path: str | Path, like: Network | None = None) -> Task:
    """Make a task from the samples of a file.

    The task has the inputs and classes of the network ``like``, or those found in the samples.

    Raises
    ------
    TriodiaError
        As ``load_samples``; and if a sample has no class, or there are more classes than samples.
    """
    arrays = read_arrays(path)
    for name in ("y", "y_test"):
        if name not in arrays and name.replace("y", "x") in arrays:
            raise TriodiaError(f"{path} has no array {name}; training needs a class per sample.")
    inputs = like.inputs if like is not None else arrays["x"].shape[2]
    classes = like.readouts if like is not None else _classes(path, arrays)
    data = read_samples(path, arrays, inputs, classes)
    return Task(
        name=OWN_TASK,
        source=str(path),
        licence="the user's",
        shape=f"{len(data.y_train)} training samples of up to {data.x_train.shape[1]} steps",
        metric="accuracy",
        inputs=inputs,
        classes=classes,
        loader=lambda: data,
        recipe=recipe_for(data),
    )


def chosen_task(name: str | None, own: Path | None, like: Network | None = None) -> Task:
    """The built-in task called ``name`` (JapaneseVowels if None), or that of the file ``own``.

    Raises
    ------
    TriodiaError
        If both are given, if there is no such task, and as ``own_task``.
    """
    if own is None:
        return get_task(name or "japanese-vowels")
    if name is not None:
        raise TriodiaError("`--task` and `--data` exclude each other; pass one of them.")
    return own_task(own, like)


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


def image_samples(image: Image, task: str | None = None, own: Path | None = None) -> TaskData:
    """Samples for ``image``: from the file ``own``, else from the task it was trained for.

    Raises
    ------
    TriodiaError
        If ``task`` is not the image's, if this image needs a file, and as ``load_samples``.
    """
    trained = image.meta.get("task")
    if own is not None:
        around = silence(image.meta.get("provenance", ()))
        shape = {"inputs": image.params.inputs, "classes": len(image.readouts)}
        return load_samples(own, **shape, around=around)
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
    if _looks_transposed(data.x_train):
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
