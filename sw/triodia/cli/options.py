"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.synthesis import NETLISTS
from triodia_hw.errors import TriodiaError

from ..prune.pipeline import METHODS
from ..ranges import GREATEST_SEED
from ..train.device import DEVICES

__all__ = [
    "BoardName",
    "BuildFolder",
    "DataFile",
    "Device",
    "Folder",
    "ImageFile",
    "Json",
    "Lanes",
    "Method",
    "NetlistName",
    "NetworkFile",
    "NirFile",
    "Out",
    "Parity",
    "Seed",
    "SimulatorName",
    "TaskName",
    "WeightBits",
    "a_folder",
    "writable",
]


_SOURCES = ("network", "image", "file", "data", "build_folder")  # what commands call inputs


def writable(path: Path) -> Path:
    """Refuse a file that could not be written, before any work is done."""
    if not path.parent.is_dir():
        raise TriodiaError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise TriodiaError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise TriodiaError(f"{path} is a device or pipe; name a regular file")
    return path


def _output(context: typer.Context, path: Path) -> Path:
    for name in _SOURCES:
        _apart(path, context.params.get(name))
    return writable(path)


def _source(context: typer.Context, path: Path | None) -> Path | None:
    _apart(context.params.get("output"), path)  # options and arguments come in the user's order
    return path


def _apart(output: str | Path | None, source: str | Path | None) -> None:
    """Refuse to write over an input, or over a file of a finished build but its bitstream."""
    if output is None or source is None:
        return
    to, given = Path(output).resolve(), Path(source).resolve()
    of_build = given in to.parents and to.exists() and to.suffix not in (".bit", ".bin", ".fs")
    if to == given or of_build:
        raise TriodiaError(f"{output} would be written over the input {source}; name another file")


def a_folder(path: Path | None) -> Path | None:
    """Refuse a folder to write to that is a file, before any work is done."""
    if path is not None and path.exists() and not path.is_dir():
        raise TriodiaError(f"{path} must be a folder, not a file; name another")
    return path


Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0, max=GREATEST_SEED)]
Out = Annotated[Path, typer.Option("--output", "-o", help="File to write.", callback=_output)]
Folder = Annotated[
    Path, typer.Option("--output", "-o", help="Folder to write to.", callback=a_folder)
]
NetworkFile = Annotated[Path, typer.Argument(help="Network file (.net).", callback=_source)]
NirFile = Annotated[Path, typer.Argument(help="NIR graph (.nir).", callback=_source)]
ImageFile = Annotated[Path, typer.Argument(help="Machine image (.image).", callback=_source)]
BuildFolder = Annotated[
    Path, typer.Argument(help="Folder that `triodia build` wrote.", callback=_source)
]
TaskName = Annotated[str, typer.Option("--task", help="Task; `triodia tasks` lists them.")]
DataFile = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Samples of your own instead of a task's: .npz with x, and y.",
        callback=_source,
    ),
]
Device = Annotated[
    str,
    typer.Option("--device", help=f"Where to train: {', '.join(DEVICES)} (auto: a GPU if any)."),
]
BoardName = Annotated[str, typer.Option("--board", help=f"Board: {', '.join(BOARDS)}.")]
SimulatorName = Annotated[str, typer.Option("--simulator", help="icarus or verilator.")]
Method = Annotated[str, typer.Option(help=f"{', '.join(METHODS[:-1])} or {METHODS[-1]}.")]
NetlistName = Annotated[
    str | None, typer.Option("--netlist", help=f"Run what synthesis makes: {', '.join(NETLISTS)}.")
]
Parity = Annotated[
    bool, typer.Option("--parity", help="Find bits of the memories that change by themselves.")
]
WeightBits = Annotated[int, typer.Option(help="Bits of a weight, 2 to 8.", min=2, max=8)]
Lanes = Annotated[int, typer.Option(help="Processing elements, 1 to 32.", min=1, max=32)]
