"""``build`` and ``patch``: bitstreams."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from triodia_boards.board import BAUD, Board
from triodia_boards.catalog import get_board
from triodia_boards.flow.build import build as build_bitstream
from triodia_boards.flow.program import reprogram
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image

from .console import Output
from .options import (
    BoardName,
    BuildFolder,
    Folder,
    ImageFile,
    Json,
    Out,
    Parity,
)
from .routing import BuildProgress

__all__ = ["build", "patch"]


def build(
    image: ImageFile,
    output: Folder,
    board: BoardName = "ulx3s-25f",
    seed: Annotated[int, typer.Option(help="Seed of the placement.", min=0)] = 1,
    router: Annotated[
        str | None, typer.Option(help="router1 (default), or router2 if router1 does not finish.")
    ] = None,
    clock: Annotated[
        float | None, typer.Option(help="Clock in MHz; default: as fast as the design is.", min=1)
    ] = None,
    baud: Annotated[int, typer.Option(help="Bits per second of the serial port.", min=1)] = BAUD,
    parity: Parity = False,
    report_page: Annotated[
        bool, typer.Option("--report", help="Also write report.html: units, path, memories.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build a bitstream; report resources and clock."""
    show = Output(as_json)
    chosen, loaded = get_board(board), load_image(image)
    options = {"seed": seed, "router": router, "clock_hz": clock and _hertz(clock)}
    options |= {"baud": baud, "parity": parity, "page": report_page}
    with BuildProgress(show, Path(output)) as progress:
        report = build_bitstream(loaded, chosen, output, progress=progress, **options)
    result = asdict(report)
    result |= {"luts_available": chosen.luts, "registers_available": chosen.registers}
    result |= {"blocks_available": chosen.blocks, "percent": _percent(result, chosen)}
    result["connect"] = chosen.connect
    if report_page:
        result["report"] = str(Path(output) / "report.html")
    title = f"Bitstream for {board}" if report.bitstream else f"Vendor project for {board}"
    show.result(result, title=title)
    parts = [
        f"{value:g} % of {name.replace('_', ' ')}" for name, value in result["percent"].items()
    ]
    show.say(f"It takes {', '.join(parts)} of {chosen.name}.")
    if chosen.connect:
        show.say(f"Serial port: {chosen.connect}.")


def _percent(result: dict, board: Board) -> dict[str, float]:
    """Share of each of the board's resources that the finished design takes, in percent."""
    names = ("luts", "registers", "blocks", "single_port", "multipliers")
    have = {name: getattr(board, name) for name in names}
    return {name: round(100 * result[name] / n, 1) for name, n in have.items() if n}


def _hertz(mhz: float) -> int:
    if not math.isfinite(mhz * 1e6):
        raise TriodiaError(f"`--clock` must be a finite number of MHz, got {mhz:g}.")
    return round(mhz * 1e6)


def patch(build_folder: BuildFolder, image: ImageFile, output: Out, as_json: Json = False) -> None:
    """Put another network into a finished build, without place-and-route."""
    report = reprogram(build_folder, load_image(image), output)
    Output(as_json).result(asdict(report), title=f"Bitstream for {report.board}")
