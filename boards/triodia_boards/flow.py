"""From an image to a bitstream: Yosys, nextpnr, and the network put in."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.options import Options
from triodia_hw.image import Image
from triodia_hw.memory import ecp5_blocks, ecp5_multipliers

from .board import BAUD, Board, BoardTop
from .boards import BadChoice
from .manifest import ROUTED, Manifest
from .program import placeholder, program
from .synthesis import Synthesis, synthesize
from .tools import BuildError, run_tool

__all__ = [
    "CLOCKS_MHZ",
    "GOAL_HZ",
    "LINK_BLOCKS",
    "ROUTERS",
    "BuildReport",
    "DoesNotFit",
    "build",
    "check_fit",
]

LINK_BLOCKS = 2  # block RAMs of the link's two buffers

GOAL_HZ = 175_000_000  # above what placements reach, so that the placer never rests

ROUTERS = ("router1", "router2")

CLOCKS_MHZ = (160, 140, 120, 100, 90, 80, 60, 40, 20)  # what the PLLs of all boards can make

Progress = Callable[[str], None]


class DoesNotFit(ValueError):
    """The machine needs more of a resource than the board has."""


@dataclass(frozen=True)
class BuildReport:
    """What the machine takes on the board, as nextpnr placed it.

    ``lut4`` are Yosys' look-up tables; ``luts`` nextpnr's logic cells, which hold those, carry
    cells and distributed RAM. ``registers`` are those of the fabric: ``packed_registers`` more
    were moved into ``packed_blocks`` block RAMs and ``packed_multipliers``, for which
    ``delay_registers`` were added (:mod:`.registers`).
    ``fmax_mhz`` is nextpnr's figure for the machine's clock after routing, for the given seed;
    the bitstream itself runs at ``clock_mhz``, which is not more.
    """

    board: str
    lut4: int
    luts: int
    registers: int
    blocks: int
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
    patched_slices: int


def check_fit(p: MachineParams, board: Board) -> Options:
    """How to build the machine so that its memories fit ``board``, with those of the link.

    Working memories go to block RAM as far as there is enough of it, else to distributed RAM.
    Raises :class:`DoesNotFit` if the contents alone exceed the board, saying what would help.
    """
    multipliers = ecp5_multipliers(p)
    if multipliers > board.multipliers:
        raise DoesNotFit(
            f"{board.name} has {board.multipliers} multipliers and the machine needs "
            f"{multipliers} for {p.lanes} lanes; use fewer lanes or take a larger board"
        )
    # The state takes the fewest look-up tables for the block it frees.
    for distributed in ((), ("state",), ("state", "sums_0"), ("state", "sums_0", "sums_1")):
        need = LINK_BLOCKS + ecp5_blocks(p, distributed=distributed)
        if need <= board.blocks:
            return Options(distributed=distributed)
    raise DoesNotFit(
        f"{board.name} has {board.blocks} block RAMs and the machine needs {need} for "
        f"{p.neurons} neurons and {p.lanes * p.synapse_words} synapse words on {p.lanes} lanes; "
        "prune further, use fewer lanes or weight bits, or take a larger board"
    )


def build(
    image: Image,
    board: Board,
    folder: str | Path,
    *,
    seed: int = 1,
    router: str = ROUTERS[0],
    clock_hz: int | None = None,
    baud: int = BAUD,
    progress: Progress = print,
) -> BuildReport:
    """Build ``NAME.bit`` for ``board`` in ``folder``; the same inputs give the same bitstream.

    The netlist that Yosys gets holds placeholders instead of the network: the contents go into
    the placed and routed design, and are read back from the bitstream. ``router1`` is the default;
    ``router2`` ends sooner on crowded designs. What is left in ``folder`` is enough to put in
    another network (:func:`.program.reprogram`).

    ``clock_hz`` is the machine's, made by the PLL, and ``baud`` its serial port's. Unless a clock
    is given, one that the placed design does not reach is replaced by the next slower of
    :data:`CLOCKS_MHZ`, and the design built again.

    Raises
    ------
    BadChoice, DoesNotFit, NoSuchClock, BuildError
        The last if a clock that was given is not reached.
    """
    start = time.monotonic()
    if router not in ROUTERS:
        raise BadChoice(f"router must be one of {', '.join(ROUTERS)}, not {router!r}")
    p = image.params
    options = check_fit(p, board)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    Manifest.remove(folder)
    goal = clock_hz or board.clock_hz
    while True:
        top = BoardTop(board, p, placeholder(p), options, clock_hz=goal, baud=baud)
        progress(f"synthesis (Yosys), clock {goal / 1e6:g} MHz")
        synthesis = _synthesize(top, board, folder)
        progress("place and route (nextpnr)")
        _place_and_route(board, folder, seed, router)
        reached = _reached(folder)
        if reached * 1e6 >= goal:
            break
        slower = [mhz for mhz in CLOCKS_MHZ if mhz < min(reached, goal / 1e6)]
        if clock_hz or not slower:
            raise BuildError(
                f"the design reaches {reached:.1f} MHz on {board.name} and not the clock of "
                f"{goal / 1e6:g} MHz; build with a slower --clock or fewer lanes"
            )
        progress(f"it reaches {reached:.1f} MHz")
        goal = slower[0] * 1_000_000
    progress("memory contents, bitstream, and back (ecppack, ecpunpack)")
    slices = program(image, (folder / ROUTED).read_text(), folder, board.name)
    Manifest.of(p, options, folder, board=board.name, seed=seed, router=router).save(folder)
    took = time.monotonic() - start
    return _report(
        board,
        folder,
        synthesis,
        seed=seed,
        router=router,
        seconds=took,
        slices=slices,
        clock_mhz=goal / 1e6,
    )


def _synthesize(top: BoardTop, board: Board, folder: Path) -> Synthesis:
    platform = board.make_platform()
    plan = platform.build(top, do_build=False, debug_verilog=False)
    (folder / "top.il").write_text(_file(plan, "top.il"))
    # Placed for speed, not for the frequency there is: the report says what it can reach. The pin
    # is constrained, and nextpnr derives the clock behind the PLL.
    pin_hz = round(GOAL_HZ * platform.default_clk_frequency / top.clock_hz)
    pins = re.sub(
        r"^FREQUENCY (.*) \S+ HZ;",
        rf"FREQUENCY \1 {pin_hz} HZ;",
        _file(plan, "top.lpf"),
        flags=re.M,
    )
    (folder / "top.lpf").write_text(pins)
    return synthesize("top", folder)


def _file(plan: object, name: str) -> str:
    content = plan.files[name]
    return content.decode() if isinstance(content, bytes) else content


def _place_and_route(board: Board, folder: Path, seed: int, router: str) -> None:
    options = [
        board.device,
        f"--package={board.package}",
        f"--speed={board.speed}",
        "--json=top.json",
        "--lpf=top.lpf",
        f"--textcfg={ROUTED}",
        "--report=report.json",
        f"--seed={seed}",
        "--timing-allow-fail",
        f"--router={router}",
    ]
    run_tool("nextpnr-ecp5", options, folder)


def _reached(folder: Path) -> float:
    """MHz that nextpnr says every clock reaches."""
    report = json.loads((folder / "report.json").read_text())
    return min(clock["achieved"] for clock in report["fmax"].values())


def _report(
    board: Board,
    folder: Path,
    synthesis: Synthesis,
    *,
    seed: int,
    router: str,
    seconds: float,
    slices: int,
    clock_mhz: float,
) -> BuildReport:
    report = json.loads((folder / "report.json").read_text())
    used = {name: cell["used"] for name, cell in report["utilization"].items()}
    packed = synthesis.packed
    return BuildReport(
        board=board.name,
        lut4=synthesis.lut4,
        luts=used["TRELLIS_COMB"],
        registers=used["TRELLIS_FF"],
        blocks=used["DP16KD"],
        multipliers=used["MULT18X18D"],
        packed_registers=packed.registers,
        packed_blocks=packed.blocks,
        packed_multipliers=packed.multipliers,
        delay_registers=packed.delays,
        fmax_mhz=round(_reached(folder), 2),
        clock_mhz=clock_mhz,
        seed=seed,
        router=router,
        seconds=round(seconds, 1),
        bitstream=str(folder / f"{board.name}.bit"),
        patched_slices=slices,
    )
