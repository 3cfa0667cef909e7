"""``tasks`` and ``new``: what networks are trained on, and untrained networks."""

from functools import partial
from typing import Annotated

import typer

from ..network.files import save_network
from ..network.random import new_network
from ..network.topologies import clustered_network
from ..tasks.catalog import TASKS
from .console import Output
from .options import Json, Out, Seed

__all__ = ["new", "tasks"]


def tasks(as_json: Json = False) -> None:
    """List the built-in tasks: source, licence, shape, metric."""
    keys = ("name", "source", "licence", "shape", "metric")
    rows = [{key: getattr(task, key) for key in keys} for task in TASKS.values()]
    shown = {"name": "task", "shape": "samples", "licence": "licence", "source": "source"}
    Output(as_json).rows({"tasks": rows}, rows, shown, title="Tasks")


def new(
    output: Out,
    neurons: Annotated[int, typer.Option(help="Recurrent neurons.", min=2)] = 256,
    seed: Seed = 0,
    density: Annotated[float, typer.Option(help="Fraction of all possible synapses.")] = 1.0,
    ei_ratio: Annotated[float, typer.Option(help="Fraction of excitatory neurons.")] = 0.8,
    tau_mean: Annotated[float, typer.Option(help="Mean membrane time constant, in steps.")] = 8.0,
    tau_shape: Annotated[float, typer.Option(help="Shape of its gamma distribution.")] = 3.0,
    tau_syn_mean: Annotated[
        float | None,
        typer.Option(help="Mean synaptic time constant, in steps; default: no synaptic current."),
    ] = None,
    refractory: Annotated[int, typer.Option(help="Refractory steps.", min=0, max=255)] = 0,
    gain: Annotated[float, typer.Option(help="Spread of a neuron's summed weights.")] = 1.0,
    reset: Annotated[str, typer.Option(help="subtract or zero.")] = "subtract",
    clusters: Annotated[
        int, typer.Option(help="Clusters of a small world; 1 makes no clusters.", min=1)
    ] = 1,
    rewire: Annotated[
        float, typer.Option(help="Fraction of a small world's synapses that are long.")
    ] = 0.1,
    tau_spread: Annotated[
        float,
        typer.Option(help="Slowest cluster's mean time constant over the fastest's."),
    ] = 4.0,
    as_json: Json = False,
) -> None:
    """Make a random recurrent network, dense or clustered, untrained."""
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
