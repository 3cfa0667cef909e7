"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BoardName",
    "Folder",
    "ImageFile",
    "Json",
    "Lanes",
    "NetworkFile",
    "Out",
    "Seed",
    "SimulatorName",
    "TaskName",
    "WeightBits",
]

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]
Out = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")]
NetworkFile = Annotated[Path, typer.Argument(help="Network file (.net).")]
ImageFile = Annotated[Path, typer.Argument(help="Machine image (.image).")]
TaskName = Annotated[str, typer.Option("--task", help="Task; `triodia tasks` lists them.")]
BoardName = Annotated[str, typer.Option("--board", help="Board: ulx3s-25f or ulx3s-85f.")]
SimulatorName = Annotated[str, typer.Option("--simulator", help="icarus or verilator.")]
WeightBits = Annotated[int, typer.Option(help="Bits of a weight, 2 to 8.", min=2, max=8)]
Lanes = Annotated[int, typer.Option(help="Processing elements, 1 to 16.", min=1, max=16)]
