"""Source of a virtual board: the real board's RTLIL and its pins."""

import re

from triodia_hw.machine.params import MachineParams

from .board import Board, BoardTop, check_clock
from .catalog import BadChoice
from .flow.limits import check_fit
from .flow.program import placeholder

__all__ = ["pin_names", "top_source"]


def top_source(
    p: MachineParams,
    board: Board,
    *,
    baud: int,
    clock_hz: int | None = None,
    parity: bool = False,
) -> tuple[str, dict[str, str | int], int]:
    """RTLIL of the top level as synthesis gets it, its pins, and clock cycles per bit.

    Raises
    ------
    DoesNotFit, NoSuchClock, BadChoice
    """
    if board.family not in ("ecp5", "ice40"):
        raise BadChoice(
            f"a virtual board must be one with an ECP5 or an iCE40, not {board.name}: the pins of "
            "others have no model yet"
        )
    options, clock_hz = check_fit(p, board, parity=parity), check_clock(board, clock_hz, baud, p)
    top = BoardTop(board, p, placeholder(p, options), options, baud=baud, clock_hz=clock_hz)
    platform = board.make_platform(split=p.external)
    plan = platform.build(top, do_build=False, debug_verilog=False)
    text = plan.files["top.il"]
    rtlil, pins = text.decode() if isinstance(text, bytes) else text, pin_names(board)
    inputs = (pins["clock"], pins["rx"], pins.get("button"), "sdram_0__dq__io")
    return _directed(rtlil, inputs), pins, top.divisor


def _directed(rtlil: str, inputs: tuple[str | None, ...]) -> str:
    """Give pins a direction, which pins of iCE40 cells lack."""

    def direction(wire: re.Match) -> str:
        return f"{wire[1]}{'input' if wire[3] in inputs else 'output'}{wire[2]}{wire[3]}\n"

    return re.sub(r"^(  wire .*?)inout( \d+ +\\)(\w+__io)\n", direction, rtlil, flags=re.M)


def pin_names(board: Board) -> dict[str, str | int]:
    """Pins by purpose, and ``released``, the level of the idle button."""
    pins = {"clock": "clk_0__io", "rx": "uart_0__rx__io", "tx": "uart_0__tx__io"}
    if board.reset is None:
        return pins
    return pins | {"button": "button_0__io", "released": int(board.reset.inverted)}
