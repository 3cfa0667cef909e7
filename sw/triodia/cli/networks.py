"""``tasks``, ``new``, ``prune`` and ``train``: everything up to a trained network."""

from functools import partial
from typing import Annotated

import typer

from ..network.files import load_network, save_network
from ..network.random import new_network
from ..network.topologies import clustered_network
from ..prune.options import read_choices
from ..prune.pipeline import prune as prune_network
from ..tasks.catalog import TASKS, get_task
from ..tasks.own import own_task
from ..train.device import find_device
from ..train.loop import evaluate
from ..train.loop import train as train_network
from .console import Output
from .options import (
    DataFile,
    Device,
    Json,
    Method,
    NetworkFile,
    Out,
    Seed,
    TaskName,
)

__all__ = ["register"]


def tasks(as_json: Json = False) -> None:
    """List the tasks: source, licence, shape, metric."""
    rows = [
        {key: getattr(t, key) for key in ("name", "source", "licence", "shape", "metric")}
        for t in TASKS.values()
    ]
    columns = {key: key for key in rows[0]}
    Output(as_json).rows({"tasks": rows}, rows, columns, title="Tasks")


def new(
    output: Out,
    neurons: Annotated[int, typer.Option(help="Recurrent neurons.", min=2)] = 256,
    seed: Seed = 0,
    density: Annotated[float, typer.Option(help="Part of all recurrent synapses.")] = 1.0,
    ei_ratio: Annotated[float, typer.Option(help="Part of the neurons that excite.")] = 0.8,
    tau_mean: Annotated[float, typer.Option(help="Mean membrane time constant, steps.")] = 8.0,
    tau_shape: Annotated[float, typer.Option(help="Shape of its gamma distribution.")] = 3.0,
    tau_syn_mean: Annotated[
        float | None, typer.Option(help="Mean synaptic time constant; none: no such current.")
    ] = None,
    refractory: Annotated[int, typer.Option(help="Refractory steps.", min=0, max=255)] = 0,
    gain: Annotated[float, typer.Option(help="Spread of a neuron's summed weights.")] = 1.0,
    reset: Annotated[str, typer.Option(help="subtract or zero.")] = "subtract",
    clusters: Annotated[
        int, typer.Option(help="Clusters of a small world, a tau law each; 1: none.", min=1)
    ] = 1,
    rewire: Annotated[float, typer.Option(help="Part of a small world's long synapses.")] = 0.1,
    tau_spread: Annotated[float, typer.Option(help="Largest over least mean of clusters.")] = 4.0,
    as_json: Json = False,
) -> None:
    """Make a random heterogeneous recurrent network, untrained: dense, or clustered."""
    structure = {"clusters": clusters, "rewire": rewire, "tau_spread": tau_spread}
    make = new_network if clusters == 1 else partial(clustered_network, **structure)
    net = make(
        neurons,
        seed,
        density=density,
        ei_ratio=ei_ratio,
        tau_mean=tau_mean,
        tau_shape=tau_shape,
        tau_syn_mean=tau_syn_mean,
        refractory=refractory,
        gain=gain,
        reset=reset,
    )
    save_network(net, output)
    data = {"neurons": net.neurons, "synapses": net.synapses, "seed": seed, "file": str(output)}
    Output(as_json).result(data, title="New network")


_MEASURES = {  # columns narrow enough for 80 characters
    "step": "step",
    "neurons": "N",
    "synapses": "synapses",
    "largest_exponent": "λ max",
    "localisation": "N⟨IPR⟩",
    "algebraic_connectivity": "connect.",
    "stability_margin": "margin",
    "spectral_error": "error",
}


def prune(
    network: NetworkFile,
    output: Out,
    synapses: Annotated[float, typer.Option(help="Part of the synapses kept.")] = 0.5,
    nodes: Annotated[float, typer.Option(help="Part of the neurons kept.")] = 1.0,
    method: Method = "lnp",
    steps: Annotated[str, typer.Option(help="Steps of LNP, by comma.")] = "I,II",
    even_lanes: Annotated[
        int | None,
        typer.Option(help="Step H too: synapses even over so many PEs of the machine.", min=1),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An open choice as NAME=VALUE (docs/lnp.md); can be repeated."),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Prune a network, without any task: Lyapunov Noise Pruning or a control."""
    show = Output(as_json)
    net = load_network(network)
    show.note(f"pruning {net.neurons} neurons, {net.synapses:,} synapses by {method}")
    chosen = tuple(step.strip() for step in steps.split(","))
    options = read_choices(option or ())
    options |= {} if even_lanes is None else {"lanes": even_lanes}
    if even_lanes is not None and "H" not in chosen:
        chosen = (*chosen, "H")
    options |= {"synapses": synapses, "nodes": nodes, "seed": seed, "steps": chosen}
    pruned, report = prune_network(net, method=method, measured=True, **options)
    save_network(pruned, output)
    data = {
        "method": method,
        "neurons_before": net.neurons,
        "neurons": pruned.neurons,
        "synapses_before": net.synapses,
        "synapses": pruned.synapses,
        "file": str(output),
        "report": report,
    }
    show.result(data, title="Pruned network")
    if not as_json and report["passes"]:
        rows = [_measured("before", report["passes"][0]["before"])]
        rows += [_measured(entry["step"], entry["after"]) for entry in report["passes"]]
        show.rows(data, rows, _MEASURES, title="By step (docs/lnp.md says what each is)")


def _measured(step: str, numbers: dict) -> dict:
    short = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in numbers.items()}
    return {"step": step} | short


def train(
    network: NetworkFile,
    output: Out,
    task: TaskName = "japanese-vowels",
    epochs: Annotated[
        int | None, typer.Option(help="Default: the task's recipe, else 100.", min=1)
    ] = None,
    target_rate: Annotated[
        float | None,
        typer.Option(help="Mean spikes a neuron and step that the loss allows; else 0.05."),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Samples an update; else 27.", min=1)] = None,
    lr: Annotated[float | None, typer.Option(help="Largest learning rate; else 0.02.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on from the inputs and readouts it has.")
    ] = False,
    data: DataFile = None,
    seed: Seed = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Train a network's weights on its fixed sparse graph; report the test metric."""
    show = Output(as_json)
    find_device(device)  # refused before data is read
    net = load_network(network)
    chosen = own_task(data, net if keep else None) if data is not None else get_task(task)
    given = {"epochs": epochs, "target_rate": target_rate, "batch": batch, "lr": lr}
    samples = chosen.load()
    if samples.x_test is samples.x_train:
        show.note(f"{data} has no x_test: the metric is of the samples trained on")
    with show.bar("training") as bar:
        trained, report = train_network(
            net,
            chosen,
            data=samples,
            seed=seed,
            device=device,
            keep=keep,
            progress=lambda e: bar(
                e["epoch"], e["epochs"], f"loss {e['loss']:.3f} rate {e['rate']:.3f}"
            ),
            **{name: value for name, value in given.items() if value is not None},
        )
    measured = evaluate(trained, samples, device=device)
    tested = trained.with_provenance(command="test", task=chosen.name, measured=measured)
    save_network(tested, output)
    result = {"task": chosen.name, "metric_name": chosen.metric, "metric": measured["accuracy"]}
    result |= {"rate": measured["rate"], "sops_per_sample": measured["sops"]}
    result |= {"loss": report.loss, "train_metric": report.train["accuracy"]}
    result |= {"epochs": report.settings["epochs"], "device": str(find_device(device))}
    show.result(result | {"seed": seed, "file": str(output)}, title="Trained network")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (tasks, new, prune, train):
        app.command()(command)
