"""``train``: the weights of a network, for a task or for the user's own samples."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import TriodiaError

from ..network.files import load_network, save_network
from ..network.network import Network
from ..prune.options import read_choices
from ..tasks.catalog import Task, TaskData, get_task
from ..tasks.own import doubts, own_task, sizes
from ..train.device import find_device
from ..train.loop import Settings, TrainReport, evaluate
from ..train.loop import train as train_network
from .console import Output
from .options import DataFile, Device, Json, NetworkFile, Out, Seed

__all__ = ["train"]

_FITTED = 0.9  # training accuracy below which the user is told


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
    keep: Annotated[
        bool, typer.Option("--keep", help="Start from the inputs and readouts the network has.")
    ] = False,
    choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A training setting as NAME=VALUE, such as noise=0; can be repeated."
        ),
    ] = None,
    data: DataFile = None,
    seed: Seed = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Train the weights of a network on its sparse graph."""
    show = Output(as_json)
    find_device(device)  # refused before data is read
    net = load_network(network)
    chosen = _chosen(task, data, net if keep else None)
    given = {"epochs": epochs, "target_rate": target_rate, "batch": batch, "lr": lr}
    options = read_choices(choices or (), vars(Settings()))
    options |= {name: value for name, value in given.items() if value is not None}
    samples = chosen.load()
    _describe(show, chosen, samples)
    trained, report = _trained(
        show, net, chosen, data=samples, seed=seed, device=device, keep=keep, **options
    )
    if report.train["accuracy"] < _FITTED:
        show.note(
            f"Warning: only {report.train['accuracy']:.0%} of the training samples are fitted."
            " Try more `--epochs`, less noise (`--set noise=0 --set shift=0`), or more neurons."
        )
    measured = evaluate(trained, samples, device=device)
    tested = trained.with_provenance(command="test", task=chosen.name, measured=measured)
    save_network(tested, output)
    result = {"task": chosen.name, "metric_name": chosen.metric, "metric": measured["accuracy"]}
    result |= {"rate": measured["rate"], "sops_per_sample": measured["sops"]}
    result |= {"loss": report.loss, "train_metric": report.train["accuracy"]}
    result |= {"epochs": report.settings["epochs"], "device": str(find_device(device))}
    show.result(result | {"seed": seed, "file": str(output)}, title="Trained network")


def _chosen(task: str | None, data: Path | None, kept: Network | None) -> Task:
    """The task named, or the user's own samples."""
    if data is None:
        return get_task(task or "japanese-vowels")
    if task is not None:
        raise TriodiaError("`--task` and `--data` exclude each other; pass one of them.")
    return own_task(data, kept)


def _describe(show: Output, task: Task, samples: TaskData) -> None:
    show.note(f"{task.name}: {sizes(task, samples)}")
    if samples.x_test is samples.x_train:
        show.note("There is no x_test, so the metric is measured on the training samples.")
    for sentence in doubts(samples, task.classes):
        show.note(f"Warning: {sentence}")


def _trained(
    show: Output, net: Network, task: Task, **options: object
) -> tuple[Network, TrainReport]:
    with show.bar("Training") as bar:
        return train_network(
            net,
            task,
            progress=lambda e: bar(
                e["epoch"], e["epochs"], f"loss {e['loss']:.3f}, rate {e['rate']:.3f}"
            ),
            **options,
        )
