"""What a virtual board is compiled from: the netlist source of the real one, and its pins."""

from amaranth.build import Platform

from triodia_hw.contract import MachineParams

from .board import Board, BoardTop
from .boards import BadChoice
from .fit import check_fit
from .program import placeholder

__all__ = ["pin_names", "top_source"]


def top_source(
    p: MachineParams, board: Board, *, baud: int, clock_hz: int | None = None
) -> tuple[str, dict[str, str | int], int]:
    """RTLIL of the top level as synthesis gets it, its pins, and clock cycles of a bit.

    Raises
    ------
    DoesNotFit, NoSuchClock, BadChoice
    """
    if board.family != "ecp5":
        raise BadChoice(
            f"a virtual board must be one with an ECP5, not {board.name}: the pins of others "
            "have no model yet"
        )
    options = check_fit(p, board)
    top = BoardTop(board, p, placeholder(p, options), options, baud=baud, clock_hz=clock_hz)
    platform = board.make_platform()
    plan = platform.build(top, do_build=False, debug_verilog=False)
    text = plan.files["top.il"]
    rtlil = text.decode() if isinstance(text, bytes) else text
    return rtlil, pin_names(board, platform), top.divisor


def pin_names(board: Board, platform: Platform) -> dict[str, str | int]:
    """Pins by what they are for, and ``released``: the level of the button at rest."""
    pins = {"clock": f"{platform.default_clk}_0__io"}
    pins |= {"rx": "uart_0__rx__io", "tx": "uart_0__tx__io"}
    if board.reset is None:
        return pins
    name, number = board.reset
    button = platform.resources[name, number].ios[0]
    return pins | {"button": f"{name}_{number}__io", "released": int(button.invert)}
