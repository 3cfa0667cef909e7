"""Models of the cells of a netlist: Yosys' own, and ours of what it has as black boxes."""

import importlib.util
import re
from pathlib import Path

from triodia_hw.errors import YosysError

__all__ = ["cell_models"]

_OURS = {name: Path(__file__).with_name(f"{name}_cells.v") for name in ("ecp5", "gowin")}


def cell_models(folder: Path, family: str = "ecp5") -> list[Path]:
    """Verilog files with the models of the cells that a netlist has; writes to ``folder``.

    Raises
    ------
    YosysError
        If Yosys is not there, from which a netlist comes in the first place.
    """
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise YosysError("Yosys is missing; `pip install pyosys` brings it")
    share = Path(spec.origin).parent / "share"
    theirs = folder / "yosys_cells.v"
    if family == "ice40":
        theirs.write_text("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n" + _timeless(share, family))
        return [theirs]
    if family == "gowin":
        theirs.write_text(_timeless(share, family))
        return [theirs, _OURS[family]]
    # Its models of the vendor's flip-flops and pins are for synthesis only.
    theirs.write_text("`define NO_INCLUDES\n" + _ecp5(share))
    return [theirs, _OURS[family]]


def _ecp5(share: Path) -> str:
    files = ("common_sim.vh", "ccu2c_sim.vh")
    text = "\n".join((share / "lattice" / name).read_text() for name in files)
    # Of no use in a netlist that is not packed yet, and more than Icarus 11 can read.
    return re.sub(r"^module TRELLIS_COMB\(.*?^endmodule\n", "", text, flags=re.M | re.S)


def _timeless(share: Path, family: str) -> str:
    """Models without delays, which depend on the part."""
    text = (share / family / "cells_sim.v").read_text()
    return re.sub(r"^\s*specify\b.*?^\s*endspecify\n", "", text, flags=re.M | re.S)
