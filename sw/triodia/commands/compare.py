"""``compare`` and ``demo``: the whole chain at several sparsity levels."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_sim.runner import find_simulator

from ..chain import ChainOptions
from ..compare import MACHINE_COLUMNS, NETWORK_COLUMNS
from ..compare import compare as run_comparison
from ..console import Output
from ..errors import CheckFailed, TriodiaError
from ..train import Settings
from .options import (
    BoardName,
    Folder,
    Json,
    Lanes,
    Method,
    Seed,
    SimulatorName,
    TaskName,
    WeightBits,
)

__all__ = ["register"]


def _show(options: ChainOptions, synapses: list[float], output: Path, as_json: bool) -> None:
    show = Output(as_json)
    find_simulator(options.simulator)
    data = run_comparison(options, synapses, output, progress=show.note)
    data["page"] = str(output / "index.html")
    if as_json:
        show.json(data)
    else:
        title = f"{options.task}, {options.method}: the network"
        show.rows(data, data["rows"], NETWORK_COLUMNS, title=title)
        title = f"The machine of {options.lanes} lanes on {options.board}"
        show.rows(data, data["rows"], MACHINE_COLUMNS, title=title)
        show.out.print(data["sentence"], highlight=False)
        show.out.print(f"Page: {data['page']}", highlight=False)
    if data["mismatches"]:
        raise CheckFailed(f"{data['mismatches']} words differ between hardware and reference")


def compare(
    output: Folder,
    task: TaskName = "japanese-vowels",
    synapses: Annotated[str, typer.Option(help="Fractions kept, by comma.")] = "1.0,0.5,0.2,0.1",
    nodes: Annotated[float, typer.Option(help="Part of the neurons kept.")] = 1.0,
    method: Method = "lnp",
    board: BoardName = "ulx3s-25f",
    neurons: Annotated[int, typer.Option(min=2)] = 128,
    weight_bits: WeightBits = 8,
    lanes: Lanes = 4,
    epochs: Annotated[int, typer.Option(min=1)] = Settings.epochs,
    target_rate: float = 0.05,
    samples: Annotated[int, typer.Option(help="Samples co-simulated.", min=1)] = 10,
    simulator: SimulatorName = "icarus",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare sparsity levels: the whole chain for each, as table, results.json and HTML page."""
    options = ChainOptions(
        task=task,
        neurons=neurons,
        method=method,
        nodes=nodes,
        weight_bits=weight_bits,
        lanes=lanes,
        board=board,
        epochs=epochs,
        target_rate=target_rate,
        samples=samples,
        simulator=simulator,
        seed=seed,
    )
    try:
        levels = [float(value) for value in synapses.split(",") if value.strip()]
    except ValueError:
        raise TriodiaError(f"synapses must be numbers by comma, not {synapses!r}") from None
    _show(options, levels, output, as_json)


def demo(
    output: Folder = Path("out/demo"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run everything on JapaneseVowels at four sparsity levels; ends in an HTML page."""
    _show(ChainOptions(seed=seed), [1.0, 0.5, 0.2, 0.1], output, as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (compare, demo):
        app.command()(command)
