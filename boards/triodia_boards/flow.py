"""From an image to a bitstream: Yosys, nextpnr, and the network put in."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triodia_hw.export import without_zeros
from triodia_hw.image import Image

from .board import Board, BoardTop
from .boards import BadChoice
from .fit import check_fit
from .manifest import Manifest
from .program import pack, placeholder, program
from .synthesis import Synthesis, synthesize
from .toolchain import ROUTED, TOOLCHAINS, Routed

__all__ = ["BuildReport", "build"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BuildReport:
    """What the machine takes on the board, as nextpnr placed it.

    ``lut4`` are Yosys' look-up tables; ``luts`` nextpnr's logic cells, which hold those, carry
    cells and distributed RAM. ``registers`` are those of the fabric: ``packed_registers`` more
    were moved into ``packed_blocks`` block RAMs and ``packed_multipliers``, for which
    ``delay_registers`` were added (:mod:`.registers`).
    ``fmax_mhz`` is nextpnr's figure for the machine's clock after routing, for the given seed;
    the bitstream itself runs on the board's oscillator, ``clock_mhz``.
    ``baked``: the network is in the bitstream; else it must be loaded.
    """

    board: str
    lut4: int
    luts: int
    registers: int
    blocks: int
    single_port: int
    multipliers: int
    packed_registers: int
    packed_blocks: int
    packed_multipliers: int
    delay_registers: int
    fmax_mhz: float
    clock_mhz: float
    seed: int
    router: str
    seconds: float
    bitstream: str
    baked: bool
    patched_slices: int


def build(
    image: Image,
    board: Board,
    folder: str | Path,
    *,
    seed: int = 1,
    router: str | None = None,
    progress: Progress = print,
) -> BuildReport:
    """Build a bitstream for ``board`` in ``folder``; the same inputs give the same one.

    The netlist that Yosys gets holds placeholders instead of the network: the contents go into
    the placed and routed design, and are read back from the bitstream. ``router`` is nextpnr's;
    ``router2`` ends sooner on crowded designs. What is left in ``folder`` is enough to put in
    another network (:func:`.program.reprogram`). On a board whose synapses are in memory that
    starts without contents the machine is empty until a network is loaded.

    Raises
    ------
    BadChoice, DoesNotFit, BuildError
    """
    start, tools = time.monotonic(), TOOLCHAINS[board.family]
    router = router or tools.routers[0]
    if router not in tools.routers:
        raise BadChoice(f"router must be one of {', '.join(tools.routers)}, not {router!r}")
    p = image.params
    options = check_fit(p, board)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    Manifest.remove(folder)
    progress("synthesis (Yosys)")
    top = BoardTop(board, p, placeholder(p, options), options)
    synthesis = _synthesize(top, board, folder)
    progress("place and route (nextpnr)")
    routed = tools.place_and_route(board.chip, folder, seed=seed, router=router)
    progress("memory contents, bitstream, and back")
    slices = 0
    if options.single_port:
        pack(folder, board.name, tools)
    else:
        text = (folder / ROUTED).read_text()
        slices = program(image, text, folder, board.name, options.family)
    Manifest.of(p, options, folder, board=board.name, seed=seed, router=router).save(folder)
    return _report(
        board,
        synthesis,
        routed,
        seed=seed,
        router=router,
        seconds=round(time.monotonic() - start, 1),
        bitstream=str(folder / f"{board.name}{tools.suffix}"),
        baked=not options.single_port,
        patched_slices=slices,
    )


def _synthesize(top: BoardTop, board: Board, folder: Path) -> Synthesis:
    plan = board.platform().build(top, do_build=False, debug_verilog=False)
    tools = TOOLCHAINS[board.family]
    (folder / "top.il").write_text(without_zeros(_file(plan, "top.il")))
    # Placed for speed, not for the oscillator's frequency: the report says what it can reach.
    pins = re.sub(
        r"^FREQUENCY (.*) \S+ HZ;",
        rf"FREQUENCY \1 {tools.goal_hz} HZ;",
        _file(plan, tools.pins),
        flags=re.M,
    )
    (folder / tools.pins).write_text(pins)
    return synthesize("top", folder, board.family, multiply=top.options.multiplier_parts == 1)


def _file(plan: object, name: str) -> str:
    content = plan.files[name]
    return content.decode() if isinstance(content, bytes) else content


def _report(board: Board, synthesis: Synthesis, routed: Routed, **made: object) -> BuildReport:
    packed = synthesis.packed
    return BuildReport(
        board=board.name,
        lut4=synthesis.lut4,
        luts=routed.luts,
        registers=routed.registers or synthesis.registers,
        blocks=routed.blocks,
        single_port=routed.single_port,
        multipliers=routed.multipliers,
        packed_registers=packed.registers,
        packed_blocks=packed.blocks,
        packed_multipliers=packed.multipliers,
        delay_registers=packed.delays,
        fmax_mhz=routed.fmax_mhz,
        clock_mhz=board.platform().default_clk_frequency / 1e6,
        **made,
    )
