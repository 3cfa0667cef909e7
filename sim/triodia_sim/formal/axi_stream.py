"""Rules of AXI4-Stream (Arm IHI 0051A) at the machine's wrapper."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from triodia_hw.gateware.wrappers import AxiStreamTop
from triodia_hw.machine.words import OUTPUT_KINDS

from .any_core import WORDS, AnyMachine

__all__ = ["AxiStream"]


class AxiStream(wiring.Component):
    """:class:`AxiStreamTop` around any machine, between any sender and any receiver.

    - An offer stays until it is taken, with the same data, keep and last; only reset ends it.
    - In reset no word is offered and none is taken.
    - A word taken at the bus enters the machine in that cycle, unchanged, and no other one does.
    - A word that the machine offers is offered at the bus in that cycle, with zeros above it, all
      of ``tkeep``, and ``tlast`` for an end of a step. It leaves both in the same cycle.
    """

    def __init__(self) -> None:
        self.units = AnyMachine(WORDS)
        self.dut = AxiStreamTop(WORDS, contents=[], units=self.units)
        bits = len(self.dut.s_axis_tdata)
        super().__init__({
            "aclk": In(1),
            "aresetn": In(1),
            "data": In(bits),
            "valid": In(1),
            "ready": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self.dut
        # The wrapper makes the clock domain `sync` itself.
        m.domains.check = clock = ClockDomain(reset_less=True)
        m.d.comb += [
            clock.clk.eq(self.aclk),
            dut.aclk.eq(self.aclk),
            dut.aresetn.eq(self.aresetn),
            dut.s_axis_tdata.eq(self.data),
            dut.s_axis_tvalid.eq(self.valid),
            dut.m_axis_tready.eq(self.ready),
        ]
        with m.If(~self.aresetn):
            m.d.comb += [Assert(~dut.m_axis_tvalid), Assert(~dut.s_axis_tready)]
        self._offers(m)
        self._words(m)
        return m

    def _offers(self, m: Module) -> None:
        dut, stays = self.dut, Signal()
        offer = Cat(dut.m_axis_tdata, dut.m_axis_tkeep, dut.m_axis_tlast)
        offered = Signal(len(offer))
        m.d.check += [stays.eq(dut.m_axis_tvalid & ~self.ready), offered.eq(offer)]
        with m.If(stays & self.aresetn):
            m.d.comb += [
                Assert(dut.m_axis_tvalid),
                Assert(offer == offered),
                Cover(dut.m_axis_tlast & self.ready),
            ]

    def _words(self, m: Module) -> None:
        dut, core = self.dut, self.units.core
        taken, left = self.valid & dut.s_axis_tready, dut.m_axis_tvalid & self.ready
        word = Value.cast(core.i.payload)
        m.d.comb += [Assert(core.sent == taken), Assert(core.left == left), Cover(taken & left)]
        with m.If(taken):
            m.d.comb += Assert(word == self.data[: len(word)])
        with m.If(core.o.valid & ~core.reset):
            m.d.comb += [
                Assert(dut.m_axis_tvalid),
                Assert(dut.m_axis_tdata == Value.cast(core.o.payload)),
                Assert(dut.m_axis_tkeep.all()),
                Assert(dut.m_axis_tlast == (core.o.p.kind == OUTPUT_KINDS["end"])),
            ]
