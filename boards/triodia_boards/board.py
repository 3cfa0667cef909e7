"""What a board is, and the top level that puts the machine on it."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth import *
from amaranth.build import Platform, Resource
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from triodia_hw.contract import MachineParams
from triodia_hw.export import triodia_version
from triodia_hw.gateware.options import DEFAULT, Options
from triodia_hw.link.welcome import Welcome

from .pll import add_pll, pll_settings
from .serial_core import SerialCore

__all__ = ["BAUD", "Board", "BoardTop"]

BAUD = 1_000_000

_START = 255  # cycles of reset behind the clock becoming steady

Led = tuple[str, int, str]  # resource, its number, its subsignal or ""


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA.

    Parameters
    ----------
    name : as on the command line. platform : makes the Amaranth platform (pins, clock).
    device : nextpnr's option for the FPGA. package, speed : of the FPGA.
    luts : 4-input look-up tables. blocks : 18-Kbit block RAMs. multipliers : 18 x 18 bit.
    reset : resource of the push button that resets the machine.
    leds : up to four, in order of :class:`BoardTop`'s signals.
    resources : what the platform does not have, such as a serial port on free pins.
    clock_hz : of the machine, made by a PLL.
    """

    name: str
    platform: Callable[[], Platform]
    device: str
    package: str
    speed: str
    luts: int
    blocks: int
    multipliers: int
    reset: tuple[str, int]
    leds: tuple[Led, ...] = (("led", 0, ""), ("led", 1, ""), ("led", 2, ""), ("led", 3, ""))
    resources: tuple[Resource, ...] = ()
    clock_hz: int = 100_000_000

    def make_platform(self) -> Platform:
        """The platform, with all resources."""
        platform = self.platform()
        platform.add_resources(self.resources)
        return platform


class BoardTop(Elaboratable):
    """Clock, reset and pins of a board for :class:`.serial_core.SerialCore`.

    Everything is in reset while the button is pressed, while the PLL is not steady, and for
    some cycles behind. LEDs: out of reset; a session is open; the machine waits for room to put
    out a word; a frame was not taken (each shown for about 10 ms).

    Parameters
    ----------
    p, contents, options : as of :class:`triodia_hw.gateware.core.Core`.
    clock_hz : of the machine; default the board's. baud : of the serial port.
    """

    def __init__(
        self,
        board: Board,
        p: MachineParams,
        contents: list[dict[str, list[int]]],
        options: Options = DEFAULT,
        *,
        clock_hz: int | None = None,
        baud: int = BAUD,
    ) -> None:
        self.board, self.p, self.contents, self.options = board, p, contents, options
        self.clock_hz, self.baud = clock_hz or board.clock_hz, baud

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit on the line."""
        return round(self.clock_hz / self.baud)

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        reset = self._clock(m, platform)
        options, p = self.options, self.p
        welcome = Welcome(p, self.clock_hz, options.loadable, self.board.name, triodia_version())
        m.submodules.serial = serial = SerialCore(
            p, self.contents, divisor=self.divisor, welcome=welcome, options=options
        )
        m.d.comb += serial.reset.eq(reset)
        self._pins(m, platform, serial, reset)
        return m

    def _clock(self, m: Module, platform: Platform) -> Signal:
        """The clock; returns the reset, in step with it, high from the first cycle on."""
        # No reset by the domain: the machine spreads its own, from registers.
        m.domains.sync = ClockDomain(reset_less=True)
        clock = io.Buffer("i", platform.request(platform.default_clk, 0, dir="-"))
        button = io.Buffer("i", platform.request(*self.board.reset, dir="-"))
        m.submodules.clock, m.submodules.button = clock, button
        made, steady = clock.i, Const(1)
        if self.clock_hz != platform.default_clk_frequency:
            settings = pll_settings(platform.default_clk_frequency, self.clock_hz)
            made, steady = add_pll(m, clock.i, settings)
        pressed, waiting = Signal(init=1), Signal(range(_START + 1), init=_START)
        reset = Signal(init=1)
        m.submodules.reset = FFSynchronizer(button.i | ~steady, pressed, init=1)
        m.d.comb += ClockSignal().eq(made)
        m.d.sync += reset.eq(waiting != 0)
        with m.If(pressed):
            m.d.sync += waiting.eq(_START)
        with m.Elif(waiting != 0):
            m.d.sync += waiting.eq(waiting - 1)
        return reset

    def _pins(self, m: Module, platform: Platform, serial: SerialCore, reset: Signal) -> None:
        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-", "rts": "-", "dtr": "-"})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.FFBuffer("o", uart.tx)
        m.d.comb += [serial.rx.eq(rx.i), tx.o.eq(serial.tx)]
        lights = (~reset, serial.open, self._shown(m, serial.waiting, "waiting"))
        lights += (self._shown(m, serial.refused, "refused"),)
        requested: dict[tuple[str, int], object] = {}
        for (name, number, part), light in zip(self.board.leds, lights, strict=False):
            if (name, number) not in requested:
                parts = dict.fromkeys("rgb", "-") if part else "-"
                requested[name, number] = platform.request(name, number, dir=parts)
            port = requested[name, number]
            led = io.FFBuffer("o", getattr(port, part) if part else port)
            m.submodules[f"{name}_{number}_{part}"] = led
            m.d.comb += led.o.eq(light)

    def _shown(self, m: Module, event: Value, name: str) -> Value:
        """``event`` made long enough to be seen."""
        left = Signal(range(self.clock_hz // 100 + 1), name=f"{name}_shown")
        with m.If(event):
            m.d.sync += left.eq(self.clock_hz // 100)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return left != 0
