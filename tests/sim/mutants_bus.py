# amaranth: UnusedElaboratable=no
"""Generic mutants of the bus wrappers, judged by ``tests/support/*_cycles.py``.

The machine behind a wrapper has none; :mod:`tests.sim.mutants` has those.
"""

from tests.sim.mutant_set import started
from tests.sim.mutants_link import Unit, signals
from tests.support import bench
from tests.support.axi_lite_cycles import axi_lite
from tests.support.bus_words import IMAGE
from tests.support.stream_cycles import axi_stream
from tests.support.wishbone_cycles import wishbone
from triodia_hw.compile.contents import contents
from triodia_hw.export.memories import memory_modules
from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import INTERFACES, export_verilog

__all__ = ["BUSES", "BusMutants"]

BUSES = {
    "axi-stream": (axi_stream, "aclk"),
    "axi-lite": (axi_lite, "aclk"),
    "wishbone": (wishbone, "clk"),
}
STARTS = (0xA5C3_0F5A, 0x5A3C_F0A5)  # of the counters, so that each bit is seen as 0 and as 1
_PREPARE = [
    f"read_verilog -DSYNTHESIS {TOP}.v",
    f"blackbox {TOP}_ram {TOP}_queue_ram",
    f"hierarchy -top {TOP}",
    "proc",
    "flatten",
    "splitcells",
    "wreduce",
    "opt_clean -purge",
]


class BusMutants(Unit):
    """Of the wrapper ``bus``, one of :data:`BUSES`."""

    top = TOP

    def __init__(self, folder, bus, count, seed):
        self.play, self.clock = BUSES[bus]
        self.reset, self.alone = "", bus
        dut = INTERFACES[bus](IMAGE.params, contents=contents(IMAGE))
        folder.mkdir(parents=True, exist_ok=True)
        export_verilog(IMAGE, folder, bus)
        super().__init__(folder, dut, _PREPARE, count, seed, "c:* c:*core.* %d t:$scopeinfo %d")

    def compile(self):
        """One program of all mutants; of a wrapper with counters, two that start otherwise."""
        if self.alone != "axi-lite":
            super().compile()
            return
        flat, self.engines = (self.folder / "flat.il").read_text(), {}
        for k, start in enumerate(STARTS):
            text = started(flat, start)
            (self.folder / f"start-{k}.il").write_text(text)
            self.engines[start] = self.build(f"start-{k}")

    def text(self, name):
        """All mutants and the memories, which read their contents."""
        head = '`define TRIODIA_HEX_FOLDER "./"'
        return "\n".join([head, super().text(name), *memory_modules(TOP, None)])

    def ports(self):
        return [(name, signal) for name, signal in signals(self.dut) if name != self.clock]

    def bench(self, mutant):
        if self.alone != "axi-lite":
            with bench.compiled(self.engine, mutant):
                self.play(self.dut, bench.simulate)
            return
        for start, engine in self.engines.items():
            with bench.compiled(engine, mutant):
                self.play(self.dut, bench.simulate, start)
