"""``verilog``: the accelerator as files for any FPGA flow."""

from typing import Annotated

import typer

from triodia_hw.errors import TriodiaError
from triodia_hw.export.verilog import INTERFACES, export_verilog
from triodia_hw.machine.image import load_image

from .console import Output
from .options import Folder, ImageFile, Json

__all__ = ["verilog"]

_NAMED = [name for name in INTERFACES if name]


def verilog(
    image: ImageFile,
    output: Folder,
    interface: Annotated[
        str,
        typer.Option(help=f"Bus of the ports: {' or '.join(_NAMED)}; default: plain streams."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Write the accelerator as one Verilog file and its memory contents."""
    if interface not in INTERFACES:
        raise TriodiaError(f"`--interface` must be {' or '.join(_NAMED)}, got {interface}.")
    loaded = load_image(image)
    files = export_verilog(loaded, output, interface)
    result = {"verilog": str(files[0]), "digest": loaded.digest(), "memory_files": len(files) - 1}
    Output(as_json).result(result | {"files": [str(f) for f in files]}, title="Verilog")
