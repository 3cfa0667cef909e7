"""The machine alone, with registered ports, to measure its clock and area on an FPGA."""

import json
from pathlib import Path

from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.counters import COUNTERS
from triodia_hw.gateware.options import DEFAULT, Options

from .board import Board
from .flow import GOAL_HZ
from .program import placeholder
from .synthesis import synthesize
from .tools import run_tool

__all__ = ["Probe", "measure"]


class Probe(wiring.Component):
    """:class:`triodia_hw.gateware.core.Core` between shift registers, so that four pins do.

    Every port of the core has a register on the other side, so paths through pins do not count.
    The shift registers, about one look-up table a bit, come on top of the machine's area.

    Members
    -------
    clk, rst, d : In(1). q : Out(1).
    """

    def __init__(self, p: MachineParams, options: Options = DEFAULT) -> None:
        self.p, self.options = p, options
        super().__init__({"clk": In(1), "rst": In(1), "d": In(1), "q": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        m.submodules.core = core = Core(self.p, contents=placeholder(self.p), options=self.options)
        word = Value.cast(core.i.payload)
        shift, given = Signal(len(word) + 3, reset_less=True), Signal(len(word) + 3)
        m.d.sync += [shift.eq(Cat(self.d, shift)), given.eq(shift)]
        m.d.comb += [
            clock.clk.eq(self.clk),
            Cat(word, core.i.valid, core.o.ready, core.reset).eq(given),
        ]
        counters = (getattr(core, name) for name in COUNTERS)
        ports = Cat(core.o.valid, core.o.payload, core.i.ready, *counters)
        taken, out, tick = Signal(len(ports)), Signal(len(ports)), Signal(8)
        m.d.sync += [
            taken.eq(ports),
            tick.eq(tick + 1),
            out.eq(Mux(tick == 0, taken, out[1:])),
            self.q.eq(out[0]),
        ]
        return m


def measure(p: MachineParams, board: Board, folder: Path, *, options: Options, seed: int) -> dict:
    """Fmax and area of a machine alone on the FPGA of ``board``: a :class:`Probe`, routed.

    nextpnr's default placer, router and effort, asked for :data:`GOAL_HZ`. ``lut4`` counts look-up
    tables as Yosys maps them, the probe's shift registers included; the rest is nextpnr's count.

    Raises
    ------
    BuildError
    """
    (folder / "top.il").write_text(rtlil.convert(Probe(p, options), name="top", emit_src=False))
    synthesis = synthesize("top", folder)
    arguments = [
        board.device,
        f"--package={board.package}",
        f"--speed={board.speed}",
        "--json=top.json",
        "--report=report.json",
        f"--seed={seed}",
        f"--freq={GOAL_HZ / 1e6:.0f}",
        "--timing-allow-fail",
    ]
    run_tool("nextpnr-ecp5", arguments, folder)
    report = json.loads((folder / "report.json").read_text())
    used = {name: cell["used"] for name, cell in report["utilization"].items()}
    return {
        "fmax_mhz": round(min(clock["achieved"] for clock in report["fmax"].values()), 2),
        "lut4": synthesis.lut4,
        "luts": used["TRELLIS_COMB"],
        "registers": used["TRELLIS_FF"],
        "blocks": used["DP16KD"],
        "multipliers": used["MULT18X18D"],
    }
