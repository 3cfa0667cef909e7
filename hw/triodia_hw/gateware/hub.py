"""The hub: sends tokens to all PEs, their records to the output, and spikes back to the PEs."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..machine.params import MachineParams
from ..machine.words import OUTPUT_KINDS, output_fields
from .bus import Bus
from .collector import IN_FLIGHT, Collector
from .queue import Queue
from .shapes import record_layout, struct, token_layout
from .signatures import Flow
from .units import Units
from .wheel import Wheel

__all__ = ["Hub"]


class Hub(wiring.Component):
    """Close the ring: send input tokens and the last step's spikes to the PEs, collect records.

    Members
    -------
    i : In(stream.Signature(token_layout)).
    o : Out(Flow(struct(output_fields))). While ``room`` is low, IN_FLIGHT words may still come.
    lanes : Out(Flow(token_layout)).array(lanes). The bus.
    records : In(stream.Signature(record_layout)).array(lanes).
    event, stall : Out(1). To the counters.
    fault : Out(1), 0 without parity or delays: of the wheel's memories.
    """

    def __init__(self, p: MachineParams, units: Units | None = None) -> None:
        self.p, self.units = p, units or Units()
        super().__init__({
            "i": In(stream.Signature(token_layout(p))),
            "o": Out(Flow(struct(output_fields(p)))),
            "lanes": Out(Flow(token_layout(p))).array(p.lanes),
            "records": In(stream.Signature(record_layout(p))).array(p.lanes),
            "event": Out(1),
            "stall": Out(1),
            **({"fault": Out(1)} if p.delays else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        bus = self.units.add(m, "bus", Bus(p))
        collector = self.units.add(m, "collector", Collector(record_layout(p), p.lanes))
        returns = self.units.queue(m, token_layout(p), name="returns", spare=IN_FLIGHT)
        for lane, way in zip(self.records, collector.i, strict=True):
            connect(m, flipped(lane), way)
        for way, lane in zip(bus.lanes, self.lanes, strict=True):
            connect(m, way, flipped(lane))
        connect(m, flipped(self.i), bus.inputs)
        connect(m, returns.o, bus.returns)
        if p.delays:
            wheel = self.units.add(m, "wheel", Wheel(p, self.units))
            connect(m, bus.kept, wheel.i)
            connect(m, wheel.o, bus.replays)
            m.d.comb += self.fault.eq(wheel.fault)
        self._fork(m, collector.o, returns)
        m.d.comb += [
            collector.o.room.eq(self.o.room & returns.room),
            self.event.eq(bus.event),
            self.stall.eq(bus.stall),
        ]
        return m

    def _fork(self, m: Module, records: wiring.PureInterface, returns: Queue) -> None:
        """Send records to the output, and spikes and ends also back to the bus.

        The end of a step waits in the queue until the next step has all its inputs. The end of the
        first sweep after a reset ends no step and only goes back to the bus.
        """
        record, word, token = records.payload, self.o.payload, returns.i.p
        started = Signal()
        kinds = OUTPUT_KINDS
        m.d.comb += [
            self.o.valid.eq(records.valid & (started | ~record.end)),
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
