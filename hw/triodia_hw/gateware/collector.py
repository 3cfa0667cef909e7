"""Merge the records of all PEs into one flow."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .signatures import Flow

__all__ = ["IN_FLIGHT", "Collector"]

IN_FLIGHT = 5  # records that may still come after a cycle in which ``room`` is low


class Collector(wiring.Component):
    """Collect from ``ways`` streams step by step; latency 4 cycles, throughput 1 record per cycle.

    Items (payloads without ``end``) of one input keep their order; inputs take turns, so an item
    waits for at most ``2 * ways`` others. A single busy input passes an item every third cycle. An
    input at its ``end`` waits until all inputs are at theirs; then one ``end`` leaves, with the
    payload of input 0. So no item crosses the end of its step.

    Every register of the way is an input's own or the flow's, so distance costs no more than it
    must: an input's payload is zero unless granted, and all are ORed.

    Members
    -------
    i : In(stream.Signature(shape)).array(ways). ``shape`` has a field ``end``.
    o : Out(Flow(shape)). While ``room`` is low, :data:`IN_FLIGHT` records may still come.
    """

    def __init__(self, shape: data.StructLayout, ways: int) -> None:
        if ways < 1:
            raise ValueError(f"ways must be at least 1, not {ways!r}")
        self.shape, self.ways = shape, ways
        super().__init__({
            "i": In(stream.Signature(shape)).array(ways),
            "o": Out(Flow(shape)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal(self.ways)
        turn = Signal(self.ways)
        behind = Signal(self.ways)
        grant = Signal(self.ways)
        go = Signal()
        ends = Signal()
        end = Signal()
        # A turn serves those that wait when it begins, lowest first; then the next one begins.
        m.d.comb += [
            waiting.eq(Cat(i.valid & ~i.p.end for i in self.i) & ~grant & ~turn),
            behind.eq(turn & Cat(turn[:k].any() for k in range(self.ways))),
            ends.eq(Cat(i.valid & i.p.end for i in self.i).all()),
        ]
        with m.If(go & ~behind.any()):
            m.d.sync += turn.eq(waiting)
        with m.Elif(go):
            m.d.sync += turn.eq(behind)
        with m.Elif(~turn.any()):
            m.d.sync += turn.eq(waiting)
        m.d.sync += [
            go.eq(self.o.room),
            grant.eq(Mux(go, turn & ~behind, 0)),
            end.eq(ends & go & ~end),
        ]
        gated = [Signal(self.shape.size, name=f"gated_{k}") for k in range(self.ways)]
        some = Signal()
        flow = Signal(self.shape.size)
        for k, i in enumerate(self.i):
            m.d.comb += i.ready.eq(grant[k] | end)
            mine = grant[k] | end if k == 0 else grant[k]
            m.d.sync += gated[k].eq(Mux(mine, i.payload.as_value(), 0))
        m.d.sync += [some.eq(grant.any() | end), self.o.valid.eq(some), flow.eq(_any(gated))]
        m.d.comb += self.o.payload.eq(flow)
        return m


def _any(values: list[Value]) -> Value:
    """Bitwise OR."""
    result = values[0]
    for value in values[1:]:
        result = result | value
    return result
