"""Ports of an SDRAM at the edge of an exported machine, with registers."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from ..compile.sdram import WORD_BITS

__all__ = ["SDRAM_PORTS", "join_sdram"]

SDRAM_PORTS: dict[str, Member] = {
    "sdram_cke": Out(1),
    "sdram_ras_n": Out(1, init=1),
    "sdram_cas_n": Out(1, init=1),
    "sdram_we_n": Out(1, init=1),
    "sdram_ba": Out(2),
    "sdram_a": Out(13),
    "sdram_dqm": Out(1, init=1),
    "sdram_dq_o": Out(WORD_BITS),
    "sdram_dq_oe": Out(1),
    "sdram_dq_i": In(WORD_BITS),
    "fault": Out(1),
}


def join_sdram(m: Module, top: wiring.Component, core: wiring.Component) -> None:
    """Join :data:`SDRAM_PORTS` of ``top`` to the memory of ``core``, a register on each way."""
    pins = core.sdram
    m.d.sync += [
        top.sdram_cke.eq(pins.cke),
        Cat(top.sdram_ras_n, top.sdram_cas_n, top.sdram_we_n).eq(pins.command),
        top.sdram_ba.eq(pins.bank),
        top.sdram_a.eq(pins.address),
        top.sdram_dqm.eq(pins.dqm),
        top.sdram_dq_o.eq(pins.dq_o),
        top.sdram_dq_oe.eq(pins.dq_oe),
        pins.dq_i.eq(top.sdram_dq_i),
    ]
    m.d.comb += top.fault.eq(core.fault)
