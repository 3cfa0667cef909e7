"""``compare`` and ``demo``: the whole chain over a grid of choices."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from triodia_boards.catalog import BOARDS
from triodia_hw.errors import CheckFailed, TriodiaError
from triodia_sim.simulators import find_simulator

from ..lab.compare import compare as run_comparison
from ..lab.grid import Cell, grid
from ..lab.rows import MACHINE, NETWORK, pick, texts
from ..prune.pipeline import METHODS
from ..train.loop import Settings
from .console import Output
from .options import Folder, Json, Seed, SimulatorName

__all__ = ["register", "values"]

_METHODS = f"{', '.join(METHODS[:-1])} or {METHODS[-1]}"
_DEMO = [1.0, 0.5, 0.2, 0.1]


def values(text: str, kind: Callable[[str], object], name: str) -> list:
    """Values by comma; those of an axis of the grid."""
    try:
        return [kind(value.strip()) for value in text.split(",") if value.strip()]
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise TriodiaError(f"{name} must be {what} by comma, not {text!r}") from None


def _show(cells: list[Cell], output: Path, as_json: bool, **how: object) -> None:
    show = Output(as_json)
    find_simulator(how["simulator"])
    with show.bar("compare") as bar:
        found = run_comparison(cells, output, progress=bar, **how)
    data = found.json() | {"page": str(output / "index.html")}
    if as_json:
        show.json(data)
    else:
        names, rows = found.choices, found.rows
        for title, columns in (
            (f"{data['task']}: networks", pick([*names, *NETWORK], rows)),
            (f"The machines on {data['board']}", pick([*names, *MACHINE], rows)),
        ):
            headings = {c.key: c.heading for c in columns}
            show.rows(data, texts(rows, columns), headings, title=title)
        show.out.print(data["sentence"], highlight=False)
        show.out.print(f"Page: {data['page']}", highlight=False)
    if data["mismatches"]:
        raise CheckFailed(f"{data['mismatches']} words differ between hardware and reference")


def compare(
    output: Folder,
    task: Annotated[str, typer.Option(help="Tasks, by comma.")] = "japanese-vowels",
    synapses: Annotated[str, typer.Option(help="Fractions kept, by comma.")] = "1.0,0.5,0.2,0.1",
    nodes: Annotated[str, typer.Option(help="Parts of the neurons kept, by comma.")] = "1.0",
    method: Annotated[
        str, typer.Option(help=f"By comma: {', '.join(METHODS[:-1])} or {METHODS[-1]}.")
    ] = "lnp",
    board: Annotated[str, typer.Option(help=f"Of {', '.join(BOARDS)}, by comma.")] = "ulx3s-25f",
    neurons: Annotated[str, typer.Option(help="Neurons before pruning, by comma.")] = "128",
    weight_bits: Annotated[str, typer.Option(help="2 to 8, by comma.")] = "8",
    lanes: Annotated[str, typer.Option(help="1 to 32, by comma.")] = "4",
    seeds: Annotated[str, typer.Option("--seed", "--seeds", help="By comma.")] = "0",
    epochs: Annotated[int, typer.Option(min=1)] = Settings.epochs,
    target_rate: float = 0.05,
    first: Annotated[
        str, typer.Option(help="prune, or train (dense, then pruned, then on), by comma.")
    ] = "prune",
    samples: Annotated[int, typer.Option(help="Samples for cycles and co-simulation.", min=1)] = 10,
    confirm: Annotated[int, typer.Option(help="Rows co-simulated, spread evenly.", min=0)] = 4,
    simulator: SimulatorName = "icarus",
    build: Annotated[bool, typer.Option(help="Place and route every machine.")] = True,
    evidence: Annotated[
        bool,
        typer.Option(help="Record a sample, count energy, run the dense design and software too."),
    ] = True,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of finished steps. Default: in the output.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Default: one a core.", min=1)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler.")] = None,
    as_json: Json = False,
) -> None:
    """Compare designs: the whole chain for each combination; table, JSON, CSV and HTML page.

    Every choice may be a list by comma. What was finished before is not computed again.
    """
    axes = {
        "task": values(task, str, "task"),
        "method": values(method, str, "method"),
        "first": values(first, str, "first"),
        "board": values(board, str, "board"),
        "neurons": values(neurons, int, "neurons"),
        "nodes": values(nodes, float, "nodes"),
        "weight_bits": values(weight_bits, int, "weight_bits"),
        "lanes": values(lanes, int, "lanes"),
        "synapses": values(synapses, float, "synapses"),
        "seed": values(seeds, int, "seed"),
    }
    common = {"epochs": epochs, "target_rate": target_rate, "samples": samples}
    how = {"confirm": confirm, "simulator": simulator, "build": build, "cache": cache}
    how |= {"workers": workers, "scheduler": scheduler, "evidence": evidence}
    _show(grid(common, axes), output, as_json, **how)


def demo(
    output: Folder = Path("out/demo"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run everything on JapaneseVowels at four sparsity levels; ends in an HTML page."""
    cells = grid({"seed": seed}, {"synapses": _DEMO})
    _show(cells, output, as_json, confirm=len(cells), simulator="icarus")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (compare, demo):
        app.command()(command)
