"""Move registers of the netlist into the registers of block RAMs and multipliers.

Yosys leaves them in the fabric, and nextpnr does not move them. This pass runs between the two.
"""

from dataclasses import dataclass

from .blocks import pack_blocks
from .multipliers import pack_multipliers
from .netlist import Netlist

__all__ = ["Packed", "pack_registers"]


@dataclass(frozen=True)
class Packed:
    """Counts of packed registers: moved, into how many block RAMs and multipliers.

    ``delays`` counts registers added where one moved backward through logic.
    """

    blocks: int
    multipliers: int
    registers: int
    delays: int


def pack_registers(design: dict, top: str) -> Packed:
    """Move registers of module ``top`` of a netlist of ECP5 cells (Yosys' JSON), in place.

    The module behaves identically in every cycle after configuration. Its ports, and nets and
    cells with the attribute ``keep``, stay.
    """
    module = design["modules"][top]
    before = len(Netlist(module).of_type("TRELLIS_FF"))
    blocks, delays = pack_blocks(Netlist(module))
    multipliers = pack_multipliers(Netlist(module))
    after = len(Netlist(module).of_type("TRELLIS_FF"))
    return Packed(blocks, multipliers, before + delays - after, delays)
