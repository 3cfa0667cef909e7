"""``accuracy``: what pruning and quantization cost, over seeds, with a control."""

from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json, TaskName, WeightBits
from triodia.network.network import Network
from triodia.quantize.inference import evaluate_image
from triodia.quantize.quantize import QuantizeOptions
from triodia.quantize.quantize import quantize as quantize_network
from triodia.tasks.catalog import TaskData
from triodia.train.loop import Settings

from ..accuracy import COLUMNS, run

__all__ = ["accuracy"]


def _shown(column: str, summary: dict) -> dict:
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
    as_json: Json = False,
) -> None:
    """Compare dense, LNP and random networks, float and integer, over seeds."""
    show = Output(as_json)

    def integer(net: Network, data: TaskData) -> float:
        options = QuantizeOptions(weight_bits=weight_bits)
        return evaluate_image(quantize_network(net, data, options), data)["metric"]

    def report(row: dict) -> None:
        show.note(
            f"seed {row['seed']} {row['column']}: float {row['accuracy']:.4f}, integer "
            f"{row['quantized']:.4f}, rate {row['rate']:.4f}, {row['seconds']:.0f} s"
        )

    data = run(
        task,
        range(seeds),
        columns=COLUMNS,
        neurons=neurons,
        synapses=synapses,
        nodes=nodes,
        training={"epochs": epochs},
        quantizer=integer,
        progress=report,
    )
    rows = [_shown(column, summary) for column, summary in data["summary"].items()]
    headings = {
        "column": "network",
        "accuracy": "float: mean ± sd (range)",
        "quantized": f"{weight_bits}-bit integer",
        "rate": "spikes / neuron / step",
        "neurons": "neurons",
        "synapses": "synapses",
        "sops": "SOP / sample",
    }
    show.rows(data, rows, headings, title=f"{task}, {seeds} seeds")
