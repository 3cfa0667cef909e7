"""The hub: tokens to all lanes, their records out, and spikes back to the lanes."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.options import DEFAULT, Options
from ..machine.params import MachineParams
from ..machine.words import OUTPUT_KINDS, output_fields
from .bus import Bus
from .collector import IN_FLIGHT, Collector
from .queue import Queue
from .shapes import record_layout, struct, token_layout

__all__ = ["Hub"]


class Hub(wiring.Component):
    """Close the ring: input tokens and the last step's spikes to the lanes, their records out.

    Members
    -------
    i : In(stream.Signature(token_layout)).
    out, word : Out. An output word (struct(output_fields)), to be taken at once.
    room : In(1). Whoever takes them has room for IN_FLIGHT + 1 words.
    valid, token : Out. The bus, to every lane. rooms : In(lanes).
    records : In(stream.Signature(record_layout)).array(lanes).
    event, stall : Out(1). To the counters.
    """

    def __init__(self, p: MachineParams, options: Options = DEFAULT) -> None:
        self.p, self.options = p, options
        super().__init__({
            "i": In(stream.Signature(token_layout(p))),
            "out": Out(1),
            "word": Out(struct(output_fields(p))),
            "room": In(1),
            "valid": Out(1),
            "token": Out(token_layout(p)),
            "rooms": In(p.lanes),
            "records": In(stream.Signature(record_layout(p))).array(p.lanes),
            "event": Out(1),
            "stall": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.bus = bus = Bus(p)
        m.submodules.collector = collector = Collector(record_layout(p), p.lanes)
        m.submodules.returns = returns = Queue(
            token_layout(p), name="returns", options=self.options, spare=IN_FLIGHT
        )
        for lane, way in zip(self.records, collector.i, strict=True):
            connect(m, flipped(lane), way)
        connect(m, flipped(self.i), bus.inputs)
        connect(m, returns.o, bus.returns)
        self._fork(m, collector, returns)
        m.d.comb += [
            collector.room.eq(self.room & returns.room),
            bus.room.eq(self.rooms),
            self.valid.eq(bus.valid),
            self.token.eq(bus.token),
            self.event.eq(bus.event),
            self.stall.eq(bus.stall),
        ]
        return m

    def _fork(self, m: Module, records: Collector, returns: Queue) -> None:
        """Records go to the output; spikes and ends also back to the bus.

        The end of a step waits in the queue until the next step has all its inputs. The end of the
        first sweep after reset ends no step: it only goes back.
        """
        record, word, token = records.o, self.word, returns.i.p
        started, kinds = Signal(), OUTPUT_KINDS
        m.d.comb += [
            self.out.eq(records.valid & (started | ~record.end)),
            word.kind.eq(Mux(record.end, kinds["end"], Mux(record.readout, kinds["readout"], 0))),
            word.last.eq(record.last & record.end),
            word.source.eq(record.source),
            word.value.eq(record.value),
            returns.i.valid.eq(records.valid & (record.end | ~(record.readout | record.last))),
            token.end.eq(record.end),
            token.source.eq(record.source),
            token.payload.eq(self.p.one if self.p.graded else 0),
        ]
        with m.If(records.valid & record.end):
            m.d.sync += started.eq(1)
