"""From RTLIL to a netlist of ECP5 cells: Yosys, and registers moved into the hard blocks."""

import json
from dataclasses import dataclass
from pathlib import Path

from triodia_hw.export import TOP, core_rtlil
from triodia_hw.image import Image
from triodia_hw.memory import contents
from triodia_hw.yosys import YosysError, run_yosys

from .boards import BadChoice
from .registers import Packed, pack_registers
from .tools import BuildError

__all__ = ["NETLISTS", "Synthesis", "map_cells", "netlist_verilog", "synthesize"]

NETLISTS = ("ecp5",)  # of whose cells a netlist can be


@dataclass(frozen=True)
class Synthesis:
    """A netlist: its LUT4 cells, and the registers that were moved."""

    lut4: int
    packed: Packed


def synthesize(top: str, folder: Path) -> Synthesis:
    """Make ``TOP.json``, the netlist of module ``top`` of ``TOP.il`` in ``folder``.

    Raises
    ------
    BuildError
        If Yosys fails.
    """
    design = map_cells(top, folder)
    packed = pack_registers(design, top)
    (folder / f"{top}.json").write_text(json.dumps(design))
    kinds = [cell["type"] for cell in design["modules"][top]["cells"].values()]
    return Synthesis(lut4=kinds.count("LUT4"), packed=packed)


def map_cells(top: str, folder: Path) -> dict:
    """The netlist of module ``top`` of ``TOP.il`` as Yosys leaves it, in ``TOP.json`` too."""
    _yosys(
        [
            f"read_rtlil {top}.il",
            # Ram promises nothing on a collision, so the read-old emulation Yosys would build
            # may go.
            "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:CLK_ENABLE=1 %i",
            f"synth_ecp5 -top {top} -json {top}.json",
            "stat",
        ],
        folder,
    )
    return json.loads((folder / f"{top}.json").read_text())


def netlist_verilog(image: Image, folder: str | Path, netlist: str = NETLISTS[0]) -> Synthesis:
    """Write the machine with the contents of ``image`` as Verilog of ECP5 cells, ``triodia.v``.

    It is what :func:`.flow.build` places, less the board's pins and serial port: the same
    synthesis, the same registers moved.

    Raises
    ------
    BadChoice, BuildError
    """
    if netlist not in NETLISTS:
        raise BadChoice(f"netlist must be one of {', '.join(NETLISTS)}, not {netlist!r}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{TOP}.il").write_text(core_rtlil(image.params, contents(image)))
    synthesis = synthesize(TOP, folder)
    _yosys([f"read_json {TOP}.json", f"write_verilog -noattr {TOP}.v"], folder, "netlist")
    return synthesis


def _yosys(script: list[str], folder: Path, name: str = "yosys") -> None:
    try:
        run_yosys(script, folder, name)
    except YosysError as error:
        raise BuildError(str(error)) from None
