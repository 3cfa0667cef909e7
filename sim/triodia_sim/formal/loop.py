"""The end-of-step protocol of the whole machine: no event, spike or record crosses its step."""

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from triodia_hw.gateware.hub import Hub
from triodia_hw.gateware.shapes import record_layout, token_layout
from triodia_hw.gateware.signatures import Flow
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import OUTPUT_KINDS

from .order import COLOUR, InStep, never_full

__all__ = ["TRACKED", "AnyLane", "Loop", "loop_params"]

# A source number is a colour and, above it, who sends: 0 the input, 1 to ``lanes`` the lanes.
TRACKED = ("inputs", "spikes", "outputs")
_COLOURS = 1 << COLOUR


def loop_params(lanes: int) -> MachineParams:
    """A machine of as many inputs, and neurons a lane, as there are colours."""
    return MachineParams(
        inputs=_COLOURS,
        neurons=_COLOURS * lanes,
        lanes=lanes,
        payload_bits=1,
        fraction_bits=0,
        state_bits=4,
    )


class AnyLane(wiring.Component):
    """All that a lane can do, as far as the protocol goes; stands for ``Lane``.

    Has room whenever it likes, from any time after reset on. Sweeps once after reset and once for
    each end of a step: emits any number of records, none in the first sweep, then one ``end``, in
    any cycles.

    Members
    -------
    As ``Lane``; besides ``colour``: In, of the record it emits; ``sweeping``: Out(1).
    """

    def __init__(self, p: MachineParams, index: int) -> None:
        self.p, self.index = p, index
        super().__init__({
            "i": In(Flow(token_layout(p))),
            "o": Out(stream.Signature(record_layout(p))),
            "colour": In(COLOUR),
            "sweeping": Out(1, init=1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, last, record = Signal(init=1), Signal(init=1), self.o.p
        started, stays, was = Signal(), Signal(), Signal()  # an offer stays until it is taken
        m.d.comb += [
            self.i.room.eq(started & AnySeq(1)),
            self.o.valid.eq(stays | (self.sweeping & AnySeq(1))),
            record.end.eq(Mux(stays, was, first | AnySeq(1))),
            record.readout.eq(AnySeq(1)),
            record.last.eq(last),
            record.source.eq(Cat(self.colour, C(self.index + 1, len(record.source) - COLOUR))),
        ]
        m.d.sync += [
            started.eq(started | AnySeq(1)),
            stays.eq(self.o.valid & ~self.o.ready),
            was.eq(record.end),
        ]
        with m.If(self.i.valid & self.i.payload.end):
            m.d.sync += [self.sweeping.eq(1), last.eq(self.i.payload.last)]
        with m.Elif(self.o.valid & self.o.ready & record.end):
            m.d.sync += [self.sweeping.eq(0), first.eq(0)]
        return m


class Loop(wiring.Component):
    """The :class:`Hub` with any lanes, any input and any receiver; may be reset at any time.

    ``tracked`` is what the checker follows:

    - ``inputs``: events of the input are broadcast once, in order, in their step;
    - ``spikes``: those of the last lane are broadcast once, in order, in the step after theirs, and
      not at all if theirs was the last of its sequence;
    - ``outputs``: records of the last lane leave at the output once, in order, in their step.

    No end of a step reaches a lane before its sweep for the step before is done, and the queue of
    what returns has a place for whatever comes. An end that reads counts like any other.
    """

    def __init__(self, p: MachineParams, tracked: str, *, depth: int) -> None:
        if tracked not in TRACKED:
            raise ValueError(f"tracked must be one of {', '.join(TRACKED)}, not {tracked!r}")
        self.p, self.tracked, self.depth = p, tracked, depth
        super().__init__({"valid": In(1), "end": In(1), "last": In(1), "room": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.dut = dut = Hub(p, Units(queue=never_full(self.depth)))
        m.submodules.order = order = InStep(4)
        lanes = [AnyLane(p, index) for index in range(p.lanes)]
        for index, lane in enumerate(lanes):
            m.submodules[f"lane_{index}"] = lane
            connect(m, lane.o, dut.records[index])
            connect(m, dut.lanes[index], lane.i)
            with m.If(lane.i.valid & lane.i.payload.end):
                m.d.comb += Assert(~lane.sweeping)
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            dut.i.p.end.eq(self.end),
            dut.i.p.last.eq(self.last),
            dut.o.room.eq(self.room),
        ]
        if self.tracked == "inputs":
            self._inputs(m, order, dut)
        elif self.tracked == "spikes":
            self._spikes(m, order, dut, lanes[-1])
        else:
            self._outputs(m, order, dut, lanes[-1])
        return m

    def _inputs(self, m: Module, order: InStep, dut: Hub) -> None:
        taken = self.valid & dut.i.ready
        m.d.comb += [
            dut.i.p.source.eq(order.colour),
            order.push.eq(taken & ~self.end),
            order.came.eq(taken & self.end),
        ]
        self._broadcast(m, order, 0, dut)

    def _spikes(self, m: Module, order: InStep, dut: Hub, lane: AnyLane) -> None:
        taken, record = lane.o.valid & lane.o.ready, lane.o.p
        m.d.comb += [
            lane.colour.eq(order.colour),
            order.push.eq(taken & ~record.end & ~record.readout & ~record.last),
            order.came.eq(taken & record.end),
        ]
        self._broadcast(m, order, lane.index + 1, dut)

    def _broadcast(self, m: Module, order: InStep, sender: int, dut: Hub) -> None:
        flow = dut.lanes[0]
        source = flow.payload.source
        m.d.comb += [
            order.pop.eq(flow.valid & ~flow.payload.end & (source[COLOUR:] == sender)),
            order.left.eq(source[:COLOUR]),
            order.ended.eq(flow.valid & flow.payload.end),
        ]

    def _outputs(self, m: Module, order: InStep, dut: Hub, lane: AnyLane) -> None:
        taken, started = lane.o.valid & lane.o.ready, Signal()
        word = dut.o.payload
        end, source = word.kind == OUTPUT_KINDS["end"], word.source
        m.d.sync += started.eq(started | (taken & lane.o.p.end))
        m.d.comb += [
            lane.colour.eq(order.colour),
            order.push.eq(taken & ~lane.o.p.end),
            order.came.eq(taken & lane.o.p.end & started),
            order.pop.eq(dut.o.valid & ~end & (source[COLOUR:] == lane.index + 1)),
            order.left.eq(source[:COLOUR]),
            order.ended.eq(dut.o.valid & end),
        ]
