"""Models of the cells of a netlist: Yosys' own, and ours of what it has as black boxes."""

import importlib.util
import re
from pathlib import Path

from triodia_hw.errors import YosysError

__all__ = ["cell_models"]

_OURS = {
    name: Path(__file__).with_name(f"{name}_cells.v") for name in ("ecp5", "gowin", "ecp5_routed")
}
_TABLE = r"^module TRELLIS_COMB\(.*?^endmodule\n"
_REGISTER = r"^module TRELLIS_FF\(.*?^endmodule\n"


def cell_models(folder: Path, family: str = "ecp5") -> list[Path]:
    """Verilog files with the models of the cells that a netlist has; writes to ``folder``.

    ``family`` is ecp5, ice40, gowin, or ecp5-routed, ecp5-timed or ice40-routed for nextpnr's.

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
    if family in ("ice40", "ice40-routed"):
        theirs.write_text("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n" + _timeless(share, "ice40"))
        return [theirs]
    if family == "gowin":
        theirs.write_text(_timeless(share, family))
        return [theirs, _OURS[family]]
    # Its models of the vendor's flip-flops and pins are for synthesis only.
    text = "`define NO_INCLUDES\n" + _ecp5(share)
    if family in ("ecp5-routed", "ecp5-timed"):
        # Yosys' registers have no input from outside their slice.
        theirs.write_text(re.sub(_REGISTER, "", text, flags=re.M | re.S))
        return [theirs, _OURS["ecp5"], _OURS["ecp5_routed"]]
    theirs.write_text(text)
    return [theirs, _OURS[family]]


def _ecp5(share: Path) -> str:
    files = ("common_sim.vh", "ccu2c_sim.vh")
    text = "\n".join((share / "lattice" / name).read_text() for name in files)
    # Of no use in a netlist that is not packed yet, and more than Icarus 11 can read.
    return re.sub(_TABLE, "", text, flags=re.M | re.S)


def _timeless(share: Path, family: str) -> str:
    """Models without delays, which depend on the part."""
    text = (share / family / "cells_sim.v").read_text()
    return re.sub(r"^\s*specify\b.*?^\s*endspecify\n", "", text, flags=re.M | re.S)
