"""``accuracy``: what pruning and quantization cost, over seeds, with a control."""

from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json, TaskName, WeightBits
from triodia.lab.runner import run_all
from triodia.lab.stages import without_context
from triodia.train.settings import Settings

from ..accuracy import accuracy_row, plan, summarise
from .options import Cache, Scheduler, Workers, engine

__all__ = ["accuracy"]


def _text(column: str, summary: dict) -> dict:
    """A table row: mean ± standard deviation (least–greatest) over the seeds."""
    row = {"column": column}
    for name, numbers in summary.items():
        mean, sd, low, high = (numbers[key] for key in ("mean", "sd", "min", "max"))
        if name in ("accuracy", "quantized"):
            row[name] = f"{mean:.2%} ± {sd:.2%} ({low:.1%}–{high:.1%})"
        elif name == "rate":
            row[name] = f"{mean:.4f} ({low:.4f}–{high:.4f})"
        else:
            row[name] = f"{mean:,.0f}"
    return row


def accuracy(
    task: TaskName = "japanese-vowels",
    seeds: Annotated[int, typer.Option(help="Seeds 0, 1, …", min=1)] = 5,
    neurons: Annotated[int, typer.Option(min=2)] = 256,
    synapses: Annotated[float, typer.Option(help="Part of the synapses kept.")] = 0.5,
    nodes: Annotated[float, typer.Option(help="Part of the neurons kept.")] = 0.43,
    weight_bits: WeightBits = 8,
    epochs: Annotated[int, typer.Option(min=1)] = Settings.epochs,
    cache: Cache = Path("out/studies"),
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Compare dense, LNP and random networks, float and integer, over seeds."""
    show = Output(as_json)
    options = {"neurons": neurons, "synapses": synapses, "nodes": nodes}
    options |= {"weight_bits": weight_bits, "training": {"epochs": epochs}}
    choices = plan(range(seeds), task=task, **options)
    with show.bar("accuracy") as bar:
        found = run_all(accuracy_row, choices, progress=bar, **engine(cache, workers, scheduler))
    rows = [without_context(result) for result in found]
    data = {"task": task, "options": options, "rows": rows, "summary": summarise(rows)}
    headings = {
        "column": "network",
        "accuracy": "float: mean ± sd (range)",
        "quantized": f"{weight_bits}-bit integer",
        "rate": "rate",
        "neurons": "neurons",
        "synapses": "synapses",
        "sops": "SOP",
    }
    table = [_text(column, summary) for column, summary in data["summary"].items()]
    show.rows(data, table, headings, title=f"{task}, {seeds} seeds")
