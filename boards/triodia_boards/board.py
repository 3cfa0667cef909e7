"""Description of a board, and the top level that puts the machine on it."""

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

_START = 255  # cycles of reset after the PLL locks

Led = tuple[str, int, str]  # resource, its number, its subsignal or ""


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA.

    Parameters
    ----------
    name : name on the command line. platform : makes the Amaranth platform (pins, clock).
    family : FPGA family (:data:`triodia_hw.compile.family.FAMILIES`).
    device : nextpnr's option for the FPGA. package, speed : its package and speed grade, where
        ``device`` does not say. chip_options : further nextpnr options for the chip.
    luts : 4-input look-up tables. blocks : block RAMs. multipliers : of ``multiplier_bits``.
    single_port : large single-port memories, which start empty.
    pll_pin : the oscillator's pin must be dedicated to the PLL (iCE40).
    pack_options : options of the packing tool.
    reset : resource of the push button that resets the machine, if there is one.
    leds : up to four, in order of :class:`BoardTop`'s signals.
    resources : resources the platform lacks, such as a serial port on free pins.
    clock_hz : the machine's clock, made by a PLL unless it equals the oscillator's.
    link_depth : bytes of each of the link's two buffers, together two block RAMs.
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
        """Make the Amaranth platform, with all resources."""
        platform = self.platform()
        platform.add_resources(self.resources)
        return platform


def check_clock(board: Board, clock_hz: int | None, baud: int) -> int:
    """Return the machine's clock in Hz: ``clock_hz``, or the board's default.

    Raises :class:`.pll.NoSuchClock` if the board cannot make it or it is too slow for the serial
    port."""
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

    Everything is in reset while the button is pressed, while the PLL is unlocked, and for some
    cycles after. LEDs: out of reset; session open; machine waits for room to send; frame refused
    (each lit for about 10 ms).

    Parameters
    ----------
    p, contents, options : as for :class:`triodia_hw.gateware.core.Core`.
    clock_hz : the machine's clock; default the board's. baud : of the serial port.
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
        """Clock cycles per bit on the serial line."""
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
        """Add the clock; return a synchronous reset that is high from the first cycle."""
        # The domain has no reset: the machine distributes its own, from registers.
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
        """Make the machine's clock; return the clock and whether it is locked."""
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
        """Stretch ``event`` until an eye can see it."""
        left = Signal(range(self.clock_hz // 100 + 1), name=f"{name}_shown")
        with m.If(event):
            m.d.sync += left.eq(self.clock_hz // 100)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return left != 0
