"""Files for a vendor's tool (Verilog, constraints, script), checked with Yosys.

Yosys synthesizes the design for the same FPGA and reports its resources.
"""

import time
from collections.abc import Callable
from pathlib import Path

from triodia_hw.compile.contents import contents
from triodia_hw.errors import YosysError
from triodia_hw.export.rtlil import without_zeros
from triodia_hw.export.yosys import run_yosys
from triodia_hw.files import write_atomic
from triodia_hw.lock import alone
from triodia_hw.machine.image import Image

from ..board import Board, BoardTop, check_clock
from .limits import check_fit
from .report import BuildReport
from .synthesis import synthesize
from .tools import BuildError

__all__ = ["vendor_build"]

_VERILOG = (
    "read_rtlil top.il",
    "hierarchy -top top",
    "proc -nomux -norom",
    "opt_clean",
    "memory_collect",
    "attrmap -remove generator -remove top -remove src",
    "write_verilog -norename made.v",
)


def vendor_build(
    image: Image,
    board: Board,
    folder: str | Path,
    *,
    clock_hz: int | None,
    baud: int,
    parity: bool,
    progress: Callable[[str], None],
) -> BuildReport:
    """Write ``top.v`` with the network, ``top.xdc`` and ``top.tcl`` to ``folder``.

    The clock is the board's unless given. Only the vendor's tool can tell if it is reached.

    Raises
    ------
    DoesNotFit, NoSuchClock, BuildError
    """
    start, folder = time.monotonic(), Path(folder)
    options = check_fit(image.params, board, parity=parity)
    goal = check_clock(board, clock_hz, baud)
    top = BoardTop(board, image.params, contents(image), options, clock_hz=goal, baud=baud)
    plan = board.make_platform().build(top, do_build=False)
    with alone(folder, "build"):
        files = {name: _text(plan.files[name]) for name in ("top.il", "top.xdc", "top.tcl")}
        files["top.il"] = without_zeros(files["top.il"], options)
        for name, text in files.items():
            write_atomic(folder / name, text.encode())
        progress("Verilog (Yosys)")
        try:
            run_yosys(list(_VERILOG), folder, "verilog")
        except YosysError as error:
            raise BuildError(str(error)) from None
        (folder / "made.v").replace(folder / "top.v")
        progress("synthesis by Yosys, as a check")
        made = synthesize("top", folder, board.family)
    return BuildReport(
        board=board.name,
        lut4=made.lut4,
        luts=made.lut4,
        registers=made.registers,
        blocks=made.blocks,
        single_port=0,
        multipliers=made.multipliers,
        packed_registers=0,
        packed_blocks=0,
        packed_multipliers=0,
        delay_registers=0,
        fmax_mhz=None,
        clock_mhz=goal / 1e6,
        seed=0,
        router="",
        seconds=round(time.monotonic() - start, 1),
        bitstream=None,
        baked=True,
        patched_slices=0,
        note="bitstream and timing are the vendor tool's: run `vivado -mode batch -source top.tcl` "
        f"in {folder}",
    )


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content
