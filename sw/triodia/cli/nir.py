"""``import-nir`` and ``export-nir``: networks from and for other simulators."""

from typing import Annotated

import typer

from ..network.files import load_network, save_network
from ..nir import exporter, importer
from ..nir.neurons import RULES
from ..nir.settings import RESETS, SIMULATORS, SNNTORCH_DT, TIES, TIMINGS
from .console import Output
from .options import Json, NetworkFile, NirFile, Out

__all__ = ["export_nir", "import_nir"]


def import_nir(
    file: NirFile,
    output: Out,
    dt: Annotated[
        float | None, typer.Option(help="Seconds per step; needed if the file does not say.")
    ] = None,
    discretization: Annotated[
        str | None, typer.Option(help=f"{' or '.join(RULES)}; default: the file's, or euler.")
    ] = None,
    reset: Annotated[
        str | None, typer.Option(help=f"{' or '.join(RESETS)}; default: the file's, or zero.")
    ] = None,
    timing: Annotated[
        str | None,
        typer.Option(help=f"{' or '.join(TIMINGS)}: when a spike reaches another population."),
    ] = None,
    simulator: Annotated[
        str | None,
        typer.Option("--from", help=f"What wrote it: {', '.join(SIMULATORS)}."),
    ] = None,
    tie: Annotated[
        str | None,
        typer.Option(
            help=f"Spikes {' or '.join(TIES)} the threshold; default: the file's, or above."
        ),
    ] = None,
    membrane: Annotated[
        bool, typer.Option("--membrane", help="The last neurons never spike: read their potential.")
    ] = False,
    input_max: Annotated[float, typer.Option(help="Inputs are clipped to ± this value.")] = 4.0,
    as_json: Json = False,
) -> None:
    """Import another simulator's network from a NIR file."""
    show = Output(as_json)
    options = {"dt": dt, "discretization": discretization, "reset": reset, "timing": timing}
    options |= {"tie": tie, "simulator": simulator, "membrane": membrane}
    net = importer.import_nir(file, **options, input_max=input_max)
    save_network(net, output)
    step = net.provenance[-1]
    for sentence in step["approximated"]:
        show.note(sentence)
    shown = ("dt", "dt_from", "discretization", "reset", "reset_from", "timing", "delay", "lead")
    told = (
        "tie",
        "clock_neurons",
        "relay_neurons",
        "delays",
        "populations",
        "readout",
        "mapped",
        "approximated",
        "sha256",
    )
    result = {**net.counts(), **{key: step[key] for key in (*shown, *told)}, "file": str(output)}
    show.result(result, title="Imported network")


def export_nir(
    network: NetworkFile,
    output: Out,
    dt: Annotated[float, typer.Option(help="Seconds per step.")] = SNNTORCH_DT,
    discretization: Annotated[str, typer.Option(help=" or ".join(RULES[:2]))] = "euler",
    as_json: Json = False,
) -> None:
    """Export a network as a NIR file, which other simulators read."""
    show = Output(as_json)
    net = load_network(network)
    remarks = exporter.export_nir(net, output, dt=dt, discretization=discretization)
    for sentence in remarks:
        show.note(sentence)
    result = {"neurons": net.neurons, "synapses": net.synapses, "dt": dt, "remarks": remarks}
    result |= {"discretization": discretization, "reset": net.reset, "file": str(output)}
    show.result(result, title="NIR graph")
