"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import TriodiaError

from ..ranges import GREATEST_SEED

__all__ = [
    "Adaptive",
    "Bin",
    "BoardName",
    "BuildFolder",
    "Cache",
    "DataFile",
    "Device",
    "Folder",
    "ImageFile",
    "ImageTask",
    "Json",
    "Lanes",
    "LayerSizes",
    "Method",
    "NetlistName",
    "NetworkFile",
    "NirFile",
    "Out",
    "Parity",
    "Scheduler",
    "Seed",
    "SimulatorName",
    "TaskName",
    "WeightBits",
    "Workers",
    "a_folder",
    "numbers",
    "of_layers",
    "writable",
]


_SOURCES = ("network", "image", "file", "data", "build_folder")  # what commands call inputs


def writable(path: Path) -> Path:
    """Return ``path``; raise :class:`TriodiaError` if no file can be written there."""
    if not path.parent.is_dir():
        raise TriodiaError(f"The folder {path.parent} of {path} does not exist; make it first.")
    if path.is_dir():
        raise TriodiaError(f"{path} is a folder; name a file in it.")
    if path.exists() and not path.is_file():
        raise TriodiaError(f"{path} is a device or pipe; name a regular file.")
    return path


def _output(context: typer.Context, path: Path) -> Path:
    for name in _SOURCES:
        _apart(path, context.params.get(name))
    return writable(path)


def _source(context: typer.Context, path: Path | None) -> Path | None:
    _apart(context.params.get("output"), path)  # options and arguments come in the user's order
    return path


def _apart(output: str | Path | None, source: str | Path | None) -> None:
    """Refuse to overwrite an input, or any file of a finished build except its bitstream."""
    if output is None or source is None:
        return
    to, given = Path(output).resolve(), Path(source).resolve()
    in_build = given in to.parents and to.exists() and to.suffix not in (".bit", ".bin", ".fs")
    if to == given or in_build:
        raise TriodiaError(f"{output} would overwrite the input {source}; name another file.")


def a_folder(path: Path | None) -> Path | None:
    """Return ``path``; raise :class:`TriodiaError` if it is a file where a folder is needed."""
    if path is not None and path.exists() and not path.is_dir():
        raise TriodiaError(f"{path} is a file, not a folder; name another.")
    return path


def numbers(text: str, kind: Callable[[str], object], name: str) -> list:
    """The comma-separated values of option ``name``, each made by ``kind``.

    Raises
    ------
    TriodiaError
        If a value is not of that kind.
    """
    try:
        return [kind(value.strip()) for value in text.split(",") if value.strip()]
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise TriodiaError(
            f"`--{name.replace('_', '-')}` must be {what} separated by commas, got {text!r}."
        ) from None


def of_layers(neurons: str | None, layers: str | None, default: str) -> list[int]:
    """Numbers of neurons: those of option ``neurons``, or all of the ``layers`` together.

    Raises
    ------
    TriodiaError
        If both are given, or one is no list of whole numbers.
    """
    if layers is None:
        return numbers(neurons or default, int, "neurons")
    if neurons is not None:
        raise TriodiaError("`--neurons` and `--layers` exclude each other; pass one of them.")
    return [sum(numbers(layers, int, "layers"))]


Adaptive = Annotated[
    str, typer.Option(help="Fractions of the neurons that raise their threshold with each spike.")
]
LayerSizes = Annotated[
    str | None,
    typer.Option("--layers", help="Neurons of each layer of every network, as 96,32."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0, max=GREATEST_SEED)]
Out = Annotated[Path, typer.Option("--output", "-o", help="File to write.", callback=_output)]
Folder = Annotated[
    Path, typer.Option("--output", "-o", help="Folder to write to.", callback=a_folder)
]
NetworkFile = Annotated[
    Path, typer.Argument(metavar="NETWORK", help="Network file (.net).", callback=_source)
]
NirFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="NIR graph (.nir).", callback=_source)
]
ImageFile = Annotated[
    Path, typer.Argument(metavar="IMAGE", help="Machine image (.image).", callback=_source)
]
BuildFolder = Annotated[
    Path,
    typer.Argument(metavar="BUILD", help="Folder that `triodia build` wrote.", callback=_source),
]
Cache = Annotated[
    Path | None, typer.Option(help="Folder of finished steps; default: in the output.")
]
Workers = Annotated[
    int | None, typer.Option(help="Worker processes; default: one per core.", min=1)
]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask scheduler.")]
TaskName = Annotated[str, typer.Option("--task", help="Task; `triodia tasks` lists them.")]
ImageTask = Annotated[
    str | None,
    typer.Option("--task", help="Task whose test samples to use; default: the image's own."),
]
DataFile = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Your own samples instead of a task's: an .npz file with x and y, or events"
        " (docs/data.md).",
        callback=_source,
    ),
]
Bin = Annotated[
    float | None,
    typer.Option("--bin", help="Length of a step, in the unit of the times of your events."),
]
Device = Annotated[
    str,
    typer.Option("--device", help="Where to train: cpu, cuda, or auto (a GPU if present)."),
]
BoardName = Annotated[
    str,
    typer.Option("--board", help="Board that `triodia boards` lists, or your own file (.toml)."),
]
SimulatorName = Annotated[str, typer.Option("--simulator", help="icarus or verilator.")]
Method = Annotated[
    str | None,
    typer.Option(
        help="Default: iterative-magnitude with --task or --data, which trains in between, else"
        " lnp. Of lnp, magnitude, random, snip, grasp, activity, synflow, jacobian,"
        " iterative-magnitude, geohub, erdos-renyi, barabasi-albert, or a control: lnp-degree,"
        " lnp-shuffled, weight-sampling, tau-sampling, slow, none."
    ),
]
NetlistName = Annotated[
    str | None,
    typer.Option(
        "--netlist",
        help="Simulate the synthesized cells of a family: ecp5, ice40 or gowin; or, after"
        " place-and-route: ecp5-routed, ecp5-timed or ice40-routed.",
    ),
]
Parity = Annotated[bool, typer.Option("--parity", help="Detect bit flips in memory.")]
WeightBits = Annotated[int, typer.Option(help="Bits per weight.", min=2, max=16)]
Lanes = Annotated[int, typer.Option(help="Processing elements (PEs).", min=1, max=32)]
