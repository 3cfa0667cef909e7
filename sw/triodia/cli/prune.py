"""``prune``: Lyapunov Noise Pruning and its controls."""

from typing import Annotated

import typer

from ..network.files import load_network, save_network
from ..prune.criteria import Samples
from ..prune.options import read_choices
from ..prune.pipeline import delays_seen
from ..prune.pipeline import prune as prune_network
from ..tasks.own import chosen_task, usual_bin
from .console import Output
from .options import Bin, DataFile, Json, Method, NetworkFile, Out, Seed

__all__ = ["prune"]

_MEASURED = 1000  # most neurons that are measured unasked: it takes longer than to prune
_MEASURES = {
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
    synapses: Annotated[float, typer.Option(help="Fraction of the synapses to keep.")] = 0.5,
    nodes: Annotated[float, typer.Option(help="Fraction of the neurons to keep.")] = 1.0,
    method: Method = None,
    steps: Annotated[
        str, typer.Option(help="Steps of LNP, of I, II, III, IV and H, separated by commas.")
    ] = "I,II",
    loops: Annotated[
        int, typer.Option(help="Run the steps this often, each time keeping the same fraction.")
    ] = 1,
    even_lanes: Annotated[
        int | None,
        typer.Option(help="Also balance the synapses over this many PEs (step H).", min=1),
    ] = None,
    by_layer: Annotated[
        bool,
        typer.Option("--by-layer", help="Keep the same fraction of synapses from layer to layer."),
    ] = False,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An open choice of LNP as NAME=VALUE (docs/lnp.md); may be repeated."),
    ] = None,
    measures: Annotated[
        bool | None,
        typer.Option(
            "--measures/--no-measures",
            help="Measure before and after each step; default: up to 1,000 neurons.",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Task whose training samples snip, grasp and so on see.")
    ] = None,
    data: DataFile = None,
    bin: Bin = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Prune a network by Lyapunov Noise Pruning, a rival or a control."""
    show = Output(as_json)
    net = load_network(network)
    method = method or _usual(show, trains=task is not None or data is not None)
    show.note(f"Pruning {net.neurons:,} neurons and {net.synapses:,} synapses by {method}.")
    if net.delays and method != "none":
        show.note(_of_delays(net.delays[-1], method))
    options = _options(steps, even_lanes, option or [])
    if by_layer:
        options["by_layer"] = True
    options |= {"synapses": synapses, "nodes": nodes, "seed": seed, "loops": loops}
    if task is not None or data is not None:
        if bin is None and data is not None:
            bin = usual_bin(data, net.provenance)
        chosen = chosen_task(task, data, bin=bin)
        options["samples"] = Samples(chosen, chosen.load())
    measured = net.neurons <= _MEASURED if measures is None else measures
    pruned, report = prune_network(net, method=method, measured=measured, **options)
    dropped = sum(entry.get("unreachable", 0) for entry in report["passes"])
    if dropped:
        show.note(f"Dropped {dropped:,} neurons to keep: no synapse connects them to the rest.")
    save_network(pruned, output)
    data = {
        "method": method,
        "neurons_before": net.neurons,
        "neurons": pruned.neurons,
        "synapses_before": net.synapses,
        "synapses": pruned.synapses,
        "layers": [*pruned.layers],
        "file": str(output),
        "report": report,
    }
    show.result(data, title="Pruned network")
    if not measured and measures is None:
        show.note(f"Beyond {_MEASURED:,} neurons measures take minutes; `--measures` takes them.")
    if not as_json and measured and report["passes"]:
        rows = [_measured("before", report["passes"][0]["before"])]
        rows += [_measured(entry["step"], entry["after"]) for entry in report["passes"]]
        show.rows(data, rows, _MEASURES, title="Measures by step (explained in docs/lnp.md)")


def _of_delays(longest: int, method: str) -> str:
    """What ``method`` makes of synapses that wait, in two sentences."""
    how = "as they wait" if delays_seen(method) else "as if none did"
    return (
        f"Synapses of this network wait up to {longest} steps: {method} ranks synapses {how}, and"
        " measures take none into account. Synapses that stay keep their delays."
    )


def _usual(show: Output, *, trains: bool) -> str:
    """The method for someone who names none, by docs/pruning.md: the winner where it may train."""
    if trains:
        return "iterative-magnitude"
    show.note(
        "No method was named, so it is lnp. Without training no method is better everywhere; with"
        " `--task` or `--data`, iterative-magnitude keeps far more (docs/pruning.md)."
    )
    return "lnp"


def _options(steps: str, even_lanes: int | None, texts: list[str]) -> dict:
    chosen = tuple(step.strip() for step in steps.split(","))
    options = read_choices(texts)
    if even_lanes is not None:
        options["lanes"] = even_lanes
        chosen = chosen if "H" in chosen else (*chosen, "H")
    return options | {"steps": chosen}


def _measured(step: str, numbers: dict) -> dict:
    short = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in numbers.items()}
    return {"step": step} | short
