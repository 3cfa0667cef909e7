"""Processing element (PE): one lane of the machine."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.sdram import WORD_BITS
from ..machine.params import MachineParams
from .accumulator import Accumulator
from .fetcher import Fetcher
from .sdram_walker import SdramWalker
from .shapes import record_layout, token_layout
from .signatures import LOAD, Flow, LoadPort, SdramPort
from .sweep import Sweep
from .units import Units
from .walker import Walker

__all__ = ["Lane"]


class Lane(wiring.Component):
    """Own ``slots`` neurons: walk their rows for each event, sum, and sweep at the end of a step.

    A PE does one synaptic operation per cycle while events wait. The sweep of a step runs while
    events of the next step are accumulated. From the end token of a step, the first record takes
    25 cycles, and ``end`` takes 25 cycles plus one per slot.

    Parameters
    ----------
    contents : words of its content memories.

    Members
    -------
    index : In(8). Number of the PE, a constant.
    i : In(Flow(token_layout)). The bus. While ``room`` is low, 2 more tokens fit than are on their
        way here.
    o : Out(stream.Signature(record_layout)).
    load : In(LoadPort). Writes to content memories, of all PEs.
    operation : Out(1). A synaptic operation was done in this cycle.
    fault : Out(1), 0 without parity: a word of any of its memories was read that had changed.
    memory : Out(SdramPort), word : In(16). Only with synapses in an SDRAM.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: dict[str, list[int]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        outside = {"memory": Out(SdramPort()), "word": In(WORD_BITS)} if p.external else {}
        super().__init__({
            "index": In(8),
            "i": In(Flow(token_layout(p))),
            "o": Out(stream.Signature(record_layout(p))),
            "load": In(LoadPort(p)),
            "operation": Out(1),
            "fault": Out(1),
            **outside,
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, words, units = self.p, self.contents, self.units
        fetcher = units.add(m, "fetcher", Fetcher(p, init=words["pointers"], units=units))
        walker = units.add(m, "walker", self._walker())
        accumulator = units.add(m, "accumulator", Accumulator(p, units))
        sweep = units.add(m, "sweep", Sweep(p, init=words["neurons"], units=units))
        connect(m, fetcher.o, walker.i)
        connect(m, walker.o, accumulator.i)
        connect(m, accumulator.sweep, sweep.sums)
        connect(m, sweep.o, flipped(self.o))
        if p.external:
            connect(m, walker.memory, flipped(self.memory))
            m.d.comb += walker.word.eq(self.word)
        m.d.comb += [
            fetcher.i.valid.eq(self.i.valid),
            fetcher.i.payload.eq(self.i.payload),
            # Nothing is accumulated before the first sweep has cleared the sums.
            self.i.room.eq(fetcher.i.room & sweep.ready),
            sweep.base.eq(p.inputs + self.index * p.slots),
            self.operation.eq(accumulator.operation),
        ]
        # Registers of its own for writes: the loader is far away. They follow only when the writes
        # are for this lane, which also keeps synthesis from sharing them among lanes. Without
        # reset: the lane is in reset while it is loaded.
        mine = Signal(reset_less=True)
        ports = (fetcher.load, *([] if p.external else [walker.load]), sweep.load)
        m.d.sync += mine.eq(self.load.lane == self.index)
        for name in LOAD:
            given = getattr(self.load, name)
            late = Signal.like(given, name=f"load_{name}", reset_less=True)
            with m.If(mine):  # known long before the first write of a block
                m.d.sync += late.eq(given)
            if name == "memory":
                with m.Else():
                    m.d.sync += late.eq(0)
            m.d.comb += [getattr(port, name).eq(late) for port in ports]
        faults = Cat(unit.fault for unit in (fetcher, walker, accumulator, sweep))
        m.d.sync += self.fault.eq(faults.any())
        return m

    def _walker(self) -> Walker | SdramWalker:
        if self.p.external:
            return SdramWalker(self.p, units=self.units)
        return Walker(self.p, init=self.contents["synapses"], units=self.units)
