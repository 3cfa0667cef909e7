"""Tang Nano 9K and Primer 20K with its dock (Sipeed): Gowin, 27 MHz oscillator, USB serial.

Machines run at the oscillator's clock: the open tools do not time their memories.
"""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform
from amaranth_boards.tang_primer_20k import TangPrimer20kDockPlatform

from ..board import Board

__all__ = ["PRIMER_20K", "TANG_NANO_9K"]

TANG_NANO_9K = Board(
    name="tang-nano-9k",
    family="gowin",
    platform=TangNano9kPlatform,
    device="--device=GW1NR-LV9QN88PC6/I5",
    package="",
    chip_options=("--vopt=family=GW1N-9C",),
    luts=8_640,
    blocks=26,
    multipliers=20,
    clock_hz=27_000_000,
    reset=("button", 0),
    # Some pins of the configuration port are LEDs and memory here.
    pack_options=("-d", "GW1N-9C", "--sspi_as_gpio", "--mspi_as_gpio"),
)
PRIMER_20K = Board(
    name="primer-20k",
    family="gowin",
    platform=TangPrimer20kDockPlatform,
    device="--device=GW2A-LV18PG256C8/I7",
    package="",
    chip_options=("--vopt=family=GW2A-18C",),
    luts=20_736,
    blocks=46,
    multipliers=48,
    clock_hz=27_000_000,
    reset=("button", 0),
    pack_options=("-d", "GW2A-18C", "--sspi_as_gpio", "--mspi_as_gpio"),
)
