"""What a board is, and the top level that puts the machine on it."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth import *
from amaranth.build import Platform, Resource
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from triodia_hw.compile.options import DEFAULT, Options
from triodia_hw.export.rtlil import triodia_version
from triodia_hw.gateware.link.link import DEPTH
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.params import MachineParams

from .flow.pll import LIMITS, NoSuchClock, add_pll, pll_settings
from .link.serial import LEAST_DIVISOR
from .link.serial_core import SerialCore

__all__ = ["BAUD", "Board", "BoardTop", "check_clock"]

BAUD = 1_000_000

_START = 255  # cycles of reset behind the clock becoming steady

Led = tuple[str, int, str]  # resource, its number, its subsignal or ""


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA.

    Parameters
    ----------
    name : as on the command line. platform : makes the Amaranth platform (pins, clock).
    family : of the FPGA (:data:`triodia_hw.compile.family.FAMILIES`).
    device : nextpnr's option for the FPGA. package : of the FPGA, speed : its grade, where that
        does not say. chip_options : others of nextpnr for it.
    luts : 4-input look-up tables. blocks : block RAMs. multipliers : of ``multiplier_bits``.
    single_port : large memories with one port that start without contents.
    pll_pin : the oscillator is on a pin that the PLL must have for its own (iCE40).
    pack_options : of the tool that packs.
    reset : resource of the push button that resets the machine, if there is one.
    leds : up to four, in order of :class:`BoardTop`'s signals.
    resources : what the platform does not have, such as a serial port on free pins.
    clock_hz : of the machine, made by a PLL unless it is the oscillator's.
    link_depth : bytes of each buffer of the link, two blocks of RAM in all.
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
    pll_pin: bool = False
    chip_options: tuple[str, ...] = ()
    pack_options: tuple[str, ...] = ()
    leds: tuple[Led, ...] = (("led", 0, ""), ("led", 1, ""), ("led", 2, ""), ("led", 3, ""))
    resources: tuple[Resource, ...] = ()
    clock_hz: int = 100_000_000
    link_depth: int = DEPTH

    @property
    def chip(self) -> tuple[str, ...]:
        """nextpnr's options for the FPGA."""
        speed = (f"--speed={self.speed}",) if self.speed else ()
        package = (f"--package={self.package}",) if self.package else ()
        return (self.device, *package, *speed, *self.chip_options)

    def make_platform(self) -> Platform:
        """The platform, with all resources."""
        platform = self.platform()
        platform.add_resources(self.resources)
        return platform


def check_clock(board: Board, clock_hz: int | None, baud: int) -> int:
    """The machine's clock in Hz, ``clock_hz`` or the board's; :class:`.pll.NoSuchClock` unless the
    board can make it and it is fast enough for the serial port."""
    clock_hz = clock_hz or board.clock_hz
    if board.family not in LIMITS and clock_hz != board.clock_hz:
        raise NoSuchClock(
            f"clock must be that of the oscillator on {board.name}, "
            f"{board.clock_hz / 1e6:g} MHz, not {clock_hz / 1e6:g} MHz: the tools for it "
            "do not say what a machine reaches"
        )
    source_hz = board.make_platform().default_clk_frequency
    if clock_hz != source_hz:
        pll_settings(source_hz, clock_hz, board.family)
    if round(clock_hz / baud) < LEAST_DIVISOR:
        raise NoSuchClock(
            f"baud must be at most {clock_hz // LEAST_DIVISOR} with a clock of "
            f"{clock_hz / 1e6:g} MHz, not {baud}: a bit takes {LEAST_DIVISOR} cycles"
        )
    return clock_hz


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
        self.clock_hz, self.baud = check_clock(board, clock_hz, baud), baud

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
            p,
            self.contents,
            divisor=self.divisor,
            welcome=welcome,
            options=options,
            depth=self.board.link_depth,
        )
        m.d.comb += serial.reset.eq(reset)
        self._pins(m, platform, serial, reset)
        return m

    def _clock(self, m: Module, platform: Platform) -> Signal:
        """The clock; returns the reset, in step with it, high from the first cycle on."""
        # No reset by the domain: the machine spreads its own, from registers.
        m.domains.sync = ClockDomain(reset_less=True)
        pressed_now = C(0)
        if self.board.reset is not None:
            button = io.Buffer("i", platform.request(*self.board.reset, dir="-"))
            m.submodules.button, pressed_now = button, button.i
        made, steady = self._made(m, platform)
        pressed, waiting = Signal(init=1), Signal(range(_START + 1), init=_START)
        reset = Signal(init=1)
        m.submodules.reset = FFSynchronizer(pressed_now | ~steady, pressed, init=1)
        m.d.comb += ClockSignal().eq(made)
        m.d.sync += reset.eq(waiting != 0)
        with m.If(pressed):
            m.d.sync += waiting.eq(_START)
        with m.Elif(waiting != 0):
            m.d.sync += waiting.eq(waiting - 1)
        return reset

    def _made(self, m: Module, platform: Platform) -> tuple[Value, Value]:
        """The machine's clock, and whether it is steady."""
        source_hz, family = platform.default_clk_frequency, self.board.family
        pin = platform.request(platform.default_clk, 0, dir="-")
        through = self.clock_hz != source_hz
        if through and self.board.pll_pin:
            return add_pll(m, pin, pll_settings(source_hz, self.clock_hz, family), family)
        m.submodules.clock = clock = io.Buffer("i", pin)
        if through:
            return add_pll(m, clock.i, pll_settings(source_hz, self.clock_hz, family), family)
        return clock.i, Const(1)

    def _pins(self, m: Module, platform: Platform, serial: SerialCore, reset: Signal) -> None:
        lines = platform.lookup("uart", 0).ios
        uart = platform.request("uart", 0, dir={line.name: "-" for line in lines})
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
