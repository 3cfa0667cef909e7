"""A SoC of LiteX with the machine on its bus, as Verilog: ``python litex_soc.py FOLDER OUTPUT``.

The bus's only master is outside, so that a testbench can be it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from litex.build.generic_platform import GenericPlatform, Pins
from litex.gen.fhdl.verilog import convert
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import wishbone
from litex_triodia import Triodia
from migen import ClockDomain


class Soc(SoCMini):
    """A SoC without a processor."""

    def __init__(self, folder):
        platform = GenericPlatform("none", [("clk", 0, Pins(1))], name="soc")
        self.cd_sys = ClockDomain("sys")
        nothing = {"cpu_type": None, "with_uart": False, "with_timer": False}
        SoCMini.__init__(self, platform, 100_000_000, **nothing)
        self.triodia = Triodia(None, folder)
        region = SoCRegion(origin=0x3000_0000, size=Triodia.SIZE, cached=False)
        self.bus.add_slave("triodia", self.triodia.bus, region)
        self.master = wishbone.Interface(data_width=32, addressing="word")
        self.bus.add_master("bench", self.master)


if __name__ == "__main__":
    soc = Soc(sys.argv[1])
    soc.finalize()
    bus = soc.master
    ports = {bus.adr, bus.dat_w, bus.dat_r, bus.sel, bus.cyc, bus.stb, bus.we, bus.ack, bus.err}
    ports |= {bus.cti, bus.bte, soc.cd_sys.clk, soc.cd_sys.rst, soc.triodia.ev.irq}
    # The event manager's registers in words: status, pending, enable.
    print("events", soc.csr.regions["triodia"].origin // 4)
    convert(soc.get_fragment(), ports, name="soc").write(sys.argv[2])
