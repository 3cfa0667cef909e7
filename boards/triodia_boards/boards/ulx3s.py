"""ULX3S (Radiona): Lattice ECP5, 25 MHz oscillator, USB serial by FT231X."""

from collections.abc import Callable

from amaranth.build import Platform
from amaranth_boards.ulx3s import (
    ULX3S_12F_Platform,
    ULX3S_25F_Platform,
    ULX3S_45F_Platform,
    ULX3S_85F_Platform,
)

from ..board import Board

__all__ = ["ULX3S_12F", "ULX3S_25F", "ULX3S_45F", "ULX3S_85F"]


def _ulx3s(
    size: int, platform: Callable[[], Platform], *, luts: int, blocks: int, multipliers: int
) -> Board:
    """ULX3S with an LFE5U of ``size`` thousand look-up tables by name."""
    return Board(
        name=f"ulx3s-{size}f",
        platform=platform,
        device=f"--{size}k",
        package="CABGA381",
        speed="6",
        luts=luts,
        blocks=blocks,
        multipliers=multipliers,
        reset=("button_fire", 0),
    )


# The 12F is the die of the 25F, and the open tools use all of it.
ULX3S_12F = _ulx3s(12, ULX3S_12F_Platform, luts=24_288, blocks=56, multipliers=28)
ULX3S_25F = _ulx3s(25, ULX3S_25F_Platform, luts=24_288, blocks=56, multipliers=28)
ULX3S_45F = _ulx3s(45, ULX3S_45F_Platform, luts=43_848, blocks=108, multipliers=72)
ULX3S_85F = _ulx3s(85, ULX3S_85F_Platform, luts=83_640, blocks=208, multipliers=156)
