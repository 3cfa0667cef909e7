"""From RTLIL to a netlist of FPGA cells: run Yosys, then pack registers into hard blocks."""

import json
from dataclasses import dataclass
from pathlib import Path

from triodia_hw.compile.contents import contents
from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.options import DEFAULT, QUEUES, Options
from triodia_hw.errors import YosysError
from triodia_hw.export.rtlil import TOP, core_rtlil
from triodia_hw.export.yosys import run_yosys
from triodia_hw.files import write_atomic
from triodia_hw.machine.image import Image

from ..catalog import BadChoice
from .registers import Packed, pack_registers
from .routed import route
from .routed_ice40 import route_ice40
from .tools import BuildError

__all__ = ["NETLISTS", "Synthesis", "map_cells", "netlist_verilog", "resource_of", "synthesize"]

# Options for a netlist of a family's cells without a board, also placed and routed.
_NETLIST_OPTIONS = {
    "ecp5": DEFAULT,
    "ice40": Options(family="ice40", queues=QUEUES),
    "gowin": Options(family="gowin"),
    "ecp5-routed": DEFAULT,
    "ecp5-timed": DEFAULT,
    # The iCE40 that is large enough has no multipliers.
    "ice40-routed": Options(family="ice40", queues=QUEUES, multiplier_parts=4),
}
NETLISTS = tuple(_NETLIST_OPTIONS)

# Kind of each family's cells by the start of their names, and how many each counts for.
_LUTS = {"ecp5": "LUT4", "ice40": "SB_LUT4", "gowin": "LUT", "gw5a": "LUT", "xilinx": "LUT"}
_REGISTERS = {
    "ecp5": "TRELLIS_FF",
    "ice40": "SB_DFF",
    "gowin": "DFF",
    "gw5a": "DFF",
    "xilinx": "FD",
}

_GOWIN_BLOCKS = ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B", "pROM")
_BLOCKS = {
    "ecp5": {"DP16KD": 1, "PDPW16KD": 1},
    "ice40": {"SB_RAM40_4K": 1},
    "gowin": dict.fromkeys(_GOWIN_BLOCKS, 1),
    "gw5a": dict.fromkeys(_GOWIN_BLOCKS, 1),
    "xilinx": {"RAMB18E1": 1, "RAMB36E1": 2},
}
_MULTIPLIERS = {
    "ecp5": ("MULT18X18D",),
    "ice40": ("SB_MAC16",),
    "gowin": ("MULT9X9", "MULT18X18", "MULT36X36"),
    "gw5a": (),
    "xilinx": ("DSP48E1",),
}


# Multipliers without registers of their own: `synth_ice40 -dsp` also moves registers into them,
# and dies of it (Yosys 0.70, segmentation fault in its pass ice40_dsp) where two lanes are alike.
_ICE40_MULTIPLIERS = (
    "wreduce t:$mul",
    "techmap -map +/mul2dsp.v -map +/ice40/dsp_map.v -D DSP_A_MAXWIDTH=16 -D DSP_B_MAXWIDTH=16 "
    "-D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=11 -D DSP_NAME=$__MUL16X16",
    "setattr -unset mul2dsp a:mul2dsp",
    "opt_expr -fine",
    "chtype -set $mul t:$__soft_mul",
)


# Yosys' commands, where they are not just `synth_FAMILY`.
_SYNTH = {"xilinx": "synth_xilinx -flatten", "gw5a": "synth_gowin -family gw5a -nolutram"}


@dataclass(frozen=True)
class Synthesis:
    """Counts of a netlist: look-up tables, registers, and packed registers.

    ``blocks`` counts block RAMs as the memory model does (halves of a Xilinx RAMB36).
    """

    lut4: int
    registers: int
    packed: Packed
    blocks: int = 0
    multipliers: int = 0


