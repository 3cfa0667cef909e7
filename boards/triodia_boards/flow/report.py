"""Results of a build."""

from dataclasses import dataclass

__all__ = ["BuildReport"]


@dataclass(frozen=True)
class BuildReport:
    """Resources and clock of a placed machine.

    ``lut4``: Yosys' look-up tables. ``luts``: nextpnr's logic cells, carry cells and distributed
    RAM included. ``registers``: those left in the fabric. ``packed_registers`` others moved into
    ``packed_blocks`` block RAMs and ``packed_multipliers``, for which ``delay_registers`` were
    added (:mod:`.registers`). ``fmax_mhz``: nextpnr's estimate after routing, for ``seed``;
    ``None`` where the tools do not time memories or the vendor's tool makes the bitstream, as
    ``note`` says.
    ``clock_mhz``: the bitstream's clock, at most ``fmax_mhz``. ``baked``: the network is in the
    bitstream; otherwise it must be loaded.
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
