"""A board's SDRAM: registers in the pins' cells, and the clock, inverted."""

from amaranth import *
from amaranth.build import Platform
from amaranth.lib import io, wiring

from .pins import SDRAM

__all__ = ["join_sdram_pins"]


def join_sdram_pins(m: Module, platform: Platform, pins: wiring.PureInterface) -> None:
    """Join ``pins``, a :class:`triodia_hw.gateware.signatures.SdramPins`, to the board's.

    Commands leave at the clock's rising edge, and the memory takes them half a cycle later, at the
    rising edge of its own, inverted clock.
    """
    lines = (*SDRAM, "dq_o", "dq_oe") if platform.split else SDRAM
    ports = platform.request("sdram", 0, dir=dict.fromkeys(lines, "-"))
    values = {
        "cke": pins.cke,
        "ras": pins.command[0],
        "cas": pins.command[1],
        "we": pins.command[2],
        "dqm": pins.dqm.replicate(2),
        "ba": pins.bank,
        "a": pins.address,
    }
    for name, value in values.items():
        m.submodules[f"sdram_{name}"] = buffer = io.FFBuffer("o", getattr(ports, name))
        m.d.comb += buffer.o.eq(value)
    m.submodules.sdram_cs = select = io.Buffer("o", ports.cs)
    m.submodules.sdram_clk = clock = io.DDRBuffer("o", ports.clk)
    m.d.comb += [select.o.eq(0), clock.o[0].eq(0), clock.o[1].eq(1)]
    if platform.split:  # a simulation without lines of two directions
        m.submodules.sdram_dq = data = io.FFBuffer("i", ports.dq)
        m.submodules.sdram_dq_o = out = io.FFBuffer("o", ports.dq_o)
        m.submodules.sdram_dq_oe = drive = io.FFBuffer("o", ports.dq_oe)
        m.d.comb += [out.o.eq(pins.dq_o), drive.o.eq(pins.dq_oe)]
    else:
        m.submodules.sdram_dq = data = io.FFBuffer("io", ports.dq)
        m.d.comb += [data.o.eq(pins.dq_o), data.oe.eq(pins.dq_oe)]
    m.d.comb += pins.dq_i.eq(data.i)
