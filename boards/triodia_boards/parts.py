"""FPGAs that boards carry: what each holds, and how the tools call it."""

from dataclasses import dataclass

__all__ = ["PARTS", "Part"]


@dataclass(frozen=True)
class Part:
    """What an FPGA holds.

    Parameters
    ----------
    luts : look-up tables, of 4 inputs (Xilinx: 6). registers : flip-flops.
    blocks : block RAMs (Xilinx: halves of a RAMB36). multipliers : of ``multiplier_bits`` each.
    single_port : large single-port memories, which start empty.
    option : nextpnr's option for the die; empty where ``chip`` names it.
    chip : name in the tools' chip database (Gowin).
    """

    luts: int
    registers: int
    blocks: int
    multipliers: int
    multiplier_bits: int = 18
    single_port: int = 0
    option: str = ""
    chip: str = ""


def _ecp5(size: int, *counts: int) -> dict[str, Part]:
    luts, blocks, multipliers = counts
    kinds = {"LFE5U": "", "LFE5UM": "um-", "LFE5UM5G": "um5g-"}
    return {
        f"{kind}-{size}F": Part(luts, luts, blocks, multipliers, option=f"--{mark}{size}k")
        for kind, mark in kinds.items()
    }


def _ice40(option: str, *counts: int, single_port: int = 0) -> Part:
    luts, blocks, multipliers = counts
    return Part(luts, luts, blocks, multipliers, 16, single_port, option)


# Lattice FPGA-DS-02012. The 12F is the die of the 25F, and the open tools use all of it.
_ECP5 = {
    "LFE5U-12F": Part(24_288, 24_288, 56, 28, option="--12k"),
    **_ecp5(25, 24_288, 56, 28),
    **_ecp5(45, 43_848, 108, 72),
    **_ecp5(85, 83_640, 208, 156),
}
# Lattice FPGA-DS-02029 (HX, LP) and FPGA-DS-02008 (UltraPlus). The 4K parts are dies of 7,680
# cells in packages of their own, and the open tools use all of them.
_ICE40 = {
    "iCE40HX1K": _ice40("--hx1k", 1_280, 16, 0),
    "iCE40LP1K": _ice40("--lp1k", 1_280, 16, 0),
    "iCE40HX4K": _ice40("--hx8k", 7_680, 32, 0),
    "iCE40HX8K": _ice40("--hx8k", 7_680, 32, 0),
    "iCE40LP8K": _ice40("--lp8k", 7_680, 32, 0),
    "iCE40UP5K": _ice40("--up5k", 5_280, 30, 8, single_port=4),
}
# Gowin DS117, DS102 and DS226.
_GOWIN = {
    "GW1NR-LV9QN88PC6/I5": Part(8_640, 6_480, 26, 20, chip="GW1N-9C"),
    "GW2A-LV18PG256C8/I7": Part(20_736, 15_552, 46, 48, chip="GW2A-18C"),
    "GW2AR-LV18QN88C8/I7": Part(20_736, 15_552, 46, 48, chip="GW2A-18C"),
}
# Gowin DS1103. Its 28 multipliers are left out: Yosys 0.70 does not map to them.
_GW5A = {"GW5A-LV25MG121NC1/I0": Part(23_040, 23_040, 56, 0, chip="GW5A-25A")}
# Xilinx DS180 and DS190.
_XILINX = {
    "xc7a15t": Part(10_400, 20_800, 50, 45),
    "xc7a35t": Part(20_800, 41_600, 100, 90),
    "xc7a35ti": Part(20_800, 41_600, 100, 90),
    "xc7a50t": Part(32_600, 65_200, 150, 120),
    "xc7a100t": Part(63_400, 126_800, 270, 240),
    "xc7a100ti": Part(63_400, 126_800, 270, 240),
    "xc7a200t": Part(134_600, 269_200, 730, 740),
    "xc7z010": Part(17_600, 35_200, 120, 80),
    "xc7z020": Part(53_200, 106_400, 280, 220),
}

PARTS = {"ecp5": _ECP5, "ice40": _ICE40, "gowin": _GOWIN, "gw5a": _GW5A, "xilinx": _XILINX}
