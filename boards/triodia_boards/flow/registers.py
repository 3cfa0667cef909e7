"""Registers of the netlist moved into block RAMs and multipliers, which have some of their own.

Yosys leaves them in the fabric; nextpnr times what it is given. Done between the two.
"""

from dataclasses import dataclass

from .blocks import pack_blocks
from .multipliers import pack_multipliers
from .netlist import Netlist

__all__ = ["Packed", "pack_registers"]


@dataclass(frozen=True)
class Packed:
    """``registers`` of the fabric were moved, into ``blocks`` block RAMs and ``multipliers``.

    ``delays`` were added where a register moved against the flow through logic.
    """

    blocks: int
    multipliers: int
    registers: int
    delays: int


def pack_registers(design: dict, top: str) -> Packed:
    """Move registers of module ``top`` of a netlist of ECP5 cells (Yosys' JSON), in place.

    The module does the same as before in every cycle, from the first one after configuration. Its
    ports, and nets and cells with the attribute ``keep``, stay.
    """
    module = design["modules"][top]
    before = len(Netlist(module).of_type("TRELLIS_FF"))
    blocks, delays = pack_blocks(Netlist(module))
    multipliers = pack_multipliers(Netlist(module))
    after = len(Netlist(module).of_type("TRELLIS_FF"))
    return Packed(blocks, multipliers, before + delays - after, delays)
