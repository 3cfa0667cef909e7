"""Processing element (PE): one lane of the machine."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..contract import MachineParams
from .accumulator import Accumulator
from .fetcher import Fetcher
from .options import DEFAULT, Options
from .queue import Queue
from .shapes import record_layout, token_layout
from .sweep import Sweep
from .walker import Walker

__all__ = ["Lane"]

# The bus looks at `room` a cycle late and has a register on the way: up to 3 tokens in flight.
_SPARE = 4


class Lane(wiring.Component):
    """Own ``slots`` neurons: walk their rows for each event, sum, and sweep at the end of a step.

    One synaptic operation per cycle while events wait. The sweep of a step runs while events of
    the next one are accumulated; from the end token of a step to its first record out 26 cycles
    pass, to its ``end`` 26 and one per slot.

    Parameters
    ----------
    index : number of the PE. contents : words of its content memories.

    Members
    -------
    valid, token : In. A bus token, to be taken at once; only while ``room`` was high.
    room : Out(1). At least 5 more tokens fit.
    o : Out(stream.Signature(record_layout)).
    operation : Out(1). A synaptic operation was done in this cycle.
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
            "operation": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, words = self.p, self.contents
        m.submodules.events = events = Queue(token_layout(p), spare=_SPARE)
        m.submodules.fetcher = fetcher = Fetcher(p, init=words["pointers"])
        m.submodules.walker = walker = Walker(p, init=words["synapses"])
        m.submodules.accumulator = accumulator = Accumulator(p, self.options)
        m.submodules.sweep = sweep = Sweep(
            p,
            base=p.inputs + self.index * p.slots,
            init=words["neurons"],
            options=self.options,
        )
        connect(m, fetcher.o, walker.i)
        connect(m, sweep.o, flipped(self.o))
        m.d.comb += [
            events.i.valid.eq(self.valid),
            events.i.payload.eq(self.token),
            self.room.eq(events.room),
            # Nothing is accumulated before the first sweep has cleared the sums.
            fetcher.i.valid.eq(events.o.valid & sweep.ready),
            fetcher.i.payload.eq(events.o.payload),
            events.o.ready.eq(fetcher.i.ready & sweep.ready),
            accumulator.i.eq(walker.o),
            sweep.start.eq(accumulator.end),
            sweep.last.eq(accumulator.last),
            accumulator.sweep_addr.eq(sweep.addr),
            sweep.sum.eq(accumulator.sweep_sum),
            accumulator.clear.eq(sweep.clear),
            accumulator.clear_addr.eq(sweep.clear_addr),
            accumulator.clear_all.eq(sweep.clear_all),
            self.operation.eq(accumulator.operation),
        ]
        return m
