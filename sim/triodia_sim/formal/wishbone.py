"""Rules of Wishbone B4 (OpenCores) at the machine's slave."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from triodia_hw.gateware.wishbone import REGISTERS, WishboneTop

from .any_core import WORDS, AnyMachine
from .interrupt import READS, check_interrupt

__all__ = ["Wishbone"]

_REQUEST = {"we": 1, "adr": 4, "sel": 4, "dat_i": 32}


class Wishbone(wiring.Component):
    """:class:`WishboneTop` around any machine; may be reset at any time.

    The master is any, or with ``classic`` any that holds a request until it ends, as that of a
    classic cycle must.

    - A request taken (``cyc`` and ``stb`` without ``stall``) ends in the next cycle by either
      ``ack`` or ``err``, unless ``cyc`` has fallen; nothing else does, and nothing ends after a
      cycle of reset. So there is no response without ``cyc``, and one for each request.
    - ``classic``: a request ends only while ``stb`` is high, and at most a cycle after it began.
    - A word enters the machine exactly if the write to INPUT ends by ``ack``, and is the data
      written; one leaves exactly if the read of OUTPUT does, and is the data read.
    - The interrupt keeps what :func:`.interrupt.check_interrupt` says; reset clears its enable
      bits, and a write to them always ends by ``ack``.
    """

    def __init__(self, *, classic: bool) -> None:
        self.classic, self.units = classic, AnyMachine(WORDS)
        self.dut = WishboneTop(WORDS, contents=[], units=self.units)
        super().__init__({
            "clk": In(1),
            "rst": In(1),
            "cyc": In(1),
            "stb": In(1),
            **{name: In(width) for name, width in _REQUEST.items()},
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self.dut
        # The wrapper makes the clock domain `sync` itself.
        m.domains.check = clock = ClockDomain(reset_less=True)
        response = dut.wb_ack | dut.wb_err
        m.d.comb += clock.clk.eq(self.clk)
        m.d.comb += [dut.clk.eq(self.clk), dut.rst.eq(self.rst)]
        self._master(m, response)
        taken, due = dut.wb_cyc & dut.wb_stb & ~dut.wb_stall & ~self.rst, Signal()
        m.d.check += due.eq(taken)
        m.d.comb += [
            Assert(response == (due & dut.wb_cyc)),
            Assert(~(dut.wb_ack & dut.wb_err)),
            Cover(dut.wb_ack),
            Cover(dut.wb_err),
        ]
        self._words(m, taken)
        self._interrupt(m, taken)
        return m

    def _master(self, m: Module, response: Value) -> None:
        dut = self.dut
        request = Cat(getattr(dut, f"wb_{name}") for name in _REQUEST)
        offered = Cat(getattr(self, name) for name in _REQUEST)
        stays, was = Signal(), Signal(len(request))
        m.d.comb += [
            dut.wb_cyc.eq(self.cyc | stays),
            dut.wb_stb.eq(self.stb | stays),
            request.eq(Mux(stays, was, offered)),
        ]
        if not self.classic:
            return
        m.d.check += [
            stays.eq(dut.wb_cyc & dut.wb_stb & ~response & ~self.rst),
            was.eq(request),
        ]
        with m.If(response):
            m.d.comb += Assert(dut.wb_stb)
        with m.If(stays):
            m.d.comb += [Assert(response), Cover(dut.wb_we)]

    def _words(self, m: Module, taken: Value) -> None:
        dut, core = self.dut, self.units.core
        to_input, at_output, sent, left = (
            Signal(name=name) for name in "to_input at_output sent left".split()
        )
        word, sending = Signal(32), Value.cast(core.i.payload)
        m.d.check += [
            to_input.eq(taken & dut.wb_we & (dut.wb_adr == REGISTERS["INPUT"])),
            at_output.eq(taken & ~dut.wb_we & (dut.wb_adr == REGISTERS["OUTPUT"])),
            sent.eq(core.sent),
            left.eq(core.left),
            word.eq(Value.cast(core.o.payload)),
        ]
        # A master that has gone away sees no response, though the slave did what it asked for.
        with m.If(dut.wb_cyc):
            m.d.comb += [
                Assert(sent == (to_input & dut.wb_ack)),
                Assert(left == (at_output & dut.wb_ack)),
                Cover(sent),
                Cover(left),
            ]
        with m.If(core.sent):
            m.d.comb += Assert(sending == dut.wb_dat_i[: len(sending)])
        with m.If(left):
            m.d.comb += Assert(dut.wb_dat_o == word)

    def _interrupt(self, m: Module, taken: Value) -> None:
        dut, enable, written = self.dut, Signal(2), Signal()
        whole = dut.wb_we & dut.wb_sel.all() & (dut.wb_adr == REGISTERS["IRQ_ENABLE"])
        m.d.check += written.eq(taken & whole)
        with m.If(taken & whole):
            m.d.check += enable.eq(dut.wb_dat_i)
        with m.If(self.rst):
            m.d.check += enable.eq(0)
        with m.If(written & dut.wb_cyc):
            m.d.comb += Assert(dut.wb_ack)
        ends = {name: Signal(name=f"ends_{name}") for name in READS}
        for name, ended in ends.items():
            m.d.check += ended.eq(taken & ~dut.wb_we & (dut.wb_adr == REGISTERS[name]))
        check_interrupt(m, dut.irq, enable, self.units.core, dut.wb_dat_o, ends)
