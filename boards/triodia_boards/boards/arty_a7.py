"""Arty A7 (Digilent): Xilinx Artix-7, 100 MHz oscillator, USB serial by FT2232H.

The vendor's tool makes the bitstream from files that ``triodia build`` writes.
"""

from amaranth.build import Platform
from amaranth_boards.arty_a7 import ArtyA7_35Platform, ArtyA7_100Platform

from ..board import Board

__all__ = ["ARTY_A7_35", "ARTY_A7_100"]


class _Netlist:
    """The vendor's build plan with RTLIL instead of Verilog."""

    @property
    def file_templates(self) -> dict[str, str]:
        """Files of the build plan, by name."""
        files = dict(super().file_templates)
        del files["{{name}}.v"], files["{{name}}.debug.v"]
        return files | {"{{name}}.il": "{{emit_rtlil()}}"}


class _Arty35(_Netlist, ArtyA7_35Platform):
    pass


class _Arty100(_Netlist, ArtyA7_100Platform):
    pass


def _arty(size: int, platform: type[Platform], **resources: int) -> Board:
    return Board(
        name=f"arty-a7-{size}",
        family="xilinx",
        platform=platform,
        device=f"xc7a{size}ti",
        package="csg324",
        speed="1L",
        reset=("rst", 0),
        **resources,
    )


# Look-up tables of 6 inputs; halves of a RAMB36.
ARTY_A7_35 = _arty(35, _Arty35, luts=20_800, blocks=100, multipliers=90)
ARTY_A7_100 = _arty(100, _Arty100, luts=63_400, blocks=270, multipliers=240)
