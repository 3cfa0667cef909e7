"""The SDRAM of a machine: its controller, and the way of loaded words to it."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.sdram import ADDRESS_BITS, WORD_BITS
from ..machine.params import MachineParams
from ..machine.words import MEMORY_NUMBERS, synapse_fields, width_of
from .sdram import Sdram
from .signatures import LoadPort, SdramPins, SdramPort, bytes_of
from .units import Units

__all__ = ["SdramSide"]

_SPARE = 4  # words on their way when `room` goes low, and more


class SdramSide(wiring.Component):
    """Read rows from the SDRAM and write loaded words to it.

    Only the first reset starts the memory anew; in later ones it keeps its contents.

    Members
    -------
    reset : In(1). read : In(SdramPort). word : Out(16). failed : Out(1). pins : Out(SdramPins).
    load : In(LoadPort). room : Out(1). Bytes of a load may come.
    """

    def __init__(self, p: MachineParams, units: Units | None = None) -> None:
        self.p, self.units = p, units or Units()
        super().__init__({
            "reset": In(1),
            "read": In(SdramPort()),
            "load": In(LoadPort(p)),
            "word": Out(WORD_BITS),
            "failed": Out(1),
            "room": Out(1),
            "pins": Out(SdramPins()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        new = Signal(init=1)
        with m.If(~self.reset):
            m.d.sync += new.eq(0)
        sdram = Sdram(self.units.options.sdram)
        self.units.add(m, "sdram", sdram, self.reset & new)
        item = data.StructLayout({"address": ADDRESS_BITS, "word": WORD_BITS})
        writes = self.units.queue(m, item, name="writes", like="inputs", spare=_SPARE)
        connect(m, writes.o, sdram.write)
        connect(m, flipped(self.read), sdram.read)
        connect(m, sdram.pins, flipped(self.pins))
        width, load = width_of(synapse_fields(self.p)), self.load
        m.d.comb += [
            self.word.eq(sdram.word),
            self.failed.eq(sdram.failed),
            self.room.eq(writes.room),
            writes.i.valid.eq(load.memory[MEMORY_NUMBERS["synapses"]] & (load.lane == 0)),
            writes.i.p.address.eq(load.address),
            writes.i.p.word.eq(load.data[len(load.data) - 8 * bytes_of(width) :][:width]),
        ]
        return m
