"""iCE40-HX8K breakout board (Lattice): 12 MHz oscillator, USB serial by FT2232H, no button."""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from ..board import Board

__all__ = ["HX8K_EVB"]

HX8K_EVB = Board(
    name="hx8k-evb",
    family="ice40",
    platform=ICE40HX8KBEVNPlatform,
    device="--hx8k",
    package="ct256",
    luts=7_680,
    blocks=32,
    multipliers=0,
    multiplier_bits=16,
    clock_hz=60_000_000,
    link_depth=256,
    reset=None,
)
