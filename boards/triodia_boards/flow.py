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
from triodia_hw.yosys import YosysError, run_yosys

from .board import Board, BoardTop
from .boards import BadChoice
from .manifest import ROUTED, Manifest
from .program import placeholder, program
from .tools import BuildError, run_tool

__all__ = ["ROUTERS", "BuildReport", "DoesNotFit", "build", "check_fit"]

_GOAL_HZ = 150_000_000  # what a block RAM without output register allows on an ECP5 of speed 6

ROUTERS = ("router1", "router2")

Progress = Callable[[str], None]


class DoesNotFit(ValueError):
    """The machine needs more of a resource than the board has."""


@dataclass(frozen=True)
class BuildReport:
    """What the machine takes on the board, as nextpnr placed it.

    ``fmax_mhz`` is nextpnr's figure for the machine's clock after routing, for the given seed;
    the bitstream itself runs on the board's oscillator, ``clock_mhz``.
    """

    board: str
    luts: int
    registers: int
    blocks: int
    multipliers: int
    fmax_mhz: float
    clock_mhz: float
    seed: int
    router: str
    seconds: float
    bitstream: str
    patched_slices: int


def check_fit(p: MachineParams, board: Board) -> Options:
    """How to build the machine so that its memories fit ``board``.

    Working memories go to block RAM if there is enough of it, else to distributed RAM. Raises
    :class:`DoesNotFit` if the contents alone exceed the board, saying what would help.
    """
    multipliers = ecp5_multipliers(p)
    if multipliers > board.multipliers:
        raise DoesNotFit(
            f"{board.name} has {board.multipliers} multipliers and the machine needs "
            f"{multipliers} for {p.lanes} lanes; use fewer lanes or take a larger board"
        )
    for block in (True, False):
        need = ecp5_blocks(p, block=block)
        if need <= board.blocks:
            return Options(block=block)
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
    progress: Progress = print,
) -> BuildReport:
    """Build ``NAME.bit`` for ``board`` in ``folder``; the same inputs give the same bitstream.

    The netlist that Yosys gets holds placeholders instead of the network: the contents go into
    the placed and routed design, and are read back from the bitstream. ``router1`` is the default;
    ``router2`` ends sooner on crowded designs. What is left in ``folder`` is enough to put in
    another network (:func:`.program.reprogram`).

    Raises
    ------
    BadChoice, DoesNotFit, BuildError
    """
    start = time.monotonic()
    if router not in ROUTERS:
        raise BadChoice(f"router must be one of {', '.join(ROUTERS)}, not {router!r}")
    p = image.params
    options = check_fit(p, board)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    Manifest.remove(folder)
    progress("synthesis (Yosys)")
    _synthesize(BoardTop(board, p, placeholder(p), options), board, folder)
    progress("place and route (nextpnr)")
    _place_and_route(board, folder, seed, router)
    progress("memory contents, bitstream, and back (ecppack, ecpunpack)")
    slices = program(image, (folder / ROUTED).read_text(), folder, board.name)
    Manifest.of(p, options, folder, board=board.name, seed=seed, router=router).save(folder)
    return _report(board, folder, seed, router, time.monotonic() - start, slices)


def _synthesize(top: BoardTop, board: Board, folder: Path) -> None:
    plan = board.platform().build(top, do_build=False, debug_verilog=False)
    (folder / "top.il").write_text(_file(plan, "top.il"))
    # Placed for speed, not for the oscillator's frequency: the report says what it can reach.
    pins = re.sub(
        r"^FREQUENCY (.*) \S+ HZ;",
        rf"FREQUENCY \1 {_GOAL_HZ} HZ;",
        _file(plan, "top.lpf"),
        flags=re.M,
    )
    (folder / "top.lpf").write_text(pins)
    script = [
        "read_rtlil top.il",
        # Ram promises nothing on a collision, so the read-old emulation Yosys would build may go.
        "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:CLK_ENABLE=1 %i",
        "synth_ecp5 -top top -json top.json",
        "stat",
    ]
    try:
        run_yosys(script, folder)
    except YosysError as error:
        raise BuildError(str(error)) from None


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


def _report(
    board: Board, folder: Path, seed: int, router: str, seconds: float, slices: int
) -> BuildReport:
    report = json.loads((folder / "report.json").read_text())
    used = {name: cell["used"] for name, cell in report["utilization"].items()}
    fmax = min(clock["achieved"] for clock in report["fmax"].values())
    return BuildReport(
        board=board.name,
        luts=used["TRELLIS_COMB"],
        registers=used["TRELLIS_FF"],
        blocks=used["DP16KD"],
        multipliers=used["MULT18X18D"],
        fmax_mhz=round(fmax, 2),
        clock_mhz=board.platform().default_clk_frequency / 1e6,
        seed=seed,
        router=router,
        seconds=round(seconds, 1),
        bitstream=str(folder / f"{board.name}.bit"),
        patched_slices=slices,
    )
