"""The machine: streams in and out of the ring, loading, and reading back."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Member, Out, connect, flipped

from ..machine.params import MachineParams
from ..machine.words import (
    COUNTERS,
    INPUT_KINDS,
    READ_KINDS,
    input_fields,
    output_fields,
    read_bits,
)
from .collector import IN_FLIGHT
from .counters import Counters
from .hub import Hub
from .lane import Lane
from .loader import Loader
from .report import Report
from .sdram_side import SdramSide
from .shapes import payload_shape, struct
from .signatures import SdramPins
from .units import Units

__all__ = ["Core", "machine_ports"]


def _word_layout(p: MachineParams) -> data.StructLayout:
    """An input word, decoded."""
    kinds = dict.fromkeys(("load", "counts", "token", "end", "read", "last"), 1)
    _, _, (_, source_bits, _), _ = input_fields(p)
    return data.StructLayout(kinds | {"source": source_bits, "payload": payload_shape(p)})


def machine_ports(p: MachineParams) -> dict[str, Member]:
    """Ports of a machine: reset, its streams, and a counter each."""
    return {
        "reset": In(1),
        "i": In(stream.Signature(struct(input_fields(p)))),
        "o": Out(stream.Signature(struct(output_fields(p)))),
        **{name: Out(32) for name in COUNTERS},
    }


class Core(wiring.Component):
    """Sparse event-driven LIF accelerator, computing :mod:`triodia_hw.machine.neuron` bit for bit.

    A step takes about ``max(slots, events, most words a PE walks)`` cycles. Back-pressure on either
    stream stops the machine and changes no result. The words of a step leave in any order, its end
    last. If the receiver stops taking words, the machine eventually stops taking input.

    A "read" word is answered between steps, with the state of every slot and an end, or with the
    counters. "load" words (:class:`.loader.Loader`) replace memory contents; after the last one the
    machine is in the same state as after a reset. Take all output of a step before loading.

    Parameters
    ----------
    p : machine. contents : for each PE, words by memory name.
    units : how it is built; changes nothing it computes.

    Members
    -------
    reset : In(1). High for at least a cycle; no word is taken until the machine starts afresh. The
        registers' own reset by the clock domain is not needed.
    i : In(stream.Signature(struct(input_fields))).
    o : Out(stream.Signature(struct(output_fields))).
    One ``Out(32)`` for each of :data:`triodia_hw.gateware.counters.COUNTERS`.
    fault : Out(1), 0 without parity. A memory word that had changed by itself was read
        since the machine started afresh; high before anything made of that word is put out.
        With synapses in an SDRAM: the SDRAM answered wrongly when it was tested.
    sdram : Out(SdramPins). Only with synapses in an SDRAM.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        outside = {"sdram": Out(SdramPins())} if p.external else {}
        super().__init__(machine_ports(p) | {"fault": Out(1)} | outside)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, units = self.p, self.units
        # Resets come from registers: their way to every register is the longest of all.
        # They hold until the last lane has its own.
        reset = Signal(init=1)
        closed = Signal(init=1)
        stretch = Signal(p.lanes + 2, init=-1)
        m.d.sync += [
            stretch.eq(Cat(self.reset, stretch)),
            reset.eq(self.reset | stretch.any()),
        ]
        words, spare = self.o.payload.shape(), IN_FLIGHT + 1
        counters = units.add(m, "counters", Counters(p.lanes), reset)
        inputs = units.queue(m, _word_layout(p), name="inputs", reset=reset)
        outputs = units.queue(m, words, name="outputs", spare=spare, reset=reset)
        report = units.add(m, "report", Report(p), reset)
        loader = units.add(m, "loader", Loader(p), reset)
        hub = units.add(m, "hub", Hub(p, units), closed)
        side = units.add(m, "memory", SdramSide(p, units)) if p.external else None
        self._lanes(m, hub, loader, counters, closed, side)
        # Everything between the streams is in reset while a network is loaded, until the last lane,
        # which gets it later, is in reset too.
        held = Signal(p.lanes + 1, init=-1)
        again = reset | loader.hold
        m.d.sync += [held.eq(Cat(again, held)), closed.eq(again | held.any())]
        self._feed(m, inputs.o, hub, report, loader, closed, side)
        if side is not None:
            self._memory(m, side, loader, reset)

        connect(m, outputs.o, flipped(self.o))
        self._decode(m, inputs.i.p)
        m.d.comb += [
            inputs.i.valid.eq(self.i.valid & ~reset),
            self.i.ready.eq(inputs.i.ready & ~reset),
            hub.o.room.eq(outputs.room),
            outputs.i.valid.eq(hub.o.valid | (report.o.valid & outputs.room)),
            outputs.i.payload.eq(Mux(hub.o.valid, hub.o.payload, report.o.payload)),
            report.o.ready.eq(outputs.room & ~hub.o.valid),
            report.counts.eq(Cat(getattr(counters, name) for name in COUNTERS)),
            counters.event.eq(hub.event),
            counters.bus_stall.eq(hub.stall),
            counters.output_stall.eq(self.o.valid & ~self.o.ready),
            *(getattr(self, name).eq(getattr(counters, name)) for name in COUNTERS),
        ]
        return m

    def _lanes(
        self,
        m: Module,
        hub: Hub,
        loader: Loader,
        counters: Counters,
        closed: Signal,
        side: SdramSide | None,
    ) -> None:
        """Add the lanes, each with a reset register of its own.

        Each takes its reset from the one before, so that synthesis cannot make one of them.
        """
        before, faults = closed, [hub.fault] if self.p.delays else []
        for index, words in enumerate(self.contents):
            reset = Signal(name=f"reset_{index}")
            lane = Lane(self.p, contents=words, units=self.units)
            self.units.add(m, f"lane_{index}", lane, reset)
            m.d.sync += reset.eq(before)
            before = reset
            connect(m, lane.o, hub.records[index])
            connect(m, hub.lanes[index], lane.i)
            faults.append(lane.fault)
            if side is not None:
                connect(m, lane.memory, side.read)
                m.d.comb += lane.word.eq(side.word)
                faults.append(side.failed)
            m.d.comb += [
                lane.index.eq(index),
                *(
                    getattr(lane.load, n).eq(getattr(loader.o, n))
                    for n in lane.load.signature.members
                ),
                counters.operation[index].eq(lane.operation),
            ]
        m.d.sync += self.fault.eq((self.fault | Cat(faults).any()) & ~closed)

    def _feed(
        self,
        m: Module,
        words: stream.Interface,
        hub: Hub,
        report: Report,
        loader: Loader,
        closed: Value,
        side: SdramSide | None,
    ) -> None:
        """Input words become tokens (inputs are the first sources), or go where they belong."""
        word = words.p
        token = hub.i.p
        calm = Signal()
        opened = Signal()
        load = word.load if side is None else word.load & side.room
        # No token between the first byte of a load and the lanes' new start.
        closing = (words.valid & word.load) | loader.hold | closed
        m.d.sync += [calm.eq(~report.busy & ~report.start), opened.eq(~closing)]
        m.d.comb += [
            hub.i.valid.eq(words.valid & word.token & opened),
            words.ready.eq(load | (word.counts & calm) | (word.token & hub.i.ready & opened)),
            *(token[name].eq(word[name]) for name in ("end", "last", "read", "source", "payload")),
            report.start.eq(words.valid & word.counts & calm),
            # Without loadable memories a load does nothing.
            loader.i.valid.eq(words.valid & load & self.units.options.loadable),
            loader.i.p.byte.eq(word.source),
            loader.i.p.last.eq(word.last),
        ]

    def _decode(self, m: Module, word: data.View) -> None:
        """What an input word is, found out before it waits in the queue."""
        i = self.i.p
        read = i.kind == INPUT_KINDS["read"]
        counts = read & (i.source[: read_bits(self.p)] == READ_KINDS["counters"])
        load = i.kind == INPUT_KINDS["load"]
        m.d.comb += [
            word.load.eq(load),
            word.counts.eq(counts),
            word.token.eq(~(load | counts)),
            word.end.eq(read | (i.kind == INPUT_KINDS["end"])),
            word.read.eq(read),
            word.last.eq(i.last & ~read),
            word.source.eq(i.source),
            word.payload.eq(i.payload if self.p.graded else 0),
        ]

    def _memory(self, m: Module, side: SdramSide, loader: Loader, reset: Signal) -> None:
        connect(m, side.pins, flipped(self.sdram))
        m.d.comb += side.reset.eq(reset)
        m.d.comb += [
            getattr(side.load, n).eq(getattr(loader.o, n)) for n in side.load.signature.members
        ]
