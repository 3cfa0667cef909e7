"""The dense machine: gather the inputs of a step, visit every weight, put out what changed."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from ...compile.options import Options
from ...machine.params import MachineParams, bits_for
from ...machine.words import COUNTERS, INPUT_KINDS
from ..core import machine_ports
from ..counters import Counters
from ..top import Top
from ..units import Units
from .lane import DenseLane
from .records import DenseRecords
from .source import DenseSource

__all__ = ["DENSE", "DenseCore", "DenseTop"]

# Small memories: shared by all PEs, or a word a neuron.
DENSE = Options(distributed=("x", "spikes", "state"), loadable=False)


class DenseCore(wiring.Component):
    """Time-stepped LIF accelerator without events, computing :mod:`triodia_hw.machine.neuron`.

    All PEs visit the weights of one neuron each at the same time, one a cycle, whatever is silent;
    while they sum the next neuron, this one is updated and put out. A step takes
    ``compile.dense.Dense.step_cycles``. Takes input words between steps only, and neither loads nor
    reads back: such words are dropped.

    Ports are those of :class:`..core.Core`. ``events`` counts input events, ``operations`` visits.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units(DENSE)
        super().__init__(machine_ports(p))

    def elaborate(self, platform: object) -> Elaboratable:
        m = Module()
        p, words = self.p, self.contents
        visits = len(words[0]["weights"]) // p.slots
        # Reset from a register: its way to every register is the longest of all.
        units, outer, reset = self.units, Module(), Signal(init=1)
        outer.d.sync += reset.eq(self.reset)
        outer.submodules.control = ResetInserter(reset)(m)
        source = units.add(outer, "source", DenseSource(p, visits, units), reset)
        lanes = [
            units.add(outer, f"lane_{index}", DenseLane(p, contents=own, units=units), reset)
            for index, own in enumerate(words)
        ]
        records = units.add(outer, "records", DenseRecords(p, units), reset)
        counters = units.add(outer, "counters", Counters(p.lanes), reset)
        connect(m, records.o, flipped(self.o))
        # Gather inputs, visit all weights, end: one of these is high. After reset all is visited
        # once for nothing, which clears state, inputs and spikes.
        gather = Signal()
        going = Signal(init=1)
        ending = Signal()
        first = Signal(init=1)
        last = Signal()
        over = self._visit(m, source, lanes, records, going)
        with m.If(self._gather(m, source, last, gather)):
            m.d.sync += [gather.eq(0), going.eq(1)]
        with m.If(over):
            m.d.sync += [going.eq(0), ending.eq(1)]
        with m.If(records.ended):
            m.d.sync += [ending.eq(0), gather.eq(1), first.eq(0)]
        m.d.comb += [
            source.blank.eq(first),
            source.swap.eq(records.ended),
            records.end.eq(ending & ~records.busy),
            records.mute.eq(first),
            records.last.eq(last),
            *(lane.zero.eq(first | last) for lane in lanes),
        ]
        silent = first | last  # the step after starts from zero
        m.d.sync += [
            source.store.eq(lanes[0].o.valid),
            source.spikes.eq(Mux(silent, 0, Cat(lane.o.payload.spike for lane in lanes))),
        ]
        self._count(m, source, counters)
        return outer

    def _visit(
        self,
        m: Module,
        source: DenseSource,
        lanes: list[DenseLane],
        records: DenseRecords,
        going: Signal,
    ) -> Value:
        """Visit weight after weight while ``going``; returns when the last one of all is visited.

        The last of a neuron waits until the neuron before has left.
        """
        p = self.p
        at = Signal.like(lanes[0].weight)
        slot = Signal(bits_for(p.slots))
        fresh = Signal(init=1)
        updated = Signal.like(slot)
        visit = Signal()
        final = slot == p.slots - 1
        m.d.comb += [
            visit.eq(going & ~(source.last & records.busy)),
            source.visit.eq(visit),
            source.clear.eq(final),
            records.start.eq(visit & source.last),
        ]
        with m.If(visit):
            m.d.sync += [at.eq(at + 1), fresh.eq(source.last)]
            with m.If(source.last):
                m.d.sync += [updated.eq(slot), slot.eq(slot + 1)]
                with m.If(final):
                    m.d.sync += [at.eq(0), slot.eq(0)]
        flags = Cat(fresh, visit & source.last)
        late = [Signal.like(flags, name=f"flags_{n}") for n in (1, 2, 3)]
        m.d.sync += [later.eq(early) for early, later in zip([flags, *late], late, strict=False)]
        for lane, record in zip(lanes, records.i, strict=True):
            m.d.comb += [
                lane.weight.eq(at),
                lane.slot.eq(updated),
                Cat(lane.operand.first, lane.operand.last).eq(late[-1]),
                lane.operand.x.eq(source.x),
                record.valid.eq(lane.o.valid),
                record.payload.eq(lane.o.payload),
            ]
        m.d.comb += [source.slot.eq(updated), records.slot.eq(updated)]
        return visit & source.last & final

    def _gather(self, m: Module, source: DenseSource, last: Signal, gather: Signal) -> Value:
        """Take the inputs of a step; returns when its end comes."""
        word, taken = self.i.p, self.i.valid & self.i.ready
        end = taken & (word.kind == INPUT_KINDS["end"])
        m.d.comb += [
            self.i.ready.eq(gather & ~self.reset),
            source.event.eq(taken & (word.kind == INPUT_KINDS["event"])),
            source.channel.eq(word.source),
            source.payload.eq(word.payload),
        ]
        with m.If(end):
            m.d.sync += last.eq(word.last)
        return end

    def _count(self, m: Module, source: DenseSource, counters: Counters) -> None:
        m.d.comb += [
            counters.bus_stall.eq(self.i.valid & ~self.i.ready),
            counters.event.eq(source.event),
            counters.operation.eq(source.visit.replicate(self.p.lanes)),
            counters.output_stall.eq(self.o.valid & ~self.o.ready),
            *(getattr(self, name).eq(getattr(counters, name)) for name in COUNTERS),
        ]


class DenseTop(Top):
    """:class:`..top.Top` of a dense machine."""

    machine = DenseCore

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        super().__init__(p, contents=contents, units=units or Units(DENSE))
