"""The machine: lanes on a bus, streams in and out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..contract import MachineParams
from ..layout import INPUT_KINDS, OUTPUT_KINDS, input_fields, output_fields
from .bus import Bus
from .counters import COUNTERS, Counters
from .lane import Lane
from .merge import Merge, merge_tree
from .options import DEFAULT, Options
from .queue import Buffer, Queue
from .shapes import record_layout, struct, token_layout

__all__ = ["Core"]


class Core(wiring.Component):
    """Sparse event-driven LIF accelerator, computing :mod:`triodia_hw.contract` bit for bit.

    A step takes about ``max(slots, events, largest synaptic load of a PE)`` cycles. Back-pressure
    on either stream stops the machine and changes no result; the words of a step leave in any
    order, its end last. A receiver that stops taking words in the end stops the input too.

    Parameters
    ----------
    p : machine. contents : for each PE, words by memory name (:func:`triodia_hw.memory.contents`).
    options : how it is built; changes nothing it computes.

    Members
    -------
    i : In(stream.Signature(struct(input_fields))).
    o : Out(stream.Signature(struct(output_fields))).
    One ``Out(32)`` for each of :data:`triodia_hw.gateware.counters.COUNTERS`.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        options: Options = DEFAULT,
    ) -> None:
        self.p, self.contents, self.options = p, contents, options
        super().__init__({
            "i": In(stream.Signature(struct(input_fields(p)))),
            "o": Out(stream.Signature(struct(output_fields(p)))),
            **{name: Out(32) for name in COUNTERS},
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        lanes = []
        for index, words in enumerate(self.contents):
            lane = Lane(p, index=index, contents=words, options=self.options)
            m.submodules[f"lane_{index}"] = lane
            lanes.append(lane)
        m.submodules.bus = bus = Bus(p)
        m.submodules.counters = counters = Counters(p.lanes)
        for index, lane in enumerate(lanes):
            m.d.comb += [
                lane.valid.eq(bus.valid),
                lane.token.eq(bus.token),
                bus.room[index].eq(lane.room),
                counters.operation[index].eq(lane.operation),
            ]
        records = merge_tree(m, record_layout(p), [lane.o for lane in lanes])
        m.submodules.join = join = Merge(token_layout(p), 2)
        self._feed(m, join.i[0])
        self._fork(m, records, join.i[1])
        connect(m, join.o, bus.i)
        m.d.comb += [
            counters.event.eq(bus.event),
            counters.bus_stall.eq(bus.stall),
            counters.output_stall.eq(self.o.valid & ~self.o.ready),
            *(getattr(self, name).eq(getattr(counters, name)) for name in COUNTERS),
        ]
        return m

    def _feed(self, m: Module, tokens: stream.Interface) -> None:
        """Input words become tokens; inputs are the first sources."""
        m.submodules.inputs = inputs = Queue(self.i.payload.shape())
        connect(m, flipped(self.i), inputs.i)
        word = inputs.o.p
        m.d.comb += [
            tokens.valid.eq(inputs.o.valid),
            inputs.o.ready.eq(tokens.ready),
            tokens.p.end.eq(word.kind == INPUT_KINDS["end"]),
            tokens.p.last.eq(word.last),
            tokens.p.source.eq(word.source),
            tokens.p.payload.eq(word.payload if self.p.graded else 0),
        ]

    def _fork(self, m: Module, records: stream.Interface, tokens: stream.Interface) -> None:
        """Records go to the output; spikes and ends also back to the bus.

        The end of a step waits in the buffer until the next step has all its inputs. The end of the
        first sweep after reset ends no step: it only goes back.
        """
        m.submodules.outputs = outputs = Queue(self.o.payload.shape())
        m.submodules.returns = returns = Buffer(token_layout(self.p))
        connect(m, outputs.o, flipped(self.o))
        connect(m, returns.o, tokens)
        record, word, token = records.p, outputs.i.p, returns.i.p
        started, out, back = Signal(), Signal(), Signal()
        kinds = OUTPUT_KINDS
        m.d.comb += [
            out.eq(started | ~record.end),
            back.eq(record.end | ~(record.readout | record.last)),
            outputs.i.valid.eq(records.valid & out & (returns.i.ready | ~back)),
            returns.i.valid.eq(records.valid & back & (outputs.i.ready | ~out)),
            records.ready.eq((outputs.i.ready | ~out) & (returns.i.ready | ~back)),
            word.kind.eq(Mux(record.end, kinds["end"], Mux(record.readout, kinds["readout"], 0))),
            word.last.eq(record.last & record.end),
            word.source.eq(record.source),
            word.value.eq(Mux(record.readout & ~record.end, record.value, 0)),
            token.end.eq(record.end),
            token.source.eq(record.source),
            token.payload.eq(self.p.one if self.p.graded else 0),
        ]
        with m.If(records.valid & records.ready & record.end):
            m.d.sync += started.eq(1)
