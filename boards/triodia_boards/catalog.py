"""Catalogue of the shipped boards, by name; and boards of the user's own."""

from importlib.resources import files
from pathlib import Path

from triodia_hw.compile.family import FAMILIES
from triodia_hw.errors import TriodiaError

from .board import Board
from .datafile import board_of, read_board

__all__ = ["BOARDS", "BadChoice", "get_board"]


def _shipped() -> dict[str, Board]:
    """Boards of the files in ``boards/``, by family and name."""
    data = [f for f in (files(__package__) / "boards").iterdir() if f.name.endswith(".toml")]
    boards = [board_of(file.read_text(), file.name) for file in data]
    order = list(FAMILIES)
    boards.sort(key=lambda board: (order.index(board.family), board.name))
    return {board.name: board for board in boards}


BOARDS = _shipped()


class BadChoice(TriodiaError, ValueError):
    """Unknown board or router; the message lists the known ones."""


def get_board(name: str) -> Board:
    """The shipped board called ``name``, or that of the data file at this path.

    A path has a slash, or ends in ``.toml``.

    Raises
    ------
    BadChoice
        If there is no such board; the message lists the shipped ones.
    BadBoard
        If the file does not describe a board.
    """
    if name in BOARDS:
        return BOARDS[name]
    if name.endswith(".toml") or len(Path(name).parts) > 1:
        return read_board(name)
    raise BadChoice(
        f"board must be one of {', '.join(BOARDS)}, or a file such as ./myboard.toml, not {name!r}"
    )
