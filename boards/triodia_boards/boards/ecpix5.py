"""ECPIX-5 (LambdaConcept): Lattice ECP5, 100 MHz oscillator, USB serial by FT2232H."""

from collections.abc import Callable

from amaranth.build import Platform
from amaranth_boards.ecpix5 import ECPIX545Platform, ECPIX585Platform

from ..board import Board

__all__ = ["ECPIX5_45F", "ECPIX5_85F"]


def _ecpix5(
    size: int, platform: Callable[[], Platform], *, luts: int, blocks: int, multipliers: int
) -> Board:
    return Board(
        name=f"ecpix5-{size}f",
        platform=platform,
        device=f"--um5g-{size}k",
        package="CABGA554",
        speed="8",
        luts=luts,
        blocks=blocks,
        multipliers=multipliers,
        reset=("rst", 0),
        leds=tuple(("rgb_led", number, "g") for number in range(4)),
    )


ECPIX5_45F = _ecpix5(45, ECPIX545Platform, luts=43_848, blocks=108, multipliers=72)
ECPIX5_85F = _ecpix5(85, ECPIX585Platform, luts=83_640, blocks=208, multipliers=156)
