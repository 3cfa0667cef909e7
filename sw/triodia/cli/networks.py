"""``tasks`` and ``new``: what networks are trained on, and untrained networks."""

from typing import Annotated

import numpy as np
import typer

from triodia_hw.errors import TriodiaError

from ..network.files import save_network
from ..network.random import JUMP, TAU_ADAPT, new_network
from ..network.topologies import clustered_network
from ..tasks.catalog import TASKS
from .console import Output
from .options import Json, Out, Seed, numbers

__all__ = ["new", "tasks"]


def tasks(as_json: Json = False) -> None:
    """List the built-in tasks: source, licence, shape, metric."""
    keys = ("name", "source", "licence", "shape", "metric")
    rows = [{key: getattr(task, key) for key in keys} for task in TASKS.values()]
    shown = {"name": "task", "shape": "samples", "licence": "licence", "source": "source"}
    Output(as_json).rows({"tasks": rows}, rows, shown, title="Tasks")


def new(
    output: Out,
    neurons: Annotated[
        int | None, typer.Option(help="Recurrent neurons; default 256.", min=2)
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Neurons of each layer, as 256,128; inputs reach the first."),
    ] = None,
    recurrent: Annotated[
        str | None,
        typer.Option(help="Which layers are recurrent, as 1,0; default: all."),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(help="Also join a layer to a later one, as 0-2; can be repeated."),
    ] = None,
    seed: Seed = 0,
    density: Annotated[
        str, typer.Option(help="Fraction of all possible synapses; a list has one per layer.")
    ] = "1.0",
    ei_ratio: Annotated[float, typer.Option(help="Fraction of excitatory neurons.")] = 0.8,
    tau_mean: Annotated[
        str, typer.Option(help="Mean membrane time constant in steps, or one per layer, as 8,4.")
    ] = "8.0",
    tau_shape: Annotated[float, typer.Option(help="Shape of its gamma distribution.")] = 3.0,
    tau_syn_mean: Annotated[
        str | None,
        typer.Option(help="Mean synaptic time constant in steps; default: no synaptic current."),
    ] = None,
    refractory: Annotated[str, typer.Option(help="Refractory steps, up to 255.")] = "0",
    adaptive: Annotated[
        str, typer.Option(help="Fraction of neurons whose spikes raise their threshold.")
    ] = "0",
    tau_adapt: Annotated[
        str | None,
        typer.Option(help=f"Time constant of that rise in steps; default {TAU_ADAPT:g}."),
    ] = None,
    jump: Annotated[
        str | None, typer.Option(help=f"Rise per spike, in thresholds; default {JUMP:g}.")
    ] = None,
    max_delay: Annotated[
        int, typer.Option(help="Longest delay of a recurrent synapse in steps, up to 63.")
    ] = 0,
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
    """Make a random network, in layers, clustered or whole, untrained."""
    options = {"ei_ratio": ei_ratio, "tau_shape": tau_shape, "gain": gain, "reset": reset}
    options |= {"density": _values(density, float, "density")}
    options |= {"tau_mean": _values(tau_mean, float, "tau_mean")}
    options |= {"refractory": _refractory(refractory)}
    if tau_syn_mean is not None:
        options["tau_syn_mean"] = _values(tau_syn_mean, float, "tau_syn_mean")
    options |= _adaptation(adaptive, tau_adapt, jump)
    options |= {"max_delay": max_delay} if max_delay else {}
    if clusters > 1:
        if layers is not None:
            raise TriodiaError("`--clusters` and `--layers` exclude each other; leave one out.")
        structure = {"clusters": clusters, "rewire": rewire, "tau_spread": tau_spread}
        net = clustered_network(neurons or 256, seed, **structure, **options)
    else:
        options |= _layers(layers, recurrent, skip or [])
        size = 256 if neurons is None and layers is None else neurons
        net = new_network(size, seed, **options)
    save_network(net, output)
    data = {"neurons": net.neurons, "synapses": net.synapses, "seed": seed, "file": str(output)}
    show = Output(as_json)
    adapting = int(np.count_nonzero(net.jump)) if net.adaptive else 0
    data |= {"layers": [*net.layers], "adaptive_neurons": adapting, "delays": [*net.delays]}
    quiet = {"adaptive_neurons": adapting, "delays": net.delays}
    show.result(data, title="New network", hide=[name for name, some in quiet.items() if not some])
    if net.depth > 1:
        show.say(f"Layers: {', '.join(map(str, net.layers))}")


def _layers(layers: str | None, recurrent: str | None, skips: list[str]) -> dict[str, object]:
    """Options of ``new_network`` for the layers that were asked for."""
    found: dict[str, object] = {"skips": [_skip(text) for text in skips]}
    if layers is not None:
        found["layers"] = numbers(layers, int, "layers")
    if recurrent is not None:
        found["recurrent"] = numbers(recurrent, int, "recurrent")
        if not {0, 1}.issuperset(found["recurrent"]):
            raise TriodiaError(f"`--recurrent` must be 0 or 1 for each layer, got {recurrent}.")
    return found


def _adaptation(adaptive: str, tau_adapt: str | None, jump: str | None) -> dict[str, object]:
    """Options of ``new_network`` for neurons that adapt; none if none shall."""
    given = {"tau_adapt": tau_adapt, "jump": jump}
    found = {name: _values(text, float, name) for name, text in given.items() if text is not None}
    share = _values(adaptive, float, "adaptive")
    if np.any(share):
        return {"adaptive": share} | found
    if found:
        option = next(iter(found)).replace("_", "-")
        raise TriodiaError(
            f"`--{option}` is of neurons that adapt; say which fraction does (`--adaptive 1`)."
        )
    return {}


def _skip(text: str) -> tuple[int, int]:
    source, sign, target = text.partition("-")
    if not (sign and source.isdecimal() and target.isdecimal()):
        raise TriodiaError(f"`--skip` must be two layers as 0-2, got {text}.")
    return int(source), int(target)


def _values(text: str, kind: type, name: str) -> object:
    """One value for all layers, or a list with one per layer."""
    found = numbers(text, kind, name)
    if not found:
        raise TriodiaError(f"`--{name.replace('_', '-')}` must be a number, got {text!r}.")
    return found[0] if len(found) == 1 else found


def _refractory(text: str) -> int | list[int]:
    found = _values(text, int, "refractory")
    worst = [v for v in ([found] if isinstance(found, int) else found) if not 0 <= v <= 255]
    if worst:
        raise TriodiaError(f"`--refractory` must be between 0 and 255, got {worst[0]}.")
    return found
