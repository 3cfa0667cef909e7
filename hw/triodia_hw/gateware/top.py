"""Top level for Verilog users: the core with one named port for each field."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.cdc import AsyncFFSynchronizer
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import COUNTERS, input_fields, output_fields
from .core import Core
from .sdram_ports import SDRAM_PORTS, join_sdram
from .units import Units

__all__ = ["Top"]


class Top(wiring.Component):
    """:class:`Core` with flat ports; a transfer happens in a cycle with valid and ready high.

    Parameters
    ----------
    p, contents, units : as of the core.
    reset_low : the reset is ``rst_n``. reset_async : it begins without a clock and ends at the
        second edge after its release.

    Members
    -------
    clk : In(1). All happens at its rising edge.
    rst : In(1), high for at least a cycle; or rst_n : In(1), low for at least a cycle.
    i_valid, i_ready and one ``i_NAME`` a field of :func:`triodia_hw.machine.words.input_fields`.
    o_valid, o_ready and one ``o_NAME`` a field of :func:`triodia_hw.machine.words.output_fields`.
    One ``Out(32)`` for each of :data:`triodia_hw.gateware.counters.COUNTERS`.
    fault : Out(1), only with parity or an SDRAM, as of the core. With one: its ports ``sdram_…``.
    """

    machine: type = Core

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
        reset_low: bool = False,
        reset_async: bool = False,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        self.reset_low, self.reset_async = reset_low, reset_async
        members = {"clk": In(1), "rst_n" if reset_low else "rst": In(1)}
        members |= {"i_valid": In(1), "i_ready": Out(1), "o_valid": Out(1), "o_ready": In(1)}
        for name, width, is_signed in input_fields(p):
            members[f"i_{name}"] = In(Shape(width, is_signed))
        for name, width, is_signed in output_fields(p):
            members[f"o_{name}"] = Out(Shape(width, is_signed))
        members |= {"fault": Out(1)} if self.units.options.parity else {}
        members |= SDRAM_PORTS if p.external else {}
        super().__init__(members | {name: Out(32) for name in COUNTERS})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        machine = self.machine(self.p, contents=self.contents, units=self.units)
        core = self.units.add(m, "core", machine)
        m.d.comb += [
            clock.clk.eq(self.clk),
            core.reset.eq(self._reset(m)),
            core.i.valid.eq(self.i_valid),
            self.i_ready.eq(core.i.ready),
            self.o_valid.eq(core.o.valid),
            core.o.ready.eq(self.o_ready),
            *(getattr(self, name).eq(getattr(core, name)) for name in COUNTERS),
        ]
        if self.p.external:
            join_sdram(m, self, core)
        elif self.units.options.parity:
            m.d.comb += self.fault.eq(core.fault)
        for name, *_ in input_fields(self.p):
            m.d.comb += getattr(core.i.p, name).eq(getattr(self, f"i_{name}"))
        for name, *_ in output_fields(self.p):
            m.d.comb += getattr(self, f"o_{name}").eq(getattr(core.o.p, name))
        return m

    def _reset(self, m: Module) -> Value:
        """The reset, high and released by the clock."""
        pin = ~self.rst_n if self.reset_low else self.rst
        if not self.reset_async:
            return pin
        held, asked = Signal(init=1), Signal()
        m.d.comb += asked.eq(pin)
        m.submodules.release = AsyncFFSynchronizer(asked, held)
        return held
