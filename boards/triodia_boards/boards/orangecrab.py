"""OrangeCrab r0.2 (Good Stuff Department): Lattice ECP5, 48 MHz oscillator.

Its USB has no serial chip: a serial adapter of 3.3 V goes to the Feather pins TX and RX.
"""

from collections.abc import Callable

from amaranth.build import Attrs, Platform
from amaranth_boards.orangecrab_r0_2 import (
    OrangeCrabR0_2_25FPlatform,
    OrangeCrabR0_2_85FPlatform,
)
from amaranth_boards.resources import UARTResource

from ..board import Board

__all__ = ["ORANGECRAB_25F", "ORANGECRAB_85F"]


def _orangecrab(
    size: int, platform: Callable[[], Platform], *, luts: int, blocks: int, multipliers: int
) -> Board:
    return Board(
        name=f"orangecrab-{size}f",
        platform=platform,
        device=f"--{size}k",
        package="CSFBGA285",
        speed="8",
        luts=luts,
        blocks=blocks,
        multipliers=multipliers,
        reset=("button", 0),
        leds=(("rgb_led", 0, "g"), ("rgb_led", 0, "b"), ("rgb_led", 0, "r")),
        resources=(
            UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33")),
        ),
    )


ORANGECRAB_25F = _orangecrab(25, OrangeCrabR0_2_25FPlatform, luts=24_288, blocks=56, multipliers=28)
ORANGECRAB_85F = _orangecrab(
    85, OrangeCrabR0_2_85FPlatform, luts=83_640, blocks=208, multipliers=156
)
