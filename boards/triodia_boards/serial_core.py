"""The machine behind a serial line: bytes in, bytes out."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.options import DEFAULT, Options
from triodia_hw.layout import input_fields, output_fields, width_of

from .serial import Assembler, Receiver, Splitter, Transmitter, check_divisor

__all__ = ["SerialCore"]


class SerialCore(wiring.Component):
    """The machine, its input words from ``rx`` and its output words to ``tx``.

    Words travel as groups of bytes (:class:`.serial.Assembler`), bytes as
    :class:`.serial.Receiver` has them. There is no flow control: a host sends a step only when the
    end of the last one has come back.

    Parameters
    ----------
    p, contents, options : as of :class:`triodia_hw.gateware.core.Core`.
    divisor : clock cycles a bit, at least 4.

    Members
    -------
    reset : In(1). The machine and the serial port start afresh.
    rx : In(1), asynchronous, idle high. tx : Out(1), idle high.
    waiting : Out(1), the machine waits for room to put out a word.
    """

    def __init__(
        self,
        p: MachineParams,
        contents: list[dict[str, list[int]]],
        *,
        divisor: int,
        options: Options = DEFAULT,
    ) -> None:
        self.p, self.contents, self.options = p, contents, options
        self.divisor = check_divisor(divisor)
        super().__init__({
            "reset": In(1),
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "waiting": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = Core(self.p, contents=self.contents, options=self.options)
        units = {
            "receiver": (receiver := Receiver(self.divisor)),
            "assembler": (assembler := Assembler(width_of(input_fields(self.p)))),
            "splitter": (splitter := Splitter(width_of(output_fields(self.p)))),
            "transmitter": (transmitter := Transmitter(self.divisor)),
        }
        for name, unit in units.items():
            m.submodules[name] = ResetInserter(self.reset)(unit)
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
        m.d.comb += [
            core.reset.eq(self.reset),
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            self.waiting.eq(core.o.valid & ~core.o.ready),
        ]
        return m
