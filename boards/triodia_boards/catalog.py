"""Catalogue of the supported boards, by name."""

from triodia_hw.errors import TriodiaError

from .board import Board
from .boards.arty_a7 import ARTY_A7_35, ARTY_A7_100
from .boards.ecpix5 import ECPIX5_45F, ECPIX5_85F
from .boards.hx8k_evb import HX8K_EVB
from .boards.icebreaker import ICEBREAKER
from .boards.orangecrab import ORANGECRAB_25F, ORANGECRAB_85F
from .boards.tang import PRIMER_20K, TANG_NANO_9K
from .boards.ulx3s import ULX3S_12F, ULX3S_25F, ULX3S_45F, ULX3S_85F

__all__ = ["BOARDS", "BadChoice", "get_board"]

BOARDS = {
    board.name: board
    for board in (
        ULX3S_12F,
        ULX3S_25F,
        ULX3S_45F,
        ULX3S_85F,
        ORANGECRAB_25F,
        ORANGECRAB_85F,
        ECPIX5_45F,
        ECPIX5_85F,
        ICEBREAKER,
        HX8K_EVB,
        TANG_NANO_9K,
        PRIMER_20K,
        ARTY_A7_35,
        ARTY_A7_100,
    )
}


class BadChoice(TriodiaError, ValueError):
    """Unknown board or router; the message lists the known ones."""


def get_board(name: str) -> Board:
    """Board called ``name``; :class:`BadChoice` lists the known names."""
    if name not in BOARDS:
        raise BadChoice(f"board must be one of {', '.join(BOARDS)}, not {name!r}")
    return BOARDS[name]
