"""From an image to a bitstream: synthesize, place, route, and insert the network."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from triodia_hw.compile.contents import contents
from triodia_hw.compile.options import Options
from triodia_hw.compile.sdram import SLOWEST_HZ
from triodia_hw.export.rtlil import without_zeros
from triodia_hw.files import write_atomic
from triodia_hw.lock import alone
from triodia_hw.machine.image import Image
from triodia_hw.machine.params import MachineParams

from ..board import BAUD, Board, BoardTop, check_clock
from ..catalog import BOARDS, BadChoice
from .limits import check_fit, check_logic, needs
from .manifest import Manifest
from .page import build_page
from .pincheck import check_pins
from .pll import NoSuchClock, pll_settings
from .program import pack, placeholder, program
from .report import BuildReport
from .synthesis import Synthesis, synthesize
from .toolchain import ROUTED, TOOLCHAINS, Routed, Toolchain
from .tools import BuildError
from .vendor import vendor_build

__all__ = ["BuildReport", "build", "clocks_mhz", "synthesize_top"]

# Clocks to try, fastest first.
_CLOCKS_MHZ = {
    "ecp5": (160, 140, 120, 100, 90, 80, 60, 40, 20),
    "ice40": (60, 54, 48, 42, 36, 33, 30, 27, 24, 21, 18, 12),
}

_KINDS = (
    ("blocks", "block RAMs"),
    ("single_port", "large memories"),
    ("luts", "look-up tables"),
    ("registers", "flip-flops"),
    ("multipliers", "multipliers"),
)

Progress = Callable[[str], None]

_NOT_TIMED = "not timed: the tools do not know the delays of the memories of this FPGA"


def clocks_mhz(board: Board) -> list[int]:
    """Clocks in MHz that the PLL of ``board`` can make and a build may try, fastest first."""

    def possible(mhz: int) -> bool:
        try:
            pll_settings(board.oscillator_hz, mhz * 1e6, board.family)
        except NoSuchClock:
            return mhz * 1_000_000 == board.oscillator_hz
        return True

    return [mhz for mhz in _CLOCKS_MHZ.get(board.family, ()) if possible(mhz)]


def build(
    image: Image,
    board: Board,
    folder: str | Path,
    *,
    seed: int = 1,
    router: str | None = None,
    clock_hz: int | None = None,
    baud: int = BAUD,
    parity: bool = False,
    page: bool = False,
    progress: Progress = print,
) -> BuildReport:
    """Build a bitstream for ``board`` in ``folder``; equal inputs give equal bitstreams.

    Yosys gets placeholders instead of the network. The contents go into the placed and routed
    design and are read back from the bitstream. ``folder`` keeps what :func:`.program.reprogram`
    needs for another network. On Gowin, whose bitstreams cannot be unpacked, and for the vendor's
    tool, the network is part of the netlist. Where synapses are in memory that starts empty, the
    machine is empty until a network is loaded.

    ``seed`` sets the placement. If nextpnr finds none, the next seed is tried, and the report names
    it. ``router`` is nextpnr's; ``router2`` finishes sooner on crowded designs.

    ``clock_hz`` is the machine's clock, made by the PLL; ``baud`` is the serial port's. If no clock
    is given and the placed design misses the default, it is built again for the next slower of
    :func:`clocks_mhz`. Families without timing run at the oscillator's clock.

    The pins of a board that is not a shipped one are tried first (:func:`.pincheck.check_pins`).

    With ``parity`` the machine detects bit flips in its memories, and starts empty. ``page`` writes
    ``report.html`` (:mod:`.page`) too.

    Raises
    ------
    BadChoice, BadBoard, DoesNotFit, NoSuchClock, BuildError
        BuildError also if a given clock is not reached.
    """
    if board.family not in TOOLCHAINS:
        _check_vendor(board, page=page, router=router)
        how = {"clock_hz": clock_hz, "baud": baud, "parity": parity}
        return vendor_build(image, board, folder, progress=progress, **how)
    start, tools = time.monotonic(), TOOLCHAINS[board.family]
    p, folder, router = image.params, Path(folder), _checked_router(tools, router)
    options = check_fit(p, board, parity=parity)
    check_clock(board, clock_hz, baud, p)
    empty = bool(options.single_port or parity or p.external)
    words = placeholder(p, options) if tools.unpack or empty else contents(image)
    how = {"seed": seed, "router": router, "clock_hz": clock_hz, "baud": baud}
    how["progress"] = progress
    progress(_foretold(p, board, options))
    if BOARDS.get(board.name) != board:
        check_pins(board)
    with alone(folder, "build"):
        Manifest.remove(folder)
        synthesis, routed, made_hz = _placed(p, words, options, board, folder, **how)
        progress("memory contents, bitstream, and back" if tools.unpack else "bitstream")
        slices = _pack(image, board, options, folder, patched=bool(tools.unpack) and not empty)
        which = {"board": board.name, "seed": routed.seed, "router": router}
        Manifest.of(p, options, folder, **which).save(folder)
        report = _report(
            board,
            synthesis,
            routed,
            clock_mhz=made_hz / 1e6,
            seed=routed.seed,
            router=router,
            seconds=round(time.monotonic() - start, 1),
            bitstream=str(folder / f"{board.name}{tools.suffix}"),
            baked=not empty,
            patched_slices=slices,
            note="" if tools.timed else _NOT_TIMED,
        )
        if page:
            text = build_page(image, board, options, folder, report)
            write_atomic(folder / "report.html", text.encode())
    return report


def _check_vendor(board: Board, *, page: bool, router: str | None) -> None:
    """Refuse what only the open tools can do."""
    if page:
        raise BadChoice(f"a page must be left out for {board.name}: the vendor's tool reports")
    if router is not None:
        raise BadChoice(f"router must be left out for {board.name}: the vendor's tool routes")


def _foretold(p: MachineParams, board: Board, options: Options) -> str:
    """What the machine takes of the board, in words."""
    percent = needs(p, board, options).percent(board)
    parts = [f"{percent[name]:.0f} % of the {text}" for name, text in _KINDS if name in percent]
    return f"of {board.name} it takes about {', '.join(parts)}"


def _checked_router(tools: Toolchain, router: str | None) -> str:
    """``router``, or the default of ``tools``."""
    router = router or tools.routers[0]
    if router not in tools.routers:
        raise BadChoice(f"router must be one of {', '.join(tools.routers)}, not {router!r}")
    return router


def _pack(image: Image, board: Board, options: Options, folder: Path, *, patched: bool) -> int:
    """Make the bitstream of the routed design; return how many content slices were patched."""
    if not patched:
        pack(folder, board.name, TOOLCHAINS[board.family], board.pack_options)
        return 0
    text = (folder / ROUTED).read_text()
    return program(image, text, folder, board.name, options.family)


def _placed(
    p: MachineParams,
    words: list[dict[str, list[int]]],
    options: Options,
    board: Board,
    folder: Path,
    *,
    seed: int,
    router: str,
    clock_hz: int | None,
    baud: int,
    progress: Progress,
) -> tuple[Synthesis, Routed, int]:
    """Place and route, slower until its clock is reached; return it and the clock in Hz."""
    goal, tools = clock_hz or board.clock_hz, TOOLCHAINS[board.family]
    while True:
        top = BoardTop(board, p, words, options, clock_hz=goal, baud=baud)
        progress(f"synthesis (Yosys), clock {goal / 1e6:g} MHz")
        synthesis = synthesize_top(top, board, folder)
        check_logic(board, luts=synthesis.lut4, registers=synthesis.registers)
        progress("place and route (nextpnr)")
        routed = tools.place_and_route(board.chip, folder, seed=seed, router=router)
        if routed.fmax_mhz is None or routed.fmax_mhz * 1e6 >= goal:
            return synthesis, routed, goal
        least_hz = SLOWEST_HZ if p.external else 0
        goal = _slower(routed.fmax_mhz, goal, board, least_hz, given=clock_hz is not None)
        progress(f"it reaches {routed.fmax_mhz:.1f} MHz")


def synthesize_top(top: BoardTop, board: Board, folder: Path) -> Synthesis:
    """Write ``top.il`` and the pins to ``folder``, and synthesize; for each family's tools."""
    tools, multiply = TOOLCHAINS.get(board.family), top.options.multiplier_parts == 1
    how = {"debug_verilog": False} if tools else {}
    plan = board.make_platform().build(top, do_build=False, **how)
    netlist = without_zeros(_file(plan, "top.il"), top.options)
    write_atomic(folder / "top.il", netlist.encode())
    if tools:
        write_atomic(folder / tools.pins, _pins(_file(plan, tools.pins), tools, top).encode())
    return synthesize("top", folder, board.family, multiply=multiply)


