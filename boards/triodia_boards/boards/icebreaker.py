"""iCEBreaker (1BitSquared): Lattice iCE40UP5K, 12 MHz oscillator, USB serial by FT2232H."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from ..board import Board

__all__ = ["ICEBREAKER"]

ICEBREAKER = Board(
    name="icebreaker",
    family="ice40",
    platform=ICEBreakerPlatform,
    device="--up5k",
    package="sg48",
    luts=5_280,
    blocks=30,
    multipliers=8,
    multiplier_bits=16,
    clock_hz=36_000_000,
    pll_pin=True,
    link_depth=256,
    single_port=4,
    reset=("button", 0),
    leds=(("led", 0, ""), ("led", 1, "")),
)
