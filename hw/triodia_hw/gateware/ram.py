"""Simple dual-port memory with a synchronous read port."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .options import DEFAULT, Options

__all__ = ["Ram"]


class Ram(wiring.Component):
    """One read port and, unless it is read-only, one write port; read latency 1 cycle.

    Reading the address that is being written in the same cycle returns an *undefined* word: block
    RAM does not promise either. Whoever uses this component must never use such a word. With
    ``poison`` a collision returns the inverse of the stored word, so that a test can prove it.

    Parameters
    ----------
    shape : layout of a word. depth : words.
    options : where working memories go, and ``poison``.
    init : contents, always in block RAM; ``None`` makes a working memory (writable).

    Members
    -------
    r_addr : In(range(depth)). r_data : Out(shape), the word at last cycle's ``r_addr``.
    w_en, w_addr, w_data : write port, only without ``init``.
    """

    def __init__(
        self,
        shape: data.Layout,
        *,
        depth: int,
        options: Options = DEFAULT,
        init: list[int] | None = None,
    ) -> None:
        self.shape, self.depth, self.options, self.init = shape, depth, options, init
        members = {"r_addr": In(range(depth)), "r_data": Out(shape)}
        if init is None:
            members |= {"w_en": In(1), "w_addr": In(range(depth)), "w_data": In(shape)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = Shape.cast(self.shape).width
        block = self.options.block or self.init is not None
        style = {"ram_style": "block" if block else "distributed"}
        # Plain bits inside: one shape for patching and for hex files, whatever the fields are.
        m.submodules.mem = mem = memory.Memory(
            shape=unsigned(width), depth=self.depth, init=self.init or [], attrs=style
        )
        read = mem.read_port()
        m.d.comb += [read.addr.eq(self.r_addr), Value.cast(self.r_data).eq(read.data)]
        if self.init is None:
            write = mem.write_port()
            m.d.comb += [
                write.en.eq(self.w_en),
                write.addr.eq(self.w_addr),
                write.data.eq(self.w_data),
            ]
            if self.options.poison:
                collided = Signal()
                m.d.sync += collided.eq(self.w_en & (self.w_addr == self.r_addr))
                with m.If(collided):
                    m.d.comb += Value.cast(self.r_data).eq(~read.data)
        return m
