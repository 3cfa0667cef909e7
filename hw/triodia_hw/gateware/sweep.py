"""Neuron sweep: the contract's update of every neuron of a PE, one per cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..contract import MachineParams, bits_for
from ..layout import neuron_fields, row_depth, state_fields
from ..memory import accumulator_width
from .neuron import NeuronUpdate
from .options import DEFAULT, Options
from .queue import Queue
from .ram import Ram
from .shapes import record_layout, struct

__all__ = ["Sweep"]

_DEPTH = 16  # records that may wait, or be on their way through the neuron pipeline


class Sweep(wiring.Component):
    """Update all neurons of a PE at the end of a step: ``slots + 1`` cycles, 1 neuron per cycle.

    Emits a record for each spike and each readout in order of slots, then one ``end``; a spike
    leaves 11 cycles after its neuron is read. A neuron starts only when its record is sure of a
    place in the output queue, so the pipeline never waits half-way and nothing is lost.

    After reset it sweeps once by itself: state and sums become zero, only the ``end`` is emitted,
    and ``ready`` goes high. The same happens to the state after a ``last`` step.

    Parameters
    ----------
    base : source number of the first slot. init : contents of the neuron memory.

    Members
    -------
    start, last : In(1). Begin; the step is the last of its sequence. Never while ``busy``.
    addr, sum : address to the accumulator, and the sum one cycle later.
    clear, clear_addr, clear_all : to the accumulator.
    ready : Out(1). Events may come: the first sweep is done.
    o : Out(stream.Signature(record_layout)).
    """

    def __init__(
        self, p: MachineParams, *, base: int, init: list[int], options: Options = DEFAULT
    ) -> None:
        self.p, self.base, self.init, self.options = p, base, init, options
        addr = bits_for(p.slots)
        super().__init__({
            "start": In(1),
            "last": In(1),
            "addr": Out(addr),
            "sum": In(signed(accumulator_width(p))),
            "clear": Out(1),
            "clear_addr": Out(addr),
            "clear_all": Out(1),
            "ready": Out(1),
            "o": Out(stream.Signature(record_layout(p))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.update = update = NeuronUpdate(p)
        m.submodules.queue = queue = Queue(record_layout(p), depth=_DEPTH)
        connect(m, queue.o, flipped(self.o))
        state, neurons = self._memories(m)

        slot, finish, issue = Signal(range(p.slots + 1)), Signal(), Signal()
        busy, last, first = Signal(init=1), Signal(init=1), Signal(init=1)
        places = Signal(range(_DEPTH + 1), init=_DEPTH)
        m.d.comb += [issue.eq(busy & (places != 0)), finish.eq(slot == p.slots)]
        with m.If(self.start):
            m.d.sync += [busy.eq(1), last.eq(self.last), slot.eq(0)]
        with m.Elif(issue):
            m.d.sync += slot.eq(slot + 1)
            with m.If(finish):
                m.d.sync += busy.eq(0)

        # Cycle 1: the memories read. Cycle 2: their words, registered, enter the pipeline.
        reading, ending = Signal(), Signal()
        m.d.comb += [state.r_addr.eq(slot), neurons.r_addr.eq(slot), self.ready.eq(~first)]
        m.d.sync += [
            reading.eq(issue),
            ending.eq(finish),
            update.i.valid.eq(reading),
            update.i.end.eq(ending),
            update.i.neuron.eq(neurons.r_data),
            update.i.state.eq(state.r_data),
        ]
        self._sums(m, update, first)
        self._retire(m, update.o, state, queue, last, first)
        left, taken = Signal(), Signal()  # places given back
        m.d.sync += [
            left.eq(update.o.valid & ~queue.i.valid),
            taken.eq(queue.o.valid & queue.o.ready),
            places.eq(places - issue + left + taken),
        ]
        return m

    def _memories(self, m: Module) -> tuple[Ram, Ram]:
        p = self.p
        m.submodules.state = state = Ram(
            struct(state_fields(p)), depth=p.slots, options=self.options
        )
        m.submodules.neurons = neurons = Ram(
            struct(neuron_fields(p)), depth=row_depth(p.slots), init=self.init
        )
        return state, neurons

    def _sums(self, m: Module, update: NeuronUpdate, first: Signal) -> None:
        """Ask for each neuron's sum just in time, and clear it behind.

        Neurons pass in order, so a counter at each end of the pipeline does for a tag along it.
        """
        slot = Signal(range(self.p.slots + 1))
        m.d.comb += [self.addr.eq(slot), self.clear_all.eq(first)]
        m.d.sync += [
            self.clear.eq(update.fetch.valid & ~update.fetch.end),
            self.clear_addr.eq(slot),
            update.sum.eq(self.sum),
        ]
        with m.If(update.fetch.valid):
            m.d.sync += slot.eq(Mux(update.fetch.end, 0, slot + 1))

    def _retire(
        self,
        m: Module,
        done: data.View,
        state: Ram,
        queue: Queue,
        last: Signal,
        first: Signal,
    ) -> None:
        """Write the new state (zero at the end of a sequence) and emit what there is to emit.

        ``last`` and ``first`` hold until the end has passed: the next sweep waits for it.
        """
        p, record = self.p, queue.i.p
        slot, source = Signal(range(p.slots + 1)), Signal(bits_for(p.sources), init=self.base)
        with m.If(done.valid):
            m.d.sync += [slot.eq(slot + 1), source.eq(source + 1)]
            with m.If(done.end):
                m.d.sync += [slot.eq(0), source.eq(self.base), first.eq(0)]
        m.d.comb += [
            state.w_en.eq(done.valid & ~done.end),
            state.w_addr.eq(slot),
            queue.i.valid.eq(done.valid & (done.end | (~first & (done.spike | done.readout)))),
            record.end.eq(done.end),
            record.last.eq(last),
            record.readout.eq(done.readout),
            record.source.eq(source),
            record.value.eq(done.value),
        ]
        with m.If(~last):
            m.d.comb += state.w_data.eq(done.state)
