"""Loading of content memories, byte by byte, through the input stream."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import memory_shapes
from ..compile.sdram import ADDRESS_BITS, UNIT
from ..machine.params import MachineParams
from ..machine.words import MEMORY_NUMBERS
from .ram import Ram
from .signatures import LoadPort, bytes_of

__all__ = ["Loader", "write_port"]

_HEADER = 6  # bytes of a block's header: lane, memory, address and count of two bytes each


def write_port(m: Module, ram: Ram, load: wiring.FlippedInterface, memory: str) -> None:
    """Let ``load`` write to ``ram``, which holds ``memory``, if that can be written."""
    if ram.writable:
        word = Value.cast(ram.w_data)
        m.d.comb += [
            ram.w_en.eq(load.memory[MEMORY_NUMBERS[memory]]),
            ram.w_addr.eq(load.address),
            word.eq(load.data[len(load.data) - 8 * bytes_of(len(word)) :]),
        ]


class Loader(wiring.Component):
    """Write blocks of words to content memories; takes one byte per cycle.

    A block holds the PE, the memory (``MEMORY_NUMBERS``), the first address (two bytes, low byte
    first), the number of words (two bytes), then the words. Each word takes as many bytes as its
    memory's width needs, lowest byte first. Blocks follow each other; a truncated block writes
    whole words only. ``hold`` goes high with the first byte and low after the byte marked ``last``.
    In between, the PEs are held in reset; afterwards they start with cleared state.

    Members
    -------
    i : In(stream.Signature(byte, last)), always ready. o : Out(LoadPort), a write each cycle in
    which ``o.memory`` is not 0. hold : Out(1). The first address of synapse words in an SDRAM
    counts units of 256 words.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        byte = data.StructLayout({"byte": 8, "last": 1})
        super().__init__({
            "i": In(stream.Signature(byte, always_ready=True)),
            "o": Out(LoadPort(p)),
            "hold": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = {s.name: s for s in memory_shapes(self.p) if s.content}
        sizes = {n: bytes_of(shapes[name].width) for name, n in MEMORY_NUMBERS.items()}
        header = Signal(range(_HEADER + 1))
        place = Signal(range(max(sizes.values())))
        lane = Signal(8)
        memory = Signal(2)
        count = Signal(16)
        # of a word's bytes
        address = Signal(16)
        final = Signal.like(place)
        for number, bytes_ in sizes.items():
            with m.If(memory == number):
                m.d.comb += final.eq(bytes_ - 1)
        byte, written = self.i.p.byte, self.o.memory.any()
        fields = Cat(lane, memory, Signal(6), address, count)
        m.d.comb += self.o.lane.eq(lane)
        m.d.sync += self.o.memory.eq(0)
        if self.p.external:
            self._far(m, memory, address, header)
        else:
            m.d.comb += self.o.address.eq(address)
            with m.If(written):
                m.d.sync += address.eq(address + 1)
        with m.If(self.i.valid):
            m.d.sync += [self.hold.eq(1), self.o.data.eq(Cat(self.o.data[8:], byte))]
            with m.If(header != _HEADER):
                m.d.sync += [fields.eq(Cat(fields[8:], byte)), header.eq(header + 1)]
            with m.Else():
                with m.If(place == final):
                    m.d.sync += [self.o.memory.eq(1 << memory), count.eq(count - 1)]
                    with m.If(count == 1):
                        m.d.sync += header.eq(0)
            # The memory is known only after the header.
            m.d.sync += place.eq(Mux((header != _HEADER) | (place == final), 0, place + 1))
            with m.If(self.i.p.last):
                m.d.sync += header.eq(0)
        # Released when the last write has reached its memory.
        ending = Signal(4)
        m.d.sync += ending.eq(Cat(self.i.valid & self.i.p.last, ending))
        with m.If(ending[-1]):
            m.d.sync += self.hold.eq(0)
        return m

    def _far(self, m: Module, memory: Signal, first: Signal, header: Signal) -> None:
        """Addresses of more bits than a header has: it gives the first in units."""
        at = Signal(ADDRESS_BITS)
        fresh = Signal()  # the header has just ended
        far = memory == MEMORY_NUMBERS["synapses"]
        m.d.comb += self.o.address.eq(at)
        m.d.sync += fresh.eq(self.i.valid & (header == _HEADER - 1))
        with m.If(fresh):
            m.d.sync += at.eq(Mux(far, first << UNIT.bit_length() - 1, first))
        with m.Elif(self.o.memory.any()):
            m.d.sync += at.eq(at + 1)
