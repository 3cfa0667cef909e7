"""The machine with a standard bus."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import OUTPUT_KINDS, input_fields, output_fields, width_of
from .core import Core
from .units import Units

__all__ = ["AxiStreamTop", "bus_bits", "hold_reset"]


def bus_bits(width: int) -> int:
    """Width of a bus that carries a word: whole bytes, a power of two of them, at least 4."""
    bits = 32
    while bits < width:
        bits *= 2
    return bits


_HOLD = 16  # cycles of reset, after which nothing from before is left in the machine


def hold_reset(m: Module, core: Core, reset: Value) -> Signal:
    """Reset the machine; high while what it puts out is to be dropped."""
    left = Signal(range(_HOLD + 1), init=_HOLD)
    held = Signal()
    m.d.comb += [held.eq(reset | (left != 0)), core.reset.eq(held)]
    with m.If(reset):
        m.d.sync += left.eq(_HOLD)
    with m.Elif(left != 0):
        m.d.sync += left.eq(left - 1)
    return held


class AxiStreamTop(wiring.Component):
    """:class:`Core` with an AXI4-Stream in and one out (Arm IHI 0051A); one word a transfer.

    Words are packed as on the link, lowest field first, zeros above. ``m_axis_tlast`` marks the
    end of a step. ``s_axis_tlast`` does not count: the word's own fields do. Words are whole, so
    ``s_axis_tkeep`` does not count either, and ``m_axis_tkeep`` is all ones.

    Members
    -------
    aclk, aresetn : In(1). ``aresetn`` is low for at least a cycle, and may come at any time.
    s_axis_tdata, s_axis_tkeep, s_axis_tvalid, s_axis_tlast : In; s_axis_tready : Out. Input words.
    m_axis_tdata, m_axis_tkeep, m_axis_tvalid, m_axis_tlast : Out; m_axis_tready : In. Output words.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        i_bits, o_bits = (bus_bits(width_of(f(p))) for f in (input_fields, output_fields))
        super().__init__({
            "aclk": In(1),
            "aresetn": In(1),
            "s_axis_tdata": In(i_bits),
            "s_axis_tkeep": In(i_bits // 8),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            "m_axis_tdata": Out(o_bits),
            "m_axis_tkeep": Out(o_bits // 8),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        machine = Core(self.p, contents=self.contents, units=self.units)
        core = self.units.add(m, "core", machine)
        held = hold_reset(m, core, ~self.aresetn)
        m.d.comb += [
            clock.clk.eq(self.aclk),
            Value.cast(core.i.payload).eq(self.s_axis_tdata),
            core.i.valid.eq(self.s_axis_tvalid),  # in reset the machine drops it
            self.s_axis_tready.eq(core.i.ready & ~held),
            self.m_axis_tdata.eq(Value.cast(core.o.payload)),
            self.m_axis_tkeep.eq(~0),
            self.m_axis_tvalid.eq(core.o.valid & ~held),
            self.m_axis_tlast.eq(core.o.p.kind == OUTPUT_KINDS["end"]),
            core.o.ready.eq(self.m_axis_tready | held),
        ]
        return m
