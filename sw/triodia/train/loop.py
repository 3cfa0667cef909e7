"""Training by backpropagation through time with a surrogate gradient, on the fixed sparse graph."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import torch

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.catalog import Task, TaskData
from .attach import attach
from .checkpoint import Checkpoint, fingerprint
from .device import find_device, threads_for
from .links import pays
from .measure import evaluate
from .model import SpikingModel
from .settings import Settings
from .training import Training

__all__ = ["TrainReport", "settings_for", "train"]

_GRID_RATE = 0.3  # learning rates while weights lie on a grid, as a part of the usual ones


@dataclass(frozen=True)
class TrainReport:
    """What training did: final loss, and accuracy and rate on the training samples."""

    loss: float
    train: dict
    settings: dict
    history: list[dict] = field(default_factory=list)


def settings_for(task: Task, options: dict[str, object]) -> Settings:
    """``options`` over the task's recipe over the defaults.

    Raises
    ------
    TriodiaError
        If there is no such option, or a value is out of range.
    """
    unknown = set(options) - {f.name for f in fields(Settings)}
    if unknown:
        known = ", ".join(f.name for f in fields(Settings))
        raise TriodiaError(f"training options must be among {known}, not {min(unknown)!r}")
    return Settings(**{**task.recipe, **options})


def train(
    net: Network,
    task: Task,
    *,
    seed: int = 0,
    data: TaskData | None = None,
    progress: Callable[[dict], None] | None = None,
    device: str = "cpu",
    keep: bool = False,
    checkpoint: Path | None = None,
    **options: object,
) -> tuple[Network, TrainReport]:
    """Train ``net`` for ``task`` from random input and readout weights; its graph stays.

    With ``keep`` from those it has, which must be of ``task``: a network that was trained, then
    pruned, goes on.

    Adam on the cross entropy of the readouts' mean over valid steps, plus
    ``rate_cost * max(0, rate / target_rate - 1)^2`` and the neurons' mean of
    ``silent_cost * max(0, 1 - rate_i / (0.2 target_rate))^2``, one-cycle learning rate. The result
    is the running mean of the weights at the end; with ``validation``, that of the epoch which
    does best on the samples held out of training. With ``weight_bits``, ``grid_epochs`` more
    follow in which each neuron's weights lie on a grid (:mod:`triodia.train.grid`), which
    ``quantize`` then finds exactly. With ``learn_delays`` recurrent synapses learn how many steps
    they wait (:class:`triodia.train.delays.LearnedDelays`). ``options`` are the fields of
    ``Settings``; those not given are the task's recipe's, then the defaults. ``data`` replaces the
    task's own, to tune on folds.
    ``progress`` gets ``{"epoch", "epochs", "loss", "accuracy", "rate"}`` after each epoch.
    ``device`` is a name of ``device.find_device``. ``checkpoint``: a file that is kept while
    training; a call with the same arguments goes on from it. The same seed gives the same network
    on the same machine and device; the caller's torch random state is left as it was.
    """
    s, place = settings_for(task, options), find_device(device)
    data = task.load() if data is None else data
    layout = {"synapses": True} if pays(net) else {}  # weights are kept along them
    keeper = Checkpoint(checkpoint, fingerprint(net, data, asdict(s) | layout, seed, keep))
    split = data.held_out(s.validation, seed) if s.validation else None
    net = _trained_before(net, task) if keep else attach(net, task, split or data, seed, s)
    model = SpikingModel(net, slope=s.slope).to(place)
    gpu = [place] if place.type == "cuda" else []
    with torch.random.fork_rng(devices=gpu), threads_for(net.neurons):
        torch.manual_seed(seed)
        model.learn_delays(s.learn_delays)
        history = _fit(model, (split or data, split), s, progress, keeper)
    trained = model.network()
    measured = evaluate(trained, data, split="train", device=device)
    report = TrainReport(history[-1]["loss"], measured, asdict(s), history)
    step = {"command": "train", "task": task.name, "seed": seed, "keep": keep, **asdict(s)}
    if getattr(data.x_train, "bin", None) is not None:  # later commands bin their samples alike
        step["bin"] = data.x_train.bin
    step["measured"] = measured
    return trained.with_provenance(**step), report


def _trained_before(net: Network, task: Task) -> Network:
    if net.task != task.name:
        known = f"of {net.task}" if net.task else "of no task"
        raise TriodiaError(
            f"to go on, the network's inputs and readouts must be of {task.name}, they are {known};"
            " train it without keeping them"
        )
    return net


def _fit(
    model: SpikingModel,
    parts: tuple[TaskData, TaskData | None],
    s: Settings,
    progress: Callable[[dict], None] | None,
    keeper: Checkpoint,
) -> list[dict]:
    """Run all cycles of training on ``model``; return one entry per epoch."""
    cycles = [(s.epochs, 1.0, 0)]
    if s.weight_bits:
        cycles.append((max(1, round(s.grid_epochs * s.epochs)), _GRID_RATE, s.weight_bits))
    total, saved = sum(epochs for epochs, *_ in cycles), keeper.load()
    history = saved["history"] if saved else []
    for number, (epochs, rate, bits) in enumerate(cycles):
        if saved and number < saved["cycle"]:
            continue
        model.set_grid(bits)
        run = Training(model, parts[0], s, epochs=epochs, held=parts[1], rate=rate)
        if saved and number == saved["cycle"]:
            run.restore(saved["training"])
        while run.done < epochs:
            entry = {"epoch": len(history) + 1, "epochs": total} | run.epoch()
            history.append(entry)
            keeper.save({"cycle": number, "training": run.state(), "history": history})
            if progress is not None:
                progress(entry)
        run.finish()
    return history