def _pins(pins: str, tools: Toolchain, top: BoardTop) -> str:
    """The constraints, with a clock to place for.

    That is not the actual clock: the report says what the design can reach. The pin is constrained,
    and nextpnr derives the clock after the PLL. On an iCE40 the clock without a constraint is
    placed for `--freq`.
    """
    pin_hz = round(tools.goal_hz * top.board.oscillator_hz / top.clock_hz)
    pins = re.sub(r"^FREQUENCY (.*) \S+ HZ;", rf"FREQUENCY \1 {pin_hz} HZ;", pins, flags=re.M)
    return re.sub(r"^set_frequency .*\n", "", pins, flags=re.M)


def _file(plan: object, name: str) -> str:
    content = plan.files[name]
    return content.decode() if isinstance(content, bytes) else content


def _slower(reached: float, goal: float, board: Board, least_hz: int, *, given: bool) -> int:
    """Next clock in Hz to try for a design that reaches ``mhz``."""
    most = min(reached, goal / 1e6)
    slower = [mhz for mhz in clocks_mhz(board) if least_hz / 1e6 <= mhz < most]
    if given or not slower:
        raise BuildError(
            f"the design reaches {reached:.1f} MHz on {board.name} and not the clock of "
            f"{goal / 1e6:g} MHz; build with a slower --clock or fewer lanes"
        )
    return slower[0] * 1_000_000


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
        **made,
    )
