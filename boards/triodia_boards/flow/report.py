"""What a build tells."""

from dataclasses import dataclass

__all__ = ["BuildReport"]


@dataclass(frozen=True)
class BuildReport:
    """What the machine takes on the board, as nextpnr placed it.

    ``lut4`` are Yosys' look-up tables; ``luts`` nextpnr's logic cells, which hold those, carry
    cells and distributed RAM. ``registers`` are those of the fabric: ``packed_registers`` more
    were moved into ``packed_blocks`` block RAMs and ``packed_multipliers``, for which
    ``delay_registers`` were added (:mod:`.registers`).
    ``fmax_mhz`` is nextpnr's figure for the machine's clock after routing, for the given seed;
    the bitstream itself runs at ``clock_mhz``, which is not more. ``fmax_mhz`` is ``None`` where
    the tools do not time memories, and for a board whose ``bitstream`` (then ``None``) is the
    vendor's to make: ``note`` says so.
    ``baked``: the network is in the bitstream; else it must be loaded.
    """

    board: str
    lut4: int
    luts: int
    registers: int
    blocks: int
    single_port: int
    multipliers: int
    packed_registers: int
    packed_blocks: int
    packed_multipliers: int
    delay_registers: int
    fmax_mhz: float | None
    clock_mhz: float
    seed: int
    router: str
    seconds: float
    bitstream: str | None
    baked: bool
    patched_slices: int
    note: str = ""
