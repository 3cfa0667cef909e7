"""What a board is, and the top level that puts the machine on it."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth import *
from amaranth.build import Platform
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.options import DEFAULT, Options
from triodia_hw.layout import input_fields, output_fields, width_of

from .serial import Assembler, Receiver, Splitter, Transmitter

__all__ = ["BAUD", "Board", "BoardTop"]

BAUD = 1_000_000


@dataclass(frozen=True)
class Board:
    """A board and the resources of its FPGA.

    Parameters
    ----------
    name : as on the command line. platform : makes the Amaranth platform (pins, clock).
    device : nextpnr's option for the FPGA. package, speed : of the FPGA.
    luts : 4-input look-up tables. blocks : 18-Kbit block RAMs. multipliers : 18 x 18 bit.
    reset : resource of the push button that resets the machine.
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


class BoardTop(Elaboratable):
    """The machine behind the board's serial port, on the board's own oscillator.

    Input words arrive and output words leave as groups of bytes (:class:`.serial.Assembler`) at
    :data:`BAUD`. A LED shows that the machine is out of reset, the next that it waits for room to
    put out a word. The serial port has no flow control: a host sends a step only when the
    end of the last one has come back.
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
        self._clock(m, platform)
        m.submodules.core = core = Core(self.p, contents=self.contents, options=self.options)
        divisor = round(platform.default_clk_frequency / BAUD)
        m.submodules.receiver = receiver = Receiver(divisor)
        m.submodules.assembler = assembler = Assembler(width_of(input_fields(self.p)))
        m.submodules.splitter = splitter = Splitter(width_of(output_fields(self.p)))
        m.submodules.transmitter = transmitter = Transmitter(divisor)
        for source, sink in (
            (receiver.o, assembler.i),
            (assembler.o, core.i),
            (core.o, splitter.i),
            (splitter.o, transmitter.i),
        ):
            m.d.comb += [
                sink.valid.eq(source.valid),
                Value.cast(sink.payload).eq(Value.cast(source.payload)),
                source.ready.eq(sink.ready),
            ]
        self._pins(m, platform, receiver, transmitter, core)
        return m

    def _clock(self, m: Module, platform: Platform) -> None:
        m.domains.sync = ClockDomain()
        clock = io.Buffer("i", platform.request(platform.default_clk, 0, dir="-"))
        button = io.Buffer("i", platform.request(*self.board.reset, dir="-"))
        m.submodules.clock, m.submodules.button = clock, button
        m.d.comb += ClockSignal().eq(clock.i)
        # Asserted in step with the clock too: an edge in between could upset what reset does not.
        m.submodules.reset = FFSynchronizer(button.i, ResetSignal())

    def _pins(
        self,
        m: Module,
        platform: Platform,
        receiver: Receiver,
        transmitter: Transmitter,
        core: Core,
    ) -> None:
        uart = platform.request("uart", 0, dir={"rx": "-", "tx": "-", "rts": "-", "dtr": "-"})
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.FFBuffer("o", uart.tx)
        m.d.comb += [receiver.rx.eq(rx.i), tx.o.eq(transmitter.tx)]
        for index, light in enumerate((~ResetSignal(), core.o.valid & ~core.o.ready)):
            led = io.FFBuffer("o", platform.request("led", index, dir="-"))
            m.submodules[f"led_{index}"] = led
            m.d.comb += led.o.eq(light)
