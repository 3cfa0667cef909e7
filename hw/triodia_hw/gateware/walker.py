"""Row walker: from row segments to synapses, one word per cycle."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import read_bits, row_depth, synapse_fields
from .loader import write_port
from .shapes import row_layout, struct
from .signatures import LoadPort, SynapsePort
from .units import Units

__all__ = ["Walker"]


class Walker(wiring.Component):
    """Read the words of each row: latency 5 cycles, one word per cycle, no gap between rows.

    Rows leave in order. A row of ``n`` words takes ``n`` cycles, the end of a step one cycle. The
    accumulator takes every word at once, so the output needs no ``ready``. The target of a word
    lies ``gap + 1`` slots after the previous word's target; in the first word of a row, after slot
    -1, or after ``base`` where rows are shared.

    Parameters
    ----------
    init : contents of the synapse memory.

    Members
    -------
    i : In(stream.Signature(row_layout)).
    o : Out(SynapsePort), registered.
    fault : Out(1), 0 without parity: of the memory. load : In(LoadPort), to the synapse memory.
    """

    def __init__(self, p: MachineParams, *, init: list[int], units: Units | None = None) -> None:
        self.p, self.init, self.units = p, init, units or Units()
        super().__init__({
            "i": In(stream.Signature(row_layout(p))),
            "o": Out(SynapsePort(p)),
            "load": In(LoadPort(p)),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        synapses = self.units.memory(
            m,
            struct(synapse_fields(p)),
            depth=row_depth(p.synapse_words),
            init=self.init,
            name="synapses",
        )
        write_port(m, synapses, self.load, "synapses")
        m.d.comb += self.fault.eq(synapses.fault)
        row = Signal(row_layout(p))  # the rest of the row: next address, words left
        busy = Signal()
        first = Signal()
        m.d.comb += [self.i.ready.eq(~busy | row.single), synapses.r_addr.eq(row.start)]
        m.d.sync += first.eq(self.i.ready)
        with m.If(self.i.ready):
            m.d.sync += [busy.eq(self.i.valid), row.eq(self.i.payload)]
        with m.Else():
            m.d.sync += [
                row.start.eq(row.start + 1),
                row.length.eq(row.length - 1),
                row.single.eq(row.length == 2),
            ]
        # Cycles 1 and 2: the memory reads. 3: its blocks, if it has several, have become a word. 4:
        # the word's target. Registers without reset become the multiplier's own.
        what = row.start[: read_bits(p)]
        flags = Cat(busy & ~row.end, busy & row.end, row.last, row.read, what, first)
        stages, payloads = [flags], [row.payload]
        for k in range(1, 5):
            stages.append(Signal(len(flags), name=f"flags_{k}"))
            payloads.append(Signal(row.payload.shape(), name=f"payload_{k}", reset_less=True))
            m.d.sync += [stages[k].eq(stages[k - 1]), payloads[k].eq(payloads[k - 1])]
        base = Const(-1)
        if p.shared_rows:
            bases = [row.base, *(Signal.like(row.base, reset_less=True) for _ in range(3))]
            m.d.sync += [bases[k + 1].eq(bases[k]) for k in range(3)]
            base = bases[3]
        out, half = self.o.payload, p.weight_bits // 2
        word = Signal(struct(synapse_fields(p)), reset_less=True)
        weight = Signal(word.weight.shape(), reset_less=True)
        target = Signal(len(out.target), reset_less=True)
        m.d.sync += [
            word.eq(synapses.r_data),
            weight.eq(word.weight),
            target.eq(Mux(stages[3][-1], base, target) + word.gap + 1),
            out.some.eq(Cat(word.weight[:half].any(), word.weight[half:].any())),
        ]
        m.d.comb += [
            Cat(self.o.valid, self.o.end, self.o.last, self.o.read, self.o.what).eq(stages[4]),
            out.payload.eq(payloads[4]),
            out.weight.eq(weight),
            out.target.eq(target),
        ]
        return m
