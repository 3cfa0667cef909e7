"""Merging streams of items that end in step marks."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .queue import Buffer

__all__ = ["Merge", "merge_tree"]


class Merge(wiring.Component):
    """Merge ``ways`` streams step by step; latency 1 cycle, throughput 1 payload per cycle.

    Items (payloads without ``end``) pass in any order among the inputs, in order within each, by
    round robin: an input that has an item waits for at most ``ways - 1`` others. An input at its
    ``end`` waits until all are; then one ``end`` leaves, with the payload of input 0. So no item
    crosses the end of its step.

    Members
    -------
    i : In(stream.Signature(shape)).array(ways). ``shape`` has a field ``end``.
    o : Out(stream.Signature(shape)), registered; ``i.ready`` does not depend on ``o.ready``.
    """

    def __init__(self, shape: data.StructLayout, ways: int) -> None:
        if ways < 1:
            raise ValueError(f"ways must be at least 1, not {ways!r}")
        self.shape, self.ways = shape, ways
        super().__init__({
            "i": In(stream.Signature(shape)).array(ways),
            "o": Out(stream.Signature(shape)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        item = Signal(self.ways)
        # Kept, so that synthesis does not fold the arbitration into every bit of the multiplexer.
        grant = Signal(range(self.ways), attrs={"keep": 1})
        turn, all_end, free = Signal(range(self.ways)), Signal(), Signal()
        m.submodules.buffer = buffer = Buffer(self.shape)
        connect(m, buffer.o, flipped(self.o))
        m.d.comb += [
            item.eq(Cat(i.valid & ~i.p.end for i in self.i)),
            all_end.eq(Cat(i.valid & i.p.end for i in self.i).all()),
            free.eq(buffer.i.ready),
            buffer.i.valid.eq(item.any() | all_end),
        ]
        with m.Switch(turn):
            for first in range(self.ways):
                with m.Case(first):
                    # Later assignments win: the input whose turn it is comes last.
                    for offset in reversed(range(self.ways)):
                        way = (first + offset) % self.ways
                        with m.If(item[way]):
                            m.d.comb += grant.eq(way)
        with m.Switch(grant):
            for way, i in enumerate(self.i):
                with m.Case(way):
                    m.d.comb += buffer.i.payload.eq(i.payload)  # no item: grant is 0
                m.d.comb += i.ready.eq(free & (all_end | (item[way] & (grant == way))))
        with m.If(free & item.any()):
            m.d.sync += turn.eq(Mux(grant == self.ways - 1, 0, grant + 1))
        return m


def merge_tree(
    m: Module, shape: data.StructLayout, streams: list[stream.Interface], *, ways: int = 2
) -> stream.Interface:
    """Add mergers of at most ``ways`` inputs to ``m`` until one stream is left; return it."""
    level = 0
    while level == 0 or len(streams) > 1:
        groups = [streams[k : k + ways] for k in range(0, len(streams), ways)]
        outputs = []
        for index, group in enumerate(groups):
            node = Merge(shape, len(group))
            m.submodules[f"merge_{level}_{index}"] = node
            for way, source in enumerate(group):
                connect(m, source, node.i[way])
            outputs.append(node.o)
        streams, level = outputs, level + 1
    return streams[0]
