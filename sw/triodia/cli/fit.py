"""``fit``: the best design for a board."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import CheckFailed
from triodia_sim.simulators import find_simulator

from ..lab.compare import CHOICES, MACHINE_COLUMNS, NETWORK_COLUMNS
from ..lab.search import AXES, Goal, fit_board
from ..lab.store import Store
from ..train.loop import Settings
from .compare import values
from .console import Output
from .options import BoardName, Folder, Json, Method, Seed, TaskName

__all__ = ["register"]


def _list(name: str) -> str:
    return ",".join(f"{value:g}" for value in AXES[name])


def fit(
    output: Folder,
    task: TaskName = "japanese-vowels",
    board: BoardName = "ulx3s-12f",
    metric_floor: Annotated[float | None, typer.Option(help="Fastest with this metric.")] = None,
    latency_ceiling: Annotated[
        float | None, typer.Option(help="Best metric within these µs a sample.")
    ] = None,
    neurons: Annotated[str, typer.Option(help="To search, by comma.")] = _list("neurons"),
    synapses: Annotated[str, typer.Option(help="To search, by comma.")] = _list("synapses"),
    weight_bits: Annotated[str, typer.Option(help="To search, by comma.")] = _list("weight_bits"),
    lanes: Annotated[str, typer.Option(help="To search, by comma.")] = _list("lanes"),
    method: Method = "lnp",
    epochs: Annotated[int, typer.Option(help="Of a full training.", min=1)] = Settings.epochs,
    seed: Seed = 0,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of finished steps. Default: in the output.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Default: one a core.", min=1)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler.")] = None,
    as_json: Json = False,
) -> None:
    """Find the best network and machine for a board; ends in a bitstream."""
    show, goal = Output(as_json), Goal(metric_floor, latency_ceiling)
    find_simulator("icarus")
    axes = {
        "neurons": values(neurons, int, "neurons"),
        "synapses": values(synapses, float, "synapses"),
        "weight_bits": values(weight_bits, int, "weight_bits"),
        "lanes": values(lanes, int, "lanes"),
    }
    common = {"task": task, "board": board, "method": method, "epochs": epochs, "seed": seed}
    store = Store((cache or output / "cache").resolve())
    how = {"workers": workers or os.cpu_count() or 1, "scheduler": scheduler}
    output.mkdir(parents=True, exist_ok=True)
    result = fit_board(common, axes, goal, store, progress=show.note, **how)
    chosen = result["chosen"]
    chosen["mismatches"] = chosen["cosim"]["mismatches"]
    for key in ("network", "image", "bitstream"):
        chosen[key] = shutil.copy(chosen[key], output)
    if as_json:
        show.json(result)
    else:
        columns = {"epochs": CHOICES["epochs"], "neurons": "neurons", "synapses": "synapses"}
        columns |= {"weight_bits": "bits", "lanes": "P", "fits": "fits", "blocks_model": "RAMs"}
        columns |= {"metric_integer": "integer", "cycles_per_sample": "cycles/sample"}
        rows = [row | row["choices"] for row in result["designs"]]
        show.rows(result, rows, columns, title=f"Designs for {board}, as far as each was trained")
        show.rows(result, [chosen], NETWORK_COLUMNS, title="The best: network")
        show.rows(result, [chosen], MACHINE_COLUMNS, title="The best: machine")
        show.out.print(result["sentence"], highlight=False)
        show.out.print(f"Bitstream: {chosen['bitstream']}", highlight=False)
    if chosen["mismatches"]:
        raise CheckFailed("words differ between hardware and reference")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(fit)
