"""``compare`` and ``demo``: the whole chain over a grid of choices."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import CheckFailed
from triodia_sim.simulators import find_simulator

from ..lab.compare import compare as run_comparison
from ..lab.equal import shown_columns
from ..lab.grid import Cell, grid
from ..lab.rows import MACHINE, NETWORK, pick, texts
from ..lab.stages import NATIVE
from ..prune.pipeline import METHODS
from ..train.settings import Settings
from .console import Output
from .options import (
    Adaptive,
    Cache,
    Folder,
    Json,
    LayerSizes,
    Scheduler,
    Seed,
    Workers,
    numbers,
    of_layers,
)

__all__ = ["compare", "demo"]

_DEMO = [1.0, 0.2, 0.1]


def _show(cells: list[Cell], output: Path, as_json: bool, **how: object) -> None:
    show = Output(as_json)
    find_simulator("verilator" if how["simulator"] == NATIVE else how["simulator"])
    with show.bar("compare") as bar:
        found = run_comparison(cells, output, progress=bar, **how)
    data = found.json() | {"page": str(output / "index.html")}
    if as_json:
        show.json(data)
    else:
        names, rows = found.choices, found.rows
        for title, columns in (
            (f"{data['task']}: networks", pick([*names, *NETWORK], rows)),
            (f"{data['board']}: machines", pick([*names, *MACHINE], rows)),
        ):
            headings = {c.key: c.heading for c in columns}
            show.rows(data, texts(rows, columns), headings, title=title)
        _show_equal(show, data)
        show.say(data["sentence"])
        show.say(f"Page: {data['page']}")
    if data["mismatches"]:
        raise CheckFailed(
            f"FAIL: {data['mismatches']:,} words differ between hardware and reference."
        )


def _show_equal(show: Output, data: dict) -> None:
    """The table at equal speed, with the columns that have values."""
    lines = data["equal_speed"]
    if not lines:
        return
    columns = shown_columns(lines)
    rows = [{c.key: c.text(line.get(c.key)) for c in columns} for line in lines]
    title = "The smallest machine for each network at equal speed"
    show.rows(data, rows, {c.key: c.heading for c in columns}, title=title)


def compare(
    output: Folder,
    task: Annotated[str, typer.Option(help="Tasks, separated by commas.")] = "japanese-vowels",
    synapses: Annotated[
        str, typer.Option(help="Fractions of synapses to keep.")
    ] = "1.0,0.5,0.2,0.1",
    nodes: Annotated[str, typer.Option(help="Fractions of neurons to keep.")] = "1.0",
    method: Annotated[
        str, typer.Option(help=f"Methods: {', '.join(METHODS[:-1])} or {METHODS[-1]}.")
    ] = "lnp",
    board: Annotated[str, typer.Option(help="Boards; `triodia boards` lists them.")] = "ulx3s-25f",
    neurons: Annotated[
        str | None, typer.Option(help=f"Neurons before pruning; default {Cell.neurons}.")
    ] = None,
    layers: LayerSizes = None,
    adaptive: Adaptive = "0",
    max_delay: Annotated[
        str, typer.Option(help="Longest delays of recurrent synapses in steps, up to 63.")
    ] = "0",
    weight_bits: Annotated[str, typer.Option(help="Bits per weight, 2 to 8.")] = "8",
    lanes: Annotated[str, typer.Option(help="PEs, 1 to 32.")] = "4",
    seeds: Annotated[str, typer.Option("--seed", "--seeds", help="Seeds.")] = "0",
    epochs: Annotated[int, typer.Option(help="Epochs of training.", min=1)] = Settings.epochs,
    target_rate: Annotated[
        float, typer.Option(help="Mean spikes per neuron and step to aim for.")
    ] = 0.05,
    first: Annotated[
        str, typer.Option(help="prune first, or train first (then prune, then train on).")
    ] = "prune",
    samples: Annotated[int, typer.Option(help="Samples for cycles, and for cocotb.", min=1)] = 10,
    confirm: Annotated[int, typer.Option(help="Rows to co-simulate, spread evenly.", min=0)] = 4,
    simulator: Annotated[
        str,
        typer.Option(
            help="native (a compiled machine, all test samples), or cocotb on icarus or verilator."
        ),
    ] = NATIVE,
    build: Annotated[bool, typer.Option(help="Build a bitstream of every machine.")] = True,
    evidence: Annotated[
        bool,
        typer.Option(help="Also run a dense design and software, and count energy."),
    ] = True,
    equal_speed: Annotated[
        bool, typer.Option(help="Also find each network's smallest machine at one latency.")
    ] = True,
    latency: Annotated[
        float | None,
        typer.Option(
            help="Microseconds per sample of the table at equal speed."
            " Default: what the sparsest network takes.",
            min=0.01,
        ),
    ] = None,
    cache: Cache = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Compare designs: run the whole chain for each combination of choices.

    Most options take several values, separated by commas. Steps that finished before are not
    computed again. The results are a table, JSON, CSV and an HTML page.
    """
    axes = {
        "task": numbers(task, str, "task"),
        "method": numbers(method, str, "method"),
        "first": numbers(first, str, "first"),
        "board": numbers(board, str, "board"),
        "neurons": of_layers(neurons, layers, str(Cell.neurons)),
        "adaptive": numbers(adaptive, float, "adaptive"),
        "max_delay": numbers(max_delay, int, "max_delay"),
        "nodes": numbers(nodes, float, "nodes"),
        "weight_bits": numbers(weight_bits, int, "weight_bits"),
        "lanes": numbers(lanes, int, "lanes"),
        "synapses": numbers(synapses, float, "synapses"),
        "seed": numbers(seeds, int, "seed"),
    }
    common = {"epochs": epochs, "target_rate": target_rate, "samples": samples}
    common |= {"layers": layers or ""}
    how = {"confirm": confirm, "simulator": simulator, "build": build, "cache": cache}
    how |= {"workers": workers, "scheduler": scheduler, "evidence": evidence}
    how |= {"equal_speed": equal_speed, "latency": latency}
    _show(grid(common, axes), output, as_json, **how)


def demo(
    output: Folder = Path("out/demo"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run everything on JapaneseVowels at three sparsity levels; write an HTML page."""
    cells = grid({"seed": seed}, {"synapses": _DEMO})
    _show(cells, output, as_json, confirm=len(cells), simulator=NATIVE)
