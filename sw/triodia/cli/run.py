"""``run``: a network on a board, real or virtual."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from triodia_hw.errors import CheckFailed
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.image import load_image

from ..host.board import BAUD, open_board
from ..host.power import measured, read_log
from ..host.run import RunReport, run_samples
from ..quantize.inference import input_events
from ..tasks.own import image_samples, labelled
from .console import Output
from .options import Bin, DataFile, ImageFile, ImageTask, Json

__all__ = ["run"]


def run(
    image: ImageFile,
    port: Annotated[str, typer.Option(help="Serial port of the board, or a pyserial URL.")],
    task: ImageTask = None,
    samples: Annotated[int, typer.Option(help="Test samples to run.", min=1)] = 10,
    data: DataFile = None,
    bin: Bin = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every word with the reference.")
    ] = False,
    baud: Annotated[int, typer.Option(help="Bits per second of the line.", min=1)] = BAUD,
    timeout: Annotated[
        float, typer.Option(help="Seconds without progress before giving up.", min=0.1)
    ] = 5.0,
    baked: Annotated[
        bool, typer.Option("--baked", help="Use the network in the bitstream; do not load one.")
    ] = False,
    power: Annotated[
        Path | None,
        typer.Option(help="Log of a power meter beside the run: microjoules a sample."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Load a network into a board and run samples on it."""
    show = Output(as_json)
    if power is not None:
        read_log(power)  # refused before anything runs
    loaded = load_image(image)
    held = image_samples(loaded, task, data, bin)
    sequences = input_events(loaded, held.x_test, held.len_test, limit=samples)
    chosen = np.linspace(0, len(held.x_test) - 1, len(sequences)).astype(int)
    with open_board(port, baud=baud, timeout=timeout) as board:
        welcome = board.welcome
        show.note(f"{port}: {welcome.board}, Triodia {welcome.version}")
        if baked:
            board.assume(loaded)
        else:
            with show.bar("Loading") as bar:
                board.load(loaded, bar)
        with show.bar("Samples") as bar:
            report = run_samples(board, sequences, check=check, progress=bar)
    right = np.array(report.classes) == held.y_test[chosen]
    metric = float(right.mean()) if labelled(held) else None
    result = _result(welcome, report, metric)
    if power is not None:
        result["power"] = asdict(measured(power, report.began, report.seconds, report.samples))
    show.result(result, title=f"Run on {port}")
    if power is not None:
        _say_power(show, result["power"])
    _verdict(show, report)


def _result(welcome: Welcome, report: RunReport, metric: float | None) -> dict:
    microseconds = report.cycles / welcome.clock_hz * 1e6
    return {
        "board": welcome.board,
        "clock_mhz": welcome.clock_hz / 1e6,
        "metric": metric,
        "machine_us_per_sample": round(microseconds / report.samples, 2),
        **asdict(report),
    }


def _say_power(show: Output, energy: dict) -> None:
    above = energy["above_idle"]
    rest = "" if above is None else f", of which {above:,.1f} above idle"
    show.say(
        f"{energy['microjoules_per_sample']:,.1f} microjoules a sample for the whole board{rest}"
        f" ({energy['readings']} readings)."
    )


def _verdict(show: Output, report: RunReport) -> None:
    if report.mismatches:
        raise CheckFailed(
            f"FAIL: {report.compared:,} words compared, {report.mismatches:,} differ;"
            f" the first: {report.first}"
        )
    if report.compared is not None:
        show.say(f"PASS: {report.compared:,} words compared, 0 differ")
