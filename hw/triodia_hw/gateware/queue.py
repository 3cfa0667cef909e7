"""First-in first-out queue."""

from amaranth import *
from amaranth.hdl import ShapeLike
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compile.options import DEFAULT, QUEUES, Options

__all__ = ["Queue"]


class Queue(wiring.Component):
    """Hold up to ``depth`` payloads, in order; latency 2 cycles, throughput 1 per cycle.

    The output register holds one more payload, beyond ``depth``.

    Parameters
    ----------
    shape : payload. name : by which ``options`` know where its memory goes.
    depth : a power of two; ``None`` is what ``options`` give a queue of that name.
    spare : ``room`` goes low while this many places or fewer are free.

    Members
    -------
    i, o : payload streams.
    room : Out(1). Combinational from the level; lets a producer with ``spare - 1`` payloads in
        flight stop in time, without looking at ``i.ready``.
    """

    def __init__(
        self,
        shape: ShapeLike,
        *,
        name: str = QUEUES[0],
        options: Options = DEFAULT,
        depth: int | None = None,
        spare: int = 0,
    ) -> None:
        depth = options.depth(name) if depth is None else depth
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two from 2, not {depth!r}")
        if not 0 <= spare < depth:
            raise ValueError(f"spare must be in 0..{depth - 1}, not {spare!r}")
        self.shape, self.depth, self.spare = shape, depth, spare
        self.style = options.style(name)
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "room": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write, read = self._storage(m)
        level = Signal(range(self.depth + 1))
        push = Signal()
        pop = Signal()
        free = Signal()
        m.d.comb += [
            self.i.ready.eq(~level[-1]),  # level == depth
            self.room.eq(level < self.depth - self.spare),
            push.eq(self.i.valid & self.i.ready),
            free.eq(self.o.ready | ~self.o.valid),
            pop.eq(free & (level != 0)),
            write.en.eq(push),
            write.data.eq(self.i.payload),
        ]
        # The read port's own register is the output register. The word it reads was written before.
        m.d.comb += [read.en.eq(free), Value.cast(self.o.payload).eq(read.data)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(pop)
        with m.If(push):
            m.d.sync += write.addr.eq(write.addr + 1)
        with m.If(pop):
            m.d.sync += read.addr.eq(read.addr + 1)
        with m.If(push ^ pop):
            m.d.sync += level.eq(level + Mux(pop, -1, 1))
        return m

    def _storage(self, m: Module) -> tuple[wiring.PureInterface, wiring.PureInterface]:
        """Ports of the memory: one writes, the other reads into a register while enabled."""
        width = Shape.cast(self.shape).width
        m.submodules.mem = mem = memory.Memory(
            shape=unsigned(width), depth=self.depth, init=[], attrs={"ram_style": self.style}
        )
        return mem.write_port(), mem.read_port()
