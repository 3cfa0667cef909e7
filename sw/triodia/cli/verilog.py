"""``verilog``: the accelerator as files for any FPGA flow."""

from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.errors import TriodiaError
from triodia_hw.export.folder import export_folder
from triodia_hw.export.parameters import top_parameters
from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import INTERFACES, check_name
from triodia_hw.machine.image import load_image

from .console import Output
from .options import Folder, ImageFile, Json

__all__ = ["verilog"]

_NAMED = " or ".join(", ".join(name for name in INTERFACES if name).rsplit(", ", 1))


def verilog(
    image: ImageFile,
    output: Folder,
    interface: Annotated[
        str,
        typer.Option(help=f"Bus of the ports: {_NAMED}; default: plain streams."),
    ] = "",
    name: Annotated[
        str, typer.Option(help="Name of the top module; prefix of all modules and files.")
    ] = TOP,
    inline: Annotated[
        bool, typer.Option("--inline", help="Memory contents in the Verilog, not in files.")
    ] = False,
    parameters: Annotated[
        str,
        typer.Option(
            "--top-parameters",
            help="reset_polarity=low, reset_kind=async, memory_style=auto; separate by commas.",
        ),
    ] = "",
    machine: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="Fit the network to the machine of this image, which can then load it.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the accelerator as Verilog, with a testbench, README and scripts."""
    if interface not in INTERFACES:
        raise TriodiaError(f"`--interface` must be {_NAMED}, got {interface}.")
    check_name(name)
    how = {"name": name, "inline": inline, "parameters": top_parameters(parameters, interface)}
    loaded = load_image(image)
    if machine is not None:
        loaded = fit_capacity(loaded, load_image(machine).params)
    files = export_folder(loaded, output, interface, **how)
    memories = sum(file.name.startswith(f"{name}_lane_") for file in files)
    result = {"verilog": str(files[0]), "digest": loaded.digest(), "memory_files": memories}
    Output(as_json).result(result | {"files": [str(f) for f in files]}, title="Verilog")
