"""Neuron sweep: the contract's update of every neuron of a PE, one per cycle."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.contents import read_words
from ..machine.neuron import NEURON
from ..machine.params import MachineParams, bits_for
from ..machine.words import READ_KINDS, neuron_fields, read_bits, row_depth, state_fields
from .loader import write_port
from .neuron import NeuronUpdate
from .queue import Queue
from .ram import Ram
from .shapes import record_layout, struct
from .signatures import LoadPort, SumPort
from .units import Units

__all__ = ["Sweep"]

# Records that may still come when the output queue's room goes low: those of the neurons in the
# pipeline, from the memories' address to the queue.
_SPARE = 11


class Sweep(wiring.Component):
    """Update all neurons of a PE at the end of a step: ``slots + 1`` cycles, 1 neuron per cycle.

    Emits a record for each spike and each readout in order of slots, then one ``end``; a spike
    leaves 13 cycles after its neuron is read. A neuron starts only when its record is sure of a
    place in the output queue, so the pipeline never waits half-way and nothing is lost.

    With ``read`` it emits the word ``what`` of every slot's state, as a readout, and changes
    nothing.

    After reset it sweeps once by itself: state and sums become zero, only the ``end`` is emitted,
    and ``ready`` goes high. The same happens to the state after a ``last`` step.

    Parameters
    ----------
    init : contents of the neuron memory.

    Members
    -------
    base : In. Source number of the first slot, a constant.
    sums : In(SumPort). ``end`` begins a sweep; never while one is under way.
    ready : Out(1). Events may come: the first sweep is done.
    o : Out(stream.Signature(record_layout)).
    load : In(LoadPort), to the neuron memory.
    fault : Out(1), 0 without parity: of either memory.
    """

    def __init__(self, p: MachineParams, *, init: list[int], units: Units | None = None) -> None:
        self.p, self.init, self.units = p, init, units or Units()
        super().__init__({
            "base": In(bits_for(p.sources)),
            "sums": In(SumPort(p)),
            "ready": Out(1),
            "o": Out(stream.Signature(record_layout(p))),
            "load": In(LoadPort(p)),
            "fault": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        update = self.units.add(m, "update", NEURON.create(p, self.units))
        queue = self.units.queue(m, record_layout(p), name="records", spare=_SPARE)
        connect(m, queue.o, flipped(self.o))
        state, neurons = self._memories(m)

        slot = Signal(range(p.slots + 1))
        finish = Signal()
        issue = Signal()
        busy = Signal(init=1)
        last = Signal(init=1)
        first = Signal(init=1)
        read = Signal()
        what = Signal(read_bits(p))
        m.d.comb += [issue.eq(busy & queue.room), finish.eq(slot == p.slots)]
        asked = Cat(self.sums.last, self.sums.read, self.sums.what)
        with m.If(self.sums.end):
            m.d.sync += [busy.eq(1), slot.eq(0), Cat(last, read, what).eq(asked)]
        with m.Elif(issue):
            m.d.sync += slot.eq(slot + 1)
            with m.If(finish):
                m.d.sync += busy.eq(0)

        # Cycles 1 and 2: the memories read; then their words enter the pipeline.
        flags = Cat(issue, finish)
        reading = [Signal.like(flags, name=f"reading_{k}") for k in (1, 2)]
        m.d.sync += [reading[0].eq(flags), reading[1].eq(reading[0])]
        m.d.comb += [
            state.r_addr.eq(slot),
            # Behind the neurons lie parameters by which an update comes out as a word of the state.
            neurons.r_addr.eq(Mux(read, p.slots + what, slot)),
            self.ready.eq(~first),
            update.read.eq(read),
            update.rest.eq(read & (what == READ_KINDS["r"])),
            Cat(update.i.valid, update.i.payload.end).eq(reading[1]),
            update.i.payload.neuron.eq(neurons.r_data),
            update.i.payload.state.eq(state.r_data),
            update.zero.eq(last),
        ]
        if p.adaptive:
            m.d.comb += update.adapted.eq(read & (what == READ_KINDS["b"]))
        self._sums(m, update, first, read)
        self._retire(m, update.o, state, queue, Cat(last, first, read))
        return m

    def _memories(self, m: Module) -> tuple[Ram, Ram]:
        p = self.p
        state = self.units.memory(m, struct(state_fields(p)), depth=p.slots, name="state")
        neurons = self.units.memory(
            m,
            struct(neuron_fields(p)),
            depth=row_depth(p.slots + len(read_words(p))),
            init=self.init,
            name="neurons",
        )
        write_port(m, neurons, self.load, "neurons")
        m.d.comb += self.fault.eq(state.fault | neurons.fault)
        return state, neurons

    def _sums(self, m: Module, update: NeuronUpdate, first: Signal, read: Signal) -> None:
        """Ask for each neuron's sum just in time, and clear it afterwards.

        Neurons pass in order, so a counter at each end of the pipeline replaces a tag along it.
        """
        slot = Signal(range(self.p.slots + 1))
        sums = self.sums
        m.d.comb += [
            sums.addr.eq(slot),
            sums.clear_all.eq(first),
            update.sum.eq(sums.sum),
        ]
        m.d.sync += [
            sums.clear.eq(update.fetch.valid & ~update.fetch.payload.end & ~read),
            sums.clear_addr.eq(slot),
        ]
        with m.If(update.fetch.valid):
            m.d.sync += slot.eq(Mux(update.fetch.payload.end, 0, slot + 1))

    def _retire(
        self, m: Module, out: stream.Interface, state: Ram, queue: Queue, flags: Value
    ) -> None:
        """Write the new state (zero at the end of a sequence) and emit what there is to emit.

        The flags hold until the end has passed: the next sweep waits for it.
        """
        p, record, done = self.p, queue.i.p, out.payload
        last, first, read = flags
        slot = Signal(range(p.slots + 1))
        source = Signal(bits_for(p.sources))
        with m.If(out.valid):
            m.d.sync += [slot.eq(slot + 1), source.eq(source + 1)]
            with m.If(done.end):
                m.d.sync += [slot.eq(0), source.eq(self.base), first.eq(0)]
        # Written a cycle later: the state memory may be far from what else waits for the update.
        write = Signal()
        address = Signal(len(state.w_addr), reset_less=True)
        new = Signal(len(done.state.as_value()), reset_less=True)
        m.d.sync += [
            write.eq(out.valid & ~done.end & ~read),
            address.eq(slot),
            new.eq(done.state),
        ]
        m.d.comb += [
            state.w_en.eq(write),
            state.w_addr.eq(address),
            state.w_data.eq(new),
            queue.i.valid.eq(out.valid & (done.end | (~first & (done.spike | done.readout)))),
            record.end.eq(done.end),
            record.last.eq(last),
            record.readout.eq(done.readout),
            record.source.eq(source),
            record.value.eq(done.value),
        ]
