"""ULX3S (Radiona): Lattice ECP5, 25 MHz oscillator, USB serial by FT231X."""

from amaranth_boards.ulx3s import ULX3S_25F_Platform, ULX3S_85F_Platform

from .board import Board

__all__ = ["ULX3S_25F", "ULX3S_85F"]

ULX3S_25F = Board(
    name="ulx3s-25f",
    platform=ULX3S_25F_Platform,
    device="--25k",
    package="CABGA381",
    speed="6",
    luts=24_288,
    blocks=56,
    multipliers=28,
    reset=("button_fire", 0),
)
ULX3S_85F = Board(
    name="ulx3s-85f",
    platform=ULX3S_85F_Platform,
    device="--85k",
    package="CABGA381",
    speed="6",
    luts=83_640,
    blocks=208,
    multipliers=156,
    reset=("button_fire", 0),
)
