"""Description of a board, and the top level that puts the machine on it."""

import hashlib
import re
from dataclasses import dataclass, replace

from amaranth import *
from amaranth.build import Platform
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from triodia_hw.compile.options import DEFAULT, Options
from triodia_hw.compile.sdram import SdramTiming
from triodia_hw.export.rtlil import triodia_version
from triodia_hw.gateware.link.link import DEPTH
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.params import MachineParams

from .flow.pll import LIMITS, NoSuchClock, add_pll, pll_settings
from .link.serial import LEAST_DIVISOR
from .link.serial_core import SerialCore
from .parts import Part
from .pins import NO_PINS, NO_TOOLS, PinGroup, Tools, make_platform
from .sdram import join_sdram_pins

__all__ = ["BAUD", "Board", "BoardTop", "check_clock", "is_name", "link_depth"]

BAUD = 1_000_000

_START = 255  # cycles of reset after the PLL locks


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA; :mod:`.datafile` reads it from its file.

    Parameters
    ----------
    name : name on the command line. title : what a person calls it.
    family : FPGA family (:data:`triodia_hw.compile.family.FAMILIES`). device : the FPGA, as its
        maker orders it. package, speed : its package and speed grade, where ``device`` does not
        say. part : what the FPGA holds.
    clock : pin of the oscillator. oscillator_hz : its frequency.
    serial : pins ``rx`` (into the FPGA) and ``tx``. connect : what to plug into them.
    leds : up to four, in order of :class:`BoardTop`'s signals.
    sdram : pins of its SDRAM in order of :data:`.pins.SDRAM`, if it has one.
    reset : the push button that resets the machine, if there is one.
    clock_hz : the machine's clock, made by a PLL unless it equals the oscillator's.
    pll_pin : the oscillator's pin must be dedicated to the PLL (iCE40).
    tools : what the board asks of the tools.
    luts, registers, blocks, multipliers, single_port : as of ``part``, for less than all of it.
    link_depth : bytes of each of the link's two buffers, together two block RAMs.
    """

    name: str
    family: str
    device: str
    part: Part
    clock: PinGroup
    oscillator_hz: int
    serial: PinGroup
    title: str = ""
    package: str = ""
    speed: str = ""
    connect: str = ""
    leds: PinGroup = NO_PINS
    reset: PinGroup | None = None
    sdram: PinGroup | None = None
    clock_hz: int = 100_000_000
    pll_pin: bool = False
    tools: Tools = NO_TOOLS
    luts: int = 0
    registers: int = 0
    blocks: int = 0
    multipliers: int = 0
    single_port: int = 0
    link_depth: int = DEPTH

    @classmethod
    def of_part(cls, part: Part, **known: object) -> "Board":
        """A board with all of its FPGA."""
        counts = {k: getattr(part, k) for k in "luts registers blocks multipliers".split()}
        return cls(part=part, single_port=part.single_port, **counts, **known)

    @property
    def multiplier_bits(self) -> int:
        """Bits of a factor of a multiplier."""
        return self.part.multiplier_bits

    @property
    def chip(self) -> tuple[str, ...]:
        """nextpnr's options for the FPGA."""
        if self.part.chip:
            return (f"--device={self.device}", f"--vopt=family={self.part.chip}")
        speed = (f"--speed={self.speed}",) if self.speed else ()
        return (self.part.option, f"--package={self.package}", *speed)

    @property
    def pack_options(self) -> tuple[str, ...]:
        """Options of the packing tool."""
        return (*(("-d", self.part.chip) if self.part.chip else ()), *self.tools.pack)

    def digest(self) -> str:
        """Digest of everything that is known of the board."""
        known = repr(self) if self.sdram else repr(self).replace(", sdram=None", "")
        return hashlib.sha256(known.encode()).hexdigest()

    def make_platform(self, *, split: bool = False) -> Platform:
        """Make the Amaranth platform, with all resources; ``split`` as in :mod:`.pins`."""
        return make_platform(self, split=split)


def is_name(text: str) -> bool:
    """Whether a board can be called so: the name is part of file names."""
    return re.fullmatch(r"[a-z0-9](?:[a-z0-9_.-]{0,38}[a-z0-9])?", text) is not None


def link_depth(family: str) -> int:
    """Bytes of each of the link's buffers: half on an iCE40, whose block RAMs are small."""
    return 256 if family == "ice40" else DEPTH


def check_clock(
    board: Board, clock_hz: int | None, baud: int, p: MachineParams | None = None
) -> int:
    """Return the machine's clock in Hz: ``clock_hz``, or the board's default.

    Raises :class:`.pll.NoSuchClock` if the board cannot make it or it is too slow for the serial
    port, and :class:`ContractError` if the SDRAM of a machine of ``p`` does not run at it."""
    clock_hz = clock_hz or board.clock_hz
    if p is not None and p.external:
        SdramTiming.at(clock_hz)
    if board.family not in LIMITS and clock_hz != board.clock_hz:
        raise NoSuchClock(
            f"clock must be that of the oscillator on {board.name}, "
            f"{board.clock_hz / 1e6:g} MHz, not {clock_hz / 1e6:g} MHz: the tools for it "
            "do not say what a machine reaches"
        )
    source_hz = board.oscillator_hz
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
        self.board, self.p, self.contents = board, p, contents
        self.clock_hz, self.baud = check_clock(board, clock_hz, baud), baud
        timing = {"sdram": SdramTiming.at(self.clock_hz)} if p.external else {}
        self.options = replace(options, **timing)

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
        if p.external:
            join_sdram_pins(m, platform, serial.sdram)
        return m

    def _clock(self, m: Module, platform: Platform) -> Signal:
        """Add the clock; return a synchronous reset that is high from the first cycle."""
        # The domain has no reset: the machine distributes its own, from registers.
        m.domains.sync = ClockDomain(reset_less=True)
        pressed_now = C(0)
        if self.board.reset is not None:
            button = io.Buffer("i", platform.request("button", 0, dir="-"))
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
        source_hz, family = self.board.oscillator_hz, self.board.family
        pin = platform.request("clk", 0, dir="-")
        through = self.clock_hz != source_hz
        if through and self.board.pll_pin:
            return add_pll(m, pin, pll_settings(source_hz, self.clock_hz, family), family)
        m.submodules.clock = clock = io.Buffer("i", pin)
        if through:
            return add_pll(m, clock.i, pll_settings(source_hz, self.clock_hz, family), family)
        return clock.i, Const(1)

    def _pins(self, m: Module, platform: Platform, serial: SerialCore, reset: Signal) -> None:
        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-"})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.FFBuffer("o", uart.tx)
        m.d.comb += [serial.rx.eq(rx.i), tx.o.eq(serial.tx)]
        lights = (~reset, serial.open, self._shown(m, serial.waiting, "waiting"))
        lights += (self._shown(m, serial.refused, "refused"),)
        for number, light in zip(range(len(self.board.leds.pins)), lights, strict=False):
            led = io.FFBuffer("o", platform.request("led", number, dir="-"))
            m.submodules[f"led_{number}"] = led
            m.d.comb += led.o.eq(light)

    def _shown(self, m: Module, event: Value, name: str) -> Value:
        """Stretch ``event`` until an eye can see it."""
        left = Signal(range(self.clock_hz // 100 + 1), name=f"{name}_shown")
        with m.If(event):
            m.d.sync += left.eq(self.clock_hz // 100)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return left != 0
