"""FPGA families: the shapes of their block RAM."""

from dataclasses import dataclass

__all__ = ["ECP5", "FAMILIES", "GOWIN", "GW5A", "ICE40", "XILINX", "Family"]


@dataclass(frozen=True)
class Family:
    """Memory resources of an FPGA family.

    Parameters
    ----------
    name : as on the command line.
    shapes : word width and depth of the shapes of a block RAM, widest first.
    small : Yosys' ``ram_style`` of a memory outside block RAM.
    state_bits : widest membrane potential that one multiplier takes, or 18.
    """

    name: str
    shapes: tuple[tuple[int, int], ...]
    small: str
    state_bits: int = 18


_18_KBIT = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))

# Blocks of 18 Kbit; small memories in look-up tables (Lattice FPGA-TN-02204; Gowin UG285; Xilinx
# UG473: half of a RAMB36).
ECP5 = Family("ecp5", _18_KBIT, "distributed")
GOWIN = Family("gowin", _18_KBIT, "distributed")
# The look-up tables of a GW5A-25 cannot be written either (Gowin DS1103). nextpnr makes two blocks
# of each that is wider than 18 bits.
GW5A = Family("gw5a", _18_KBIT[1:], "logic")
XILINX = Family("xilinx", _18_KBIT, "distributed")
# A 4-Kbit block RAM (Lattice FPGA-TN-02002); look-up tables cannot be written, so registers.
# Multipliers are of 16 x 16 bits (FPGA-TN-02007).
ICE40 = Family("ice40", ((16, 256), (8, 512), (4, 1024), (2, 2048)), "logic", state_bits=16)

FAMILIES = {family.name: family for family in (ECP5, ICE40, GOWIN, GW5A, XILINX)}
