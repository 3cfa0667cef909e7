"""Neuron sweep: the contract's update of every neuron of a PE, one per cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.contents import accumulator_width, read_words
from ..compile.options import DEFAULT, Options
from ..machine.params import MachineParams, bits_for
from ..machine.words import READ_KINDS, neuron_fields, row_depth, state_fields
from .loader import load_layout, write_port
from .neuron import NeuronUpdate
from .queue import Queue
from .ram import Ram
from .shapes import record_layout, struct

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
    base : source number of the first slot. init : contents of the neuron memory.

    Members
    -------
    start, last, read, what : In. Begin; the flags of the step's end. Never while one is under way.
    addr, sum : address to the accumulator, and the sum two cycles later.
    clear, clear_addr, clear_all : to the accumulator.
    ready : Out(1). Events may come: the first sweep is done.
    o : Out(stream.Signature(record_layout)).
    load : In(load_layout), to the neuron memory.
    fault : Out(1), only with parity: of either memory.
    """

    def __init__(
        self, p: MachineParams, *, base: int, init: list[int], options: Options = DEFAULT
    ) -> None:
        self.p, self.base, self.init, self.options = p, base, init, options
        addr = bits_for(p.slots)
        super().__init__({
            "start": In(1),
            "last": In(1),
            "read": In(1),
            "what": In(2),
            "addr": Out(addr),
            "sum": In(signed(accumulator_width(p))),
            "clear": Out(1),
            "clear_addr": Out(addr),
            "clear_all": Out(1),
            "ready": Out(1),
            "o": Out(stream.Signature(record_layout(p))),
            "load": In(load_layout(p)),
            **({"fault": Out(1)} if options.parity else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        m.submodules.update = update = NeuronUpdate(p, self.options)
        m.submodules.queue = queue = Queue(
            record_layout(p), name="records", options=self.options, spare=_SPARE
        )
        connect(m, queue.o, flipped(self.o))
        state, neurons = self._memories(m)

        slot, finish, issue = Signal(range(p.slots + 1)), Signal(), Signal()
        busy, last, first = Signal(init=1), Signal(init=1), Signal(init=1)
        read, what = Signal(), Signal(2)
        m.d.comb += [issue.eq(busy & queue.room), finish.eq(slot == p.slots)]
        with m.If(self.start):
            m.d.sync += [
                busy.eq(1),
                slot.eq(0),
                Cat(last, read, what).eq(Cat(self.last, self.read, self.what)),
            ]
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
            Cat(update.i.valid, update.i.end).eq(reading[1]),
            update.i.neuron.eq(neurons.r_data),
            update.i.state.eq(state.r_data),
            update.zero.eq(last),
        ]
        self._sums(m, update, first, read)
        self._retire(m, update.o, state, queue, Cat(last, first, read))
        return m

    def _memories(self, m: Module) -> tuple[Ram, Ram]:
        p = self.p
        m.submodules.state = state = Ram(
            struct(state_fields(p)), depth=p.slots, name="state", options=self.options
        )
        m.submodules.neurons = neurons = Ram(
            struct(neuron_fields(p)),
            depth=row_depth(p.slots + len(read_words(p))),
            init=self.init,
            name="neurons",
            options=self.options,
        )
        write_port(m, neurons, self.load, "neurons")
        if self.options.parity:
            m.d.comb += self.fault.eq(state.fault | neurons.fault)
        return state, neurons

    def _sums(self, m: Module, update: NeuronUpdate, first: Signal, read: Signal) -> None:
        """Ask for each neuron's sum just in time, and clear it behind.

        Neurons pass in order, so a counter at each end of the pipeline does for a tag along it.
        """
        slot = Signal(range(self.p.slots + 1))
        m.d.comb += [
            self.addr.eq(slot),
            self.clear_all.eq(first),
            update.sum.eq(self.sum),
        ]
        m.d.sync += [
            self.clear.eq(update.fetch.valid & ~update.fetch.end & ~read),
            self.clear_addr.eq(slot),
        ]
        with m.If(update.fetch.valid):
            m.d.sync += slot.eq(Mux(update.fetch.end, 0, slot + 1))

    def _retire(self, m: Module, done: data.View, state: Ram, queue: Queue, flags: Value) -> None:
        """Write the new state (zero at the end of a sequence) and emit what there is to emit.

        The flags hold until the end has passed: the next sweep waits for it.
        """
        p, record = self.p, queue.i.p
        last, first, read = flags
        slot, source = Signal(range(p.slots + 1)), Signal(bits_for(p.sources), init=self.base)
        with m.If(done.valid):
            m.d.sync += [slot.eq(slot + 1), source.eq(source + 1)]
            with m.If(done.end):
                m.d.sync += [slot.eq(0), source.eq(self.base), first.eq(0)]
        # Written a cycle later: the state memory may be far from what else waits for the update.
        write, address = Signal(), Signal(len(state.w_addr), reset_less=True)
        new = Signal(len(done.state.as_value()), reset_less=True)
        m.d.sync += [
            write.eq(done.valid & ~done.end & ~read),
            address.eq(slot),
            new.eq(done.state),
        ]
        m.d.comb += [
            state.w_en.eq(write),
            state.w_addr.eq(address),
            state.w_data.eq(new),
            queue.i.valid.eq(done.valid & (done.end | (~first & (done.spike | done.readout)))),
            record.end.eq(done.end),
            record.last.eq(last),
            record.readout.eq(done.readout),
            record.source.eq(source),
            record.value.eq(done.value),
        ]
