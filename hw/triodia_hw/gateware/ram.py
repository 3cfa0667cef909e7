"""Simple dual-port memory with a synchronous read port."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..compile.options import DEFAULT, Options
from ..compile.storage import columns
from ..machine.params import bits_for

__all__ = ["Ram"]


class Ram(wiring.Component):
    """One read port and, unless it is read-only, one write port; read latency 2 cycles.

    The second cycle is an output register, which block RAM contains. Without that register, the
    output of a block RAM is very slow (5.6 ns on an ECP5 of speed grade 6).

    Reading the address that is being written in the same cycle returns an *undefined* word: block
    RAM does not promise either. Whoever uses this component must never use such a word. With
    ``poison`` a collision returns the inverse of the stored word, so that a test can prove it. A
    single-port memory returns an undefined word for any address while it is written.

    Parameters
    ----------
    shape : layout of a word. depth : words. name : by which ``options`` know it.
    options : where it goes, whether contents can be written, and ``poison``.
    init : contents, cut in ``compile.storage.columns`` unless single-port; ``None`` makes a
        working memory.

    Members
    -------
    r_addr : In(bits_for(depth)). r_data : Out(shape), the word at ``r_addr`` of two cycles ago.
    w_en, w_addr, w_data : write port, not with ``init`` unless ``options.loadable``.
    fault : Out(1), 0 without ``options.parity``. The word at ``r_addr`` of three cycles ago was not
        what was written there: an odd number of its bits, and of its parity bit, have changed.
    """

    def __init__(
        self,
        shape: data.Layout,
        *,
        depth: int,
        name: str = "",
        options: Options = DEFAULT,
        init: list[int] | None = None,
    ) -> None:
        self.shape, self.depth, self.options, self.init = shape, depth, options, init
        self.name = name
        self.style = options.style(name)
        self.shared = name in options.single_port
        self.writable = init is None or options.loadable
        members = {"r_addr": In(bits_for(depth)), "r_data": Out(shape)}
        if self.writable:
            members |= {"w_en": In(1), "w_addr": In(bits_for(depth)), "w_data": In(shape)}
        super().__init__(members | {"fault": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = Shape.cast(self.shape).width
        if self.options.parity:
            self._parity(m)
        if self.init is None:
            self._column(m, "mem", 0, width, [])
            return m
        parts = columns(width, self.depth, self.options.blocks)
        offset = 0
        for index, part in enumerate((width,) if self.shared else parts):
            mask = (1 << part) - 1
            words = [] if self.shared else [(word >> offset) & mask for word in self.init]
            self._column(m, f"mem_{index}", offset, part, words)
            offset += part
        return m

    def _parity(self, m: Module) -> None:
        """Add a parity bit to each word, read and written with it."""
        bits = [word.bit_count() & 1 for word in self.init or []]
        m.submodules.parity = mem = memory.Memory(
            shape=1, depth=self.depth, init=bits, attrs={"ram_style": self.style}
        )
        read = mem.read_port()
        bit = Signal(reset_less=True)
        undefined = Signal(2, reset_less=True)  # such a word is used by nobody
        m.d.comb += read.addr.eq(self.r_addr)
        m.d.sync += [
            bit.eq(read.data),
            self.fault.eq((Value.cast(self.r_data).xor() ^ bit) & ~undefined[1]),
        ]
        if self.writable:
            write = mem.write_port()
            m.d.comb += [
                write.en.eq(self.w_en),
                write.addr.eq(self.w_addr),
                write.data.eq(Value.cast(self.w_data).xor()),
            ]
            m.d.sync += undefined.eq(Cat(self.w_en & (self.w_addr == self.r_addr), undefined))

    def _column(self, m: Module, name: str, offset: int, width: int, init: list[int]) -> None:
        """A memory for ``width`` bits of each word, from bit ``offset``."""
        # Plain bits inside: one shape for patching and for hex files, whatever the fields are.
        m.submodules[name] = mem = memory.Memory(
            shape=unsigned(width), depth=self.depth, init=init, attrs={"ram_style": self.style}
        )
        bits = slice(offset, offset + width)
        read = mem.read_port()
        output = Signal(width, reset_less=True, name=f"{name}_output")
        address = Signal(bits_for(self.depth), name=f"{name}_address")
        m.d.comb += [
            address.eq(Mux(self.w_en, self.w_addr, self.r_addr) if self.shared else self.r_addr),
            read.addr.eq(address),
            Value.cast(self.r_data)[bits].eq(output),
        ]
        m.d.sync += output.eq(read.data)
        if not self.writable:
            return
        write = mem.write_port()
        m.d.comb += [
            write.en.eq(self.w_en),
            write.addr.eq(address if self.shared else self.w_addr),
            write.data.eq(Value.cast(self.w_data)[bits]),
        ]
        if self.options.poison:
            collided = Signal(name=f"{name}_collided")
            m.d.sync += collided.eq(self.w_en & (self.shared | (self.w_addr == self.r_addr)))
            with m.If(collided):
                m.d.sync += output.eq(~read.data)
