"""Rules of AXI4-Lite (Arm IHI 0022) at the machine's slave."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from triodia_hw.gateware.axi_lite import REGISTERS, AxiLiteTop

from .any_core import WORDS, AnyMachine
from .interrupt import READS, check_interrupt

__all__ = ["AxiLite"]

_INPUTS = {"awvalid": 1, "awaddr": 7, "wvalid": 1, "wdata": 32, "wstrb": 4, "bready": 1}
_INPUTS |= {"arvalid": 1, "araddr": 7, "rready": 1}
_OKAY, _SLVERR = 0, 2
_DUE = 3  # cycles within which a request that nothing holds up is answered
_INSIDE = 3  # addresses, or data, that may wait for their response, and one more


class AxiLite(wiring.Component):
    """:class:`AxiLiteTop` around any machine, with any master; may be reset at any time.

    - A response stays until it is taken, with the same data; only reset ends it.
    - From the cycle after reset began to the one in which it ends there is no response.
    - Each pair of an address and data gets one write response, each read address one read
      response, never before them, and within 3 cycles if no other response is in the way.
    - A response is OKAY or SLVERR.
    - A word enters the machine exactly if the write to INPUT gets OKAY, and is the data written.
    - A word leaves the machine exactly if the read of OUTPUT gets OKAY, and is the data read.
    - The interrupt keeps what :func:`.interrupt.check_interrupt` says; reset clears its enable
      bits.
    """

    def __init__(self) -> None:
        self.units = AnyMachine(WORDS)
        self.dut = AxiLiteTop(WORDS, contents=[], units=self.units)
        super().__init__({
            "aclk": In(1),
            "aresetn": In(1),
            **{name: In(width) for name, width in _INPUTS.items()},
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self.dut
        # The wrapper makes the clock domain `sync` itself.
        m.domains.check = clock = ClockDomain(reset_less=True)
        was_reset = Signal()
        m.d.comb += clock.clk.eq(self.aclk)
        m.d.comb += [dut.aclk.eq(self.aclk), dut.aresetn.eq(self.aresetn)]
        m.d.comb += [getattr(dut, f"s_axi_{name}").eq(getattr(self, name)) for name in _INPUTS]
        m.d.check += was_reset.eq(~self.aresetn)
        with m.If(was_reset):
            m.d.comb += [Assert(~dut.s_axi_bvalid), Assert(~dut.s_axi_rvalid)]
        self._response(m, "b", dut.s_axi_bresp)
        self._response(m, "r", Cat(dut.s_axi_rresp, dut.s_axi_rdata))
        self._answered(m, "b", ("aw", "w"))
        self._answered(m, "r", ("ar",))
        enable = self._writes(m)
        self._reads(m, enable)
        return m

    def _taken(self, channel: str) -> Value:
        """A transfer of a channel, which in reset does not count."""
        valid, ready = (getattr(self.dut, f"s_axi_{channel}{n}") for n in ("valid", "ready"))
        return valid & ready & self.aresetn

    def _response(self, m: Module, channel: str, content: Value) -> None:
        valid, ready, response = (
            getattr(self.dut, f"s_axi_{channel}{name}") for name in ("valid", "ready", "resp")
        )
        stays, was = Signal(name=f"{channel}_stays"), Signal(len(content), name=f"{channel}_was")
        m.d.check += [stays.eq(valid & ~ready & self.aresetn), was.eq(content)]
        with m.If(stays):
            m.d.comb += [Assert(valid), Assert(content == was), Cover(ready)]
        with m.If(valid):
            m.d.comb += Assert((response == _OKAY) | (response == _SLVERR))
            m.d.comb += [Cover(response == _OKAY), Cover(response == _SLVERR)]

    def _answered(self, m: Module, channel: str, requests: tuple[str, ...]) -> None:
        """Every response is of a request, and comes in time."""
        valid, ended = getattr(self.dut, f"s_axi_{channel}valid"), self._taken(channel)
        late = Signal(range(_DUE + 2), name=f"{channel}_late")
        inside = [Signal(range(_INSIDE + 1), name=f"{name}_inside") for name in requests]
        for count, name in zip(inside, requests, strict=True):
            m.d.check += count.eq(count + self._taken(name) - ended)
            m.d.comb += Assert(count < _INSIDE)
            with m.If(valid):
                m.d.comb += Assert(count != 0)
            with m.If(~self.aresetn):
                m.d.check += count.eq(0)
        waiting = Cat(count != 0 for count in inside).all() & ~valid & self.aresetn
        m.d.check += late.eq(Mux(waiting, late + 1, 0))
        m.d.comb += Assert(late < _DUE)

    def _writes(self, m: Module) -> Value:
        """Writes change what they should; returns the enable bits of the interrupt."""
        dut, core = self.dut, self.units.core
        address, data, sent = Signal(5), Signal(32), Signal()
        word, before = Value.cast(core.i.payload), Signal()
        with m.If(self._taken("aw")):
            m.d.check += address.eq(self.awaddr[2:])
        with m.If(self._taken("w")):
            m.d.check += data.eq(self.wdata)
        to_input = Signal()
        m.d.check += [
            sent.eq(core.sent),
            before.eq(dut.s_axi_bvalid),
            to_input.eq(address == REGISTERS["INPUT"] // 4),
        ]
        answered = dut.s_axi_bvalid & ~before
        okay = answered & (dut.s_axi_bresp == _OKAY)
        m.d.comb += [Assert(sent == (okay & to_input)), Cover(sent)]
        with m.If(core.sent):
            m.d.comb += Assert(word == data[: len(word)])
        enable, was = Signal(2), Signal(2)
        to_enable = address == REGISTERS["IRQ_ENABLE"] // 4
        m.d.comb += enable.eq(Mux(okay & to_enable, data, was))
        m.d.check += was.eq(Mux(self.aresetn, enable, 0))
        return enable

    def _reads(self, m: Module, enable: Value) -> None:
        dut, core = self.dut, self.units.core
        at_output, left, before = Signal(), Signal(), Signal()
        word = Signal(32)
        m.d.check += [
            at_output.eq(self._taken("ar") & (self.araddr[2:] == REGISTERS["OUTPUT"] // 4)),
            left.eq(core.left),
            word.eq(Value.cast(core.o.payload)),
            before.eq(dut.s_axi_rvalid),
        ]
        okay = dut.s_axi_rvalid & ~before & (dut.s_axi_rresp == _OKAY)
        m.d.comb += [Assert(left == (okay & at_output)), Cover(left)]
        with m.If(left):
            m.d.comb += Assert(dut.s_axi_rdata == word)
        ends = {}
        for name in READS:
            at = Signal(name=f"at_{name}")
            m.d.check += at.eq(self._taken("ar") & (self.araddr[2:] == REGISTERS[name] // 4))
            ends[name] = okay & at
            # These registers can always be read.
            with m.If(dut.s_axi_rvalid & ~before & at):
                m.d.comb += Assert(okay)
        check_interrupt(m, dut.irq, enable, core, dut.s_axi_rdata, ends)