def synthesize(top: str, folder: Path, family: str = "ecp5", *, multiply: bool = True) -> Synthesis:
    """Make ``TOP.json``, the netlist of module ``top`` of ``TOP.il`` in ``folder``.

    ``multiply``: products may use multipliers, on families of which some parts have none.

    Raises
    ------
    BuildError
        If Yosys fails.
    """
    design = map_cells(top, folder, family, multiply=multiply)
    packed = pack_registers(design, top) if family == "ecp5" else Packed(0, 0, 0, 0)
    write_atomic(folder / f"{top}.json", json.dumps(design).encode())
    cells = list(design["modules"][top]["cells"].values())
    kinds = [cell["type"] for cell in cells]
    return Synthesis(
        lut4=sum(kind.startswith(_LUTS[family]) for kind in kinds),
        registers=sum(kind.startswith(_REGISTERS[family]) for kind in kinds),
        packed=packed,
        blocks=sum(_blocks(cell, family) for cell in cells),
        multipliers=sum(kind in _MULTIPLIERS[family] for kind in kinds),
    )


def _blocks(cell: dict, family: str) -> int:
    """Block RAMs that a cell takes; nextpnr halves those of a GW5A that are wider than 18 bits."""
    count = _BLOCKS[family].get(cell["type"].removesuffix("NR"), 0)
    widths = (v for k, v in cell.get("parameters", {}).items() if k.startswith("BIT_WIDTH"))
    wide = family == "gw5a" and any(int(width, 2) > 18 for width in widths)
    return 2 * count if wide else count


def resource_of(cell: str, family: str) -> str | None:
    """Resource that a cell of this type takes: "luts", "registers", "blocks" or "multipliers"."""
    if cell.removesuffix("NR") in _BLOCKS[family]:
        return "blocks"
    if cell in _MULTIPLIERS[family]:
        return "multipliers"
    if cell.startswith(_REGISTERS[family]):
        return "registers"
    return "luts" if cell.startswith(_LUTS[family]) else None


def map_cells(top: str, folder: Path, family: str = "ecp5", *, multiply: bool = True) -> dict:
    """Map module ``top`` of ``TOP.il`` to cells with Yosys; also write ``TOP.json``."""
    synth = f"{_SYNTH.get(family, f'synth_{family}')} -top {top}"
    steps = [f"{synth} -json {top}.json"]
    if family == "ice40":
        steps = [
            f"{synth} -run begin:coarse",
            *(_ICE40_MULTIPLIERS if multiply else []),
            f"{synth} -spram -run coarse: -json {top}.json",
        ]
    if FAMILIES[family].small == "logic":
        steps.insert(0, "setattr -unset ram_style a:ram_style=distributed")  # there is none
    _yosys(
        [
            f"read_rtlil {top}.il",
            # Ram promises nothing on a collision, so the read-old emulation Yosys would build
            # may go.
            "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:CLK_ENABLE=1 %i",
            *steps,
            "stat",
        ],
        folder,
    )
    return json.loads((folder / f"{top}.json").read_text())


def netlist_verilog(
    image: Image,
    folder: str | Path,
    netlist: str = NETLISTS[0],
    options: Options | None = None,
) -> Synthesis:
    """Write the synthesized machine with the contents of ``image`` as Verilog, ``triodia.v``.

    On an ECP5 the netlist equals what :func:`.flow.build` places, without pins and serial port. On
    an iCE40 all queues are in block RAM and products in multipliers, unless ``options`` differ.
    "ecp5-routed" and "ice40-routed" are nextpnr's netlists after place-and-route, of the machine
    alone; the latter without multipliers. "ecp5-timed" also has nextpnr's delays.

    Raises
    ------
    BadChoice, BuildError
    """
    if netlist not in NETLISTS:
        raise BadChoice(f"netlist must be one of {', '.join(NETLISTS)}, not {netlist!r}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    options = options or _NETLIST_OPTIONS[netlist]
    text = core_rtlil(image.params, contents(image), options)
    write_atomic(folder / f"{TOP}.il", text.encode())
    family, _, routed = netlist.partition("-")
    synthesis = synthesize(TOP, folder, family, multiply=options.multiplier_parts == 1)
    read = [f"read_json {TOP}.json"]
    if routed:
        if family == "ice40":
            route_ice40(folder)
        else:
            route(folder, delays=float(routed == "timed"))
        read = ["read_json routed.json", f"rename -top {TOP}"]
    _yosys([*read, f"write_verilog -noattr {TOP}.v"], folder, "netlist")
    return synthesis


def _yosys(script: list[str], folder: Path, name: str = "yosys") -> None:
    try:
        run_yosys(script, folder, name)
    except YosysError as error:
        raise BuildError(str(error)) from None
