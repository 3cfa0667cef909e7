"""Processing element (PE): one lane of the machine."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..compile.options import DEFAULT, Options
from ..machine.params import MachineParams
from .accumulator import Accumulator
from .fetcher import Fetcher
from .loader import load_layout
from .shapes import record_layout, token_layout
from .sweep import Sweep
from .walker import Walker

__all__ = ["Lane"]


class Lane(wiring.Component):
    """Own ``slots`` neurons: walk their rows for each event, sum, and sweep at the end of a step.

    One synaptic operation per cycle while events wait. The sweep of a step runs while events of
    the next one are accumulated; from the end token of a step to its first record out 25 cycles
    pass, to its ``end`` 25 and one per slot.

    Parameters
    ----------
    index : number of the PE. contents : words of its content memories.

    Members
    -------
    valid, token : In. A bus token, to be taken at once; only while ``room`` was high.
    room : Out(1). While it is low, 2 more tokens fit than are on their way in here.
    o : Out(stream.Signature(record_layout)).
    load : In(load_layout). Writes to its content memories, of all PEs.
    operation : Out(1). A synaptic operation was done in this cycle.
    fault : Out(1), only with parity: a word of any of its memories was read that had changed.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        index: int,
        contents: dict[str, list[int]],
        options: Options = DEFAULT,
    ) -> None:
        self.p, self.index, self.contents, self.options = p, index, contents, options
        super().__init__({
            "valid": In(1),
            "token": In(token_layout(p)),
            "room": Out(1),
            "o": Out(stream.Signature(record_layout(p))),
            "load": In(load_layout(p)),
            "operation": Out(1),
            **({"fault": Out(1)} if options.parity else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, words, options = self.p, self.contents, self.options
        m.submodules.fetcher = fetcher = Fetcher(p, init=words["pointers"], options=options)
        m.submodules.walker = walker = Walker(p, init=words["synapses"], options=options)
        m.submodules.accumulator = accumulator = Accumulator(p, options)
        m.submodules.sweep = sweep = Sweep(
            p, base=p.inputs + self.index * p.slots, init=words["neurons"], options=options
        )
        connect(m, fetcher.o, walker.i)
        connect(m, sweep.o, flipped(self.o))
        m.d.comb += [
            fetcher.valid.eq(self.valid),
            fetcher.token.eq(self.token),
            # Nothing is accumulated before the first sweep has cleared the sums.
            self.room.eq(fetcher.room & sweep.ready),
            accumulator.i.eq(walker.o),
            sweep.start.eq(accumulator.end),
            sweep.last.eq(accumulator.last),
            sweep.read.eq(accumulator.read),
            sweep.what.eq(accumulator.what),
            accumulator.sweep_addr.eq(sweep.addr),
            sweep.sum.eq(accumulator.sweep_sum),
            accumulator.clear.eq(sweep.clear),
            accumulator.clear_addr.eq(sweep.clear_addr),
            accumulator.clear_all.eq(sweep.clear_all),
            self.operation.eq(accumulator.operation),
        ]
        # Registers of its own for writes: the loader is far away. They follow only when the writes
        # are for this lane, which also keeps synthesis from sharing them among lanes. Without
        # reset: the lane is in reset while it is loaded.
        mine, load = Signal(reset_less=True), Signal(load_layout(p), reset_less=True)
        m.d.sync += mine.eq(self.load.lane == self.index)
        with m.If(mine):  # known long before the first write of a block
            m.d.sync += load.eq(self.load)
        with m.Else():
            m.d.sync += load.memory.eq(0)
        for unit in (fetcher, walker, sweep):
            m.d.comb += unit.load.eq(load)
        if options.parity:
            units = (fetcher, walker, accumulator, sweep)
            m.d.sync += self.fault.eq(Cat(unit.fault for unit in units).any())
        return m
