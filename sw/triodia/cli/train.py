"""``train``: the weights of a network, for a task or for the user's own samples."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import TriodiaError

from ..network.files import load_network
from ..prune.options import read_choices
from ..tasks.catalog import Task, TaskData
from ..tasks.own import chosen_task, doubts, sizes
from ..train.device import find_device
from ..train.settings import Settings
from .console import Output
from .options import Bin, DataFile, Device, Json, NetworkFile, Out, Seed, a_folder, writable
from .train_runs import Diary, run_all, search

__all__ = ["train"]


def _file(path: Path | None) -> Path | None:
    return None if path is None else writable(path)


def train(
    network: NetworkFile,
    output: Out,
    task: Annotated[
        str | None,
        typer.Option(help="Task; `triodia tasks` lists them.", show_default="japanese-vowels"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Default: what the task or your samples need.", min=1),
    ] = None,
    target_rate: Annotated[
        float | None,
        typer.Option(help="Mean spikes per neuron and step to aim for; default 0.05."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Samples per update; default 27.", min=1)
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate; default 0.02.")] = None,
    weight_bits: Annotated[
        int | None,
        typer.Option(
            help="Train for weights of so few bits; `quantize` then loses nothing.", min=2, max=16
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(help="Part of the training samples that chooses the best epoch, as 0.2."),
    ] = None,
    learn_delays: Annotated[
        int | None,
        typer.Option(help="Let recurrent synapses learn to wait, at most so many steps.", min=1),
    ] = None,
    sparse: Annotated[
        str | None,
        typer.Option(help="Move synapses while training, their number stays: rigl or deep-r."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Start from the inputs and readouts the network has.")
    ] = False,
    choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A training setting as NAME=VALUE, such as noise=0; can be repeated."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--tune", help="Search settings for so many MINUTES on folds first.", min=0.01
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(help="Train with so many seeds; report mean and interval.", min=1, max=100),
    ] = 1,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Keep the state in this file; the same command goes on from it.", callback=_file
        ),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Write a line per epoch to this CSV file.", callback=_file)
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(help="Write TensorBoard's events to this folder.", callback=a_folder),
    ] = None,
    data: DataFile = None,
    bin: Bin = None,
    seed: Seed = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Train the weights of a network on its sparse graph."""
    show = Output(as_json)
    find_device(device)  # refused before data is read
    if checkpoint is not None and seeds > 1:
        raise TriodiaError("`--checkpoint` keeps one training; leave out `--seeds`.")
    net = load_network(network)
    chosen = chosen_task(task, data, net if keep else None, bin)
    given = {"epochs": epochs, "target_rate": target_rate, "batch": batch, "lr": lr}
    given |= {"weight_bits": weight_bits, "validation": validation, "sparse": sparse}
    given |= {"learn_delays": learn_delays}
    options = read_choices(choices or (), vars(Settings()))
    options |= {name: value for name, value in given.items() if value is not None}
    samples = chosen.load()
    _describe(show, chosen, samples)
    how = {"device": device, "keep": keep}
    if minutes is not None:
        options |= search(show, net, chosen, samples, minutes, seed, keep, options)
    diary = Diary(checkpoint, log, tensorboard)
    result = run_all(
        show, net, chosen, samples, range(seed, seed + seeds), output, diary, **how, **options
    )
    show.result(result, title="Trained network", hide=("by_seed", "settings"))


def _describe(show: Output, task: Task, samples: TaskData) -> None:
    show.note(f"{task.name}: {sizes(task, samples)}")
    if samples.x_test is samples.x_train:
        show.note("There is no x_test, so the metric is measured on the training samples.")
    for sentence in doubts(samples, task.classes):
        show.note(f"Warning: {sentence}")
