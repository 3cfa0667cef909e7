"""Measure clock and area of the machine alone, with registered ports."""

from dataclasses import asdict
from pathlib import Path

from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.compile.options import Options
from triodia_hw.export.rtlil import without_zeros
from triodia_hw.files import write_atomic
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import COUNTERS

from ..board import Board
from .program import placeholder
from .synthesis import synthesize
from .toolchain import TOOLCHAINS

__all__ = ["Probe", "measure", "measure_core"]


class Probe(wiring.Component):
    """A machine between shift registers, so that it needs only four pins.

    ``core`` is a :class:`triodia_hw.gateware.core.Core` or has its ports. A register at each port
    keeps paths through pins out of the result. The shift registers add about one look-up table per
    port bit to the area.

    Members
    -------
    clk, rst, d : In(1). q : Out(1).
    """

    def __init__(self, core: wiring.Component) -> None:
        self.core = core
        super().__init__({"clk": In(1), "rst": In(1), "d": In(1), "q": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        m.submodules.core = core = self.core
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
    """Measure Fmax and area of a machine on the FPGA of ``board`` with :func:`measure_core`."""
    core = Core(p, contents=placeholder(p, options), units=Units(options))
    return measure_core(core, board, folder, seed=seed)


def measure_core(core: wiring.Component, board: Board, folder: Path, *, seed: int) -> dict:
    """Measure Fmax and area of ``core``, a machine with units, in a :class:`Probe`.

    Uses nextpnr's default placer, router and effort, and asks for the tools' ``goal_hz``. ``lut4``
    counts look-up tables after Yosys, the probe included. Other figures are nextpnr's; registers
    are Yosys' where nextpnr does not report them.

    Raises
    ------
    BuildError
    """
    text = rtlil.convert(Probe(core), name="top", emit_src=False)
    write_atomic(folder / "top.il", without_zeros(text, core.units.options).encode())
    multiply = core.units.options.multiplier_parts == 1
    synthesis = synthesize("top", folder, board.family, multiply=multiply)
    routed = TOOLCHAINS[board.family].place_and_route(board.chip, folder, seed=seed, pins=False)
    return asdict(routed) | {
        "lut4": synthesis.lut4,
        "registers": routed.registers or synthesis.registers,
    }
