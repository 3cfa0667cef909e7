"""A folder of `triodia verilog` as a LiteX module: a Wishbone slave with the machine behind it.

Export the folder with its contents inside the Verilog, so that no tool has to find hex files:

    triodia verilog model.image -o rtl/ --interface wishbone --inline

and add it to a SoC:

    self.triodia = Triodia(platform, "rtl/")
    self.bus.add_slave("triodia", self.triodia.bus, SoCRegion(size=Triodia.SIZE, cached=False))
    self.irq.add("triodia", use_loc_if_exists=True)

The last line gives the processor the machine's interrupt, event `words` of LiteX's event manager.
`rtl/triodia_driver.h` is its driver in C: pass it the base address of the region.
"""

import json
from pathlib import Path

from litex.gen import LiteXModule
from litex.soc.interconnect import wishbone
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel
from migen import ClockSignal, Instance, ResetSignal

__all__ = ["Triodia"]


class Triodia(LiteXModule):
    """The machine in the clock domain "sys"; ``bus`` is its Wishbone slave, addressed in words.

    ``ev.words`` is high while its interrupt is: an output word is there, or room for an input word,
    as its register IRQ_ENABLE chooses.

    Parameters
    ----------
    platform : takes the Verilog as a source; None if you add it yourself.
    folder : that `triodia verilog --interface wishbone --inline` wrote.
    name : of the machine, as of `--name`.

    Raises
    ------
    ValueError
        If the folder has another interface, or contents in hex files.
    """

    SIZE = 0x40  # bytes of its registers

    def __init__(self, platform: object, folder: str | Path, name: str = "triodia") -> None:
        folder = Path(folder)
        facts = json.loads((folder / f"{name}.json").read_text())
        if facts["interface"] != "wishbone":
            raise ValueError(f"{folder} has the interface {facts['interface']}, not wishbone")
        if any(folder.glob(f"{name}_lane_*.hex")):
            raise ValueError(f"{folder} has contents in hex files; export it with --inline")
        self.bus = bus = wishbone.Interface(data_width=32, addressing="word")
        self.ev = EventManager()
        self.ev.words = EventSourceLevel(description="Room for a word, or a word is there.")
        self.ev.finalize()
        bits = {port["name"]: port["bits"] for port in facts["ports"]}
        self.specials += Instance(
            name,
            i_clk=ClockSignal("sys"),
            i_rst=ResetSignal("sys"),
            i_wb_cyc=bus.cyc,
            i_wb_stb=bus.stb,
            i_wb_we=bus.we,
            i_wb_adr=bus.adr[: bits["wb_adr"]],
            i_wb_sel=bus.sel,
            i_wb_dat_i=bus.dat_w,
            o_wb_dat_o=bus.dat_r,
            o_wb_ack=bus.ack,
            o_wb_err=bus.err,
            o_irq=self.ev.words.trigger,
        )
        if platform is not None:
            platform.add_source(str(folder / f"{name}.v"))
