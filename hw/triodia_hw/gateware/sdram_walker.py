"""Row walker of a machine whose synapses lie in an SDRAM."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compile.sdram import ADDRESS_BITS, COLUMN_BITS, PAGE, WORD_BITS
from ..machine.params import MachineParams
from ..machine.words import read_bits, synapse_fields
from .shapes import payload_shape, row_layout, struct
from .signatures import SdramPort, SynapsePort
from .units import Units

__all__ = ["SdramWalker"]


def _tag(p: MachineParams) -> data.StructLayout:
    """What passes beside a word while the memory reads it, or in its place."""
    flags = dict.fromkeys(("end", "last", "read", "first"), 1)
    return data.StructLayout(flags | {"what": read_bits(p), "payload": payload_shape(p)})


class SdramWalker(wiring.Component):
    """Read the words of each row from an SDRAM: one word per cycle while its rows open in time.

    Rows leave in order, and are read in bursts that stay within a page. While one burst runs, the
    next is asked for, so that the memory opens its page. The end of a step takes a cycle. From the
    first cycle of a burst, its first synapse takes ``latency + 2`` cycles.

    Members
    -------
    i : In(stream.Signature(row_layout)). o : Out(SynapsePort), registered. fault : Out(1), 0.
    memory : Out(SdramPort). word : In(16). What was read ``latency`` cycles ago.
    """

    def __init__(self, p: MachineParams, *, units: Units | None = None) -> None:
        self.p, self.latency = p, (units or Units()).options.sdram.latency
        super().__init__({
            "i": In(stream.Signature(row_layout(p))),
            "o": Out(SynapsePort(p)),
            "memory": Out(SdramPort()),
            "word": In(WORD_BITS),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, memory = self.p, self.memory
        row = Signal(row_layout(p))  # the rest of a row that no burst has
        some = Signal()
        first = Signal()
        tag = Signal(_tag(p))  # of the next burst, or an end
        waits = Signal()
        words = Signal(range(PAGE + 1))
        address = Signal(ADDRESS_BITS)
        left = Signal(range(PAGE))  # words that are still to be asked for
        begins = Signal()
        take = Signal()
        m.d.comb += [
            memory.valid.eq(waits & ~tag.end),
            memory.address.eq(address),
            memory.more.eq(left != 0),
            begins.eq(waits & Mux(tag.end, left == 0, memory.ready)),
            take.eq(some & (~waits | begins)),
        ]
        room = Signal(range(PAGE + 1))  # words to the end of the page
        whole = Signal()
        m.d.comb += [
            room.eq(PAGE - row.start[:COLUMN_BITS]),
            whole.eq(row.end | (row.length <= room)),
            self.i.ready.eq(~some | (take & whole)),
        ]
        with m.If(self.i.ready):
            m.d.sync += [some.eq(self.i.valid), row.eq(self.i.payload), first.eq(1)]
        with m.Elif(take):
            page = row.start[COLUMN_BITS:] + 1
            m.d.sync += [row.start.eq(page << COLUMN_BITS), row.length.eq(row.length - room)]
            m.d.sync += first.eq(0)
        with m.If(~waits | begins):
            m.d.sync += waits.eq(some)
            m.d.sync += [address.eq(row.start), words.eq(Mux(whole, row.length, room))]
            m.d.sync += [getattr(tag, name).eq(row[name]) for name in ("end", "last", "read")]
            m.d.sync += [tag.what.eq(row.start), tag.payload.eq(row.payload), tag.first.eq(first)]
        with m.If(begins & ~tag.end):
            m.d.sync += left.eq(words - 1)
        with m.Elif(memory.more):
            m.d.sync += left.eq(left - 1)
        running = Signal(_tag(p))  # of the burst that runs
        with m.If(begins):
            m.d.sync += [running.eq(tag), running.first.eq(0)]
        asked = Signal(_tag(p))
        m.d.comb += asked.eq(Mux(begins, tag, running))
        self._words(m, asked, (begins & ~tag.end) | memory.more, begins & tag.end)
        return m

    def _words(self, m: Module, asked: data.View, valid: Value, end: Value) -> None:
        """Synapses from words that come ``latency`` cycles after they were asked for."""
        p, out, tags = self.p, self.o.payload, [asked]
        flags = [Cat(valid, end)]
        for k in range(1, self.latency + 3):
            flags.append(Signal(2, name=f"flags_{k}"))
            tags.append(Signal(_tag(p), name=f"tag_{k}", reset_less=True))
            m.d.sync += [flags[k].eq(flags[k - 1]), tags[k].eq(tags[k - 1])]
        half = p.weight_bits // 2
        word = Signal(struct(synapse_fields(p)), reset_less=True)
        weight = Signal(word.weight.shape(), reset_less=True)
        target = Signal(len(out.target), reset_less=True)
        m.d.sync += [
            word.eq(self.word),
            weight.eq(word.weight),
            out.some.eq(Cat(word.weight[:half].any(), word.weight[half:].any())),
        ]
        with m.If(flags[-2][0]):  # a row may pause where its next page is opened
            m.d.sync += target.eq(Mux(tags[-2].first, -1, target) + word.gap + 1)
        m.d.comb += [
            Cat(self.o.valid, self.o.end).eq(flags[-1]),
            *(getattr(self.o, name).eq(tags[-1][name]) for name in ("last", "read", "what")),
            out.payload.eq(tags[-1].payload),
            out.weight.eq(weight),
            out.target.eq(target),
        ]
