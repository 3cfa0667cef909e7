"""Models of the cells of a netlist: Yosys' own, and ours of what it has as black boxes."""

import importlib.util
import re
from pathlib import Path

from triodia_hw.yosys import YosysError

__all__ = ["cell_models"]

_OURS = Path(__file__).with_name("ecp5_cells.v")
_YOSYS = ("common_sim.vh", "ccu2c_sim.vh")


def cell_models(folder: Path) -> list[Path]:
    """Verilog files with the models of the ECP5 cells that a netlist has; writes to ``folder``.

    Raises
    ------
    YosysError
        If Yosys is not there, from which a netlist comes in the first place.
    """
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise YosysError("Yosys is missing; `pip install pyosys` brings it")
    share = Path(spec.origin).parent / "share" / "lattice"
    text = "\n".join((share / name).read_text() for name in _YOSYS)
    # Of no use in a netlist that is not packed yet, and more than Icarus 11 can read.
    text = re.sub(r"^module TRELLIS_COMB\(.*?^endmodule\n", "", text, flags=re.M | re.S)
    theirs = folder / "yosys_cells.v"
    # Its models of the vendor's flip-flops and pins are for synthesis only.
    theirs.write_text("`define NO_INCLUDES\n" + text)
    return [theirs, _OURS]
