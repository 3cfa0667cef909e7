"""``fit``: the best design for a board."""

import os
import shutil
from typing import Annotated

import typer

from triodia_hw.errors import CheckFailed
from triodia_sim.simulators import find_simulator

from ..lab.grid import grid
from ..lab.rows import MACHINE, NETWORK, Row, pick, texts
from ..lab.search import AXES, Goal, fit_board
from ..lab.store import Store
from ..network.recurrent import LONGEST
from ..train.settings import Settings
from .console import Output
from .options import (
    BoardName,
    Cache,
    Folder,
    Json,
    LayerSizes,
    Method,
    Scheduler,
    Seed,
    TaskName,
    Workers,
    numbers,
    of_layers,
)

__all__ = ["fit"]


_DEFAULT = {name: ",".join(f"{value:g}" for value in values) for name, values in AXES.items()}

Values = Annotated[str, typer.Option(help="Values to search, separated by commas.")]


def fit(
    output: Folder,
    task: TaskName = "japanese-vowels",
    board: BoardName = "ulx3s-12f",
    metric_floor: Annotated[
        float | None, typer.Option(help="Find the fastest design with at least this metric.")
    ] = None,
    latency_ceiling: Annotated[
        float | None, typer.Option(help="Find the best metric within this many µs per sample.")
    ] = None,
    neurons: Annotated[
        str | None, typer.Option(help=f"Values to search; default {_DEFAULT['neurons']}.")
    ] = None,
    layers: LayerSizes = None,
    adaptive: Annotated[
        float, typer.Option(help="Fraction of the neurons that adapt.", min=0.0, max=1.0)
    ] = 0.0,
    max_delay: Annotated[
        int,
        typer.Option(help="Longest delay of a recurrent synapse in steps.", min=0, max=LONGEST),
    ] = 0,
    synapses: Values = _DEFAULT["synapses"],
    weight_bits: Values = _DEFAULT["weight_bits"],
    lanes: Values = _DEFAULT["lanes"],
    method: Method = "lnp",
    epochs: Annotated[
        int, typer.Option(help="Epochs of a full training.", min=1)
    ] = Settings.epochs,
    seed: Seed = 0,
    cache: Cache = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Find the best network and machine for a board; build its bitstream."""
    show, goal = Output(as_json), Goal(metric_floor, latency_ceiling)
    find_simulator("verilator")
    axes = {
        "neurons": of_layers(neurons, layers, _DEFAULT["neurons"]),
        "synapses": numbers(synapses, float, "synapses"),
        "weight_bits": numbers(weight_bits, int, "weight_bits"),
        "lanes": numbers(lanes, int, "lanes"),
    }
    common = {"task": task, "board": board, "method": method, "epochs": epochs, "seed": seed}
    common |= {"adaptive": adaptive, "max_delay": max_delay}
    common |= {"layers": layers, "neurons": axes["neurons"][0]} if layers else {}
    grid(common, axes)  # refused before anything is made
    store = Store((cache or output / "cache").resolve())
    how = {"workers": workers or os.cpu_count() or 1, "scheduler": scheduler}
    output.mkdir(parents=True, exist_ok=True)
    with show.bar("fit") as bar:
        result = fit_board(common, axes, goal, store, progress=bar, **how)
    chosen = result["chosen"]
    for key in ("network", "image", "bitstream"):
        setattr(chosen, key, str(shutil.copy(getattr(chosen, key), output)))
    if as_json:
        show.json(_plain(result))
    else:
        _tables(show, result, board)
    if chosen.mismatches:
        raise CheckFailed("FAIL: words differ between hardware and reference.")


def _tables(show: Output, result: dict, board: str) -> None:
    designs = "epochs neurons synapses weight_bits lanes fits blocks_model metric_integer"
    for title, names, rows in (
        (f"Designs for {board}", designs, result["designs"]),
        ("The best: network", NETWORK, [result["chosen"]]),
        ("The best: machine", MACHINE, [result["chosen"]]),
    ):
        columns = pick(names)
        show.rows({}, texts(rows, columns), {c.key: c.heading for c in columns}, title=title)
    show.say(result["sentence"])
    show.say(f"Bitstream: {result['chosen'].bitstream}")


def _plain(value: object) -> object:
    """The result with its rows as JSON values, choices apart as in earlier versions."""
    if isinstance(value, Row):
        return value.json() | {"choices": value.choices}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value
