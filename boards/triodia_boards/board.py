"""What a board is, and the top level that puts the machine on it."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth import *
from amaranth.build import Platform
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.options import DEFAULT, Options

from .serial_core import SerialCore

__all__ = ["BAUD", "Board", "BoardTop"]

BAUD = 1_000_000


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA.

    Parameters
    ----------
    name : as on the command line. platform : makes the Amaranth platform (pins, clock).
    family : of the FPGA (:data:`triodia_hw.family.FAMILIES`).
    device : nextpnr's option for the FPGA. package : of the FPGA. speed : its grade, if it has one.
    luts : 4-input look-up tables. blocks : block RAMs. multipliers : of ``multiplier_bits``.
    single_port : large memories with one port that start without contents.
    reset : resource of the push button that resets the machine, if there is one.
    """

    name: str
    platform: Callable[[], Platform]
    device: str
    package: str
    luts: int
    blocks: int
    multipliers: int
    reset: tuple[str, int] | None
    family: str = "ecp5"
    speed: str = ""
    multiplier_bits: int = 18
    single_port: int = 0

    @property
    def chip(self) -> tuple[str, ...]:
        """nextpnr's options for the FPGA."""
        speed = (f"--speed={self.speed}",) if self.speed else ()
        return (self.device, f"--package={self.package}", *speed)


class BoardTop(Elaboratable):
    """Clock, reset and pins of a board for :class:`.serial_core.SerialCore`.

    Runs on the board's own oscillator; the serial port at :data:`BAUD`. A LED shows that the
    machine is out of reset, the next that it waits for room to put out a word.
    """

    def __init__(
        self,
        board: Board,
        p: MachineParams,
        contents: list[dict[str, list[int]]],
        options: Options = DEFAULT,
    ) -> None:
        self.board, self.p, self.contents, self.options = board, p, contents, options

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        reset = self._clock(m, platform)
        divisor = round(platform.default_clk_frequency / BAUD)
        m.submodules.serial = serial = SerialCore(
            self.p, self.contents, divisor=divisor, options=self.options
        )
        m.d.comb += serial.reset.eq(reset)
        self._pins(m, platform, serial, reset)
        return m

    def _clock(self, m: Module, platform: Platform) -> Signal:
        """The clock; returns the reset, in step with it."""
        # No reset by the domain: the machine spreads its own, from registers.
        m.domains.sync = ClockDomain(reset_less=True)
        clock = io.Buffer("i", platform.request(platform.default_clk, 0, dir="-"))
        m.submodules.clock, reset = clock, Signal()
        m.d.comb += ClockSignal().eq(clock.i)
        if self.board.reset is not None:
            button = io.Buffer("i", platform.request(*self.board.reset, dir="-"))
            m.submodules.button = button
            m.submodules.reset = FFSynchronizer(button.i, reset)
        return reset

    def _pins(self, m: Module, platform: Platform, serial: SerialCore, reset: Signal) -> None:
        lines = platform.lookup("uart", 0).ios
        uart = platform.request("uart", 0, dir={line.name: "-" for line in lines})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.FFBuffer("o", uart.tx)
        m.d.comb += [serial.rx.eq(rx.i), tx.o.eq(serial.tx)]
        for index, light in enumerate((~reset, serial.waiting)):
            led = io.FFBuffer("o", platform.request("led", index, dir="-"))
            m.submodules[f"led_{index}"] = led
            m.d.comb += led.o.eq(light)
