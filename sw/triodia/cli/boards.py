"""``boards`` and ``board new``: boards, their capacity, and files for others."""

from typing import Annotated

import typer

from triodia_boards.board import Board
from triodia_boards.capacity import capacity, sdram_words
from triodia_boards.catalog import BOARDS, get_board
from triodia_boards.datafile import new_board
from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .console import Output
from .options import Json, Out, WeightBits

__all__ = ["board_new", "boards"]

_LANES = (1, 4, 8, 16)
_COLUMNS = {
    "board": "board",
    "luts": "LUTs",
    "registers": "FFs",
    "blocks": "RAMs",
    "multipliers": "mult.",
    "clock_mhz": "MHz",
}
_SHORT = {"blocks": "RAMs", "single_port": "large RAMs", "luts": "LUTs", "registers": "FFs"}
_SHORT |= {"multipliers": "mult."}


def boards(
    neurons: Annotated[int, typer.Option(help="Neurons of the machine.", min=2)] = 256,
    weight_bits: WeightBits = 8,
    board: Annotated[
        str | None, typer.Option(help="Only this board, or your own file (.toml).")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the boards and the synapse words that fit each."""
    chosen = BOARDS.values() if board is None else [get_board(board)]
    rows = [_row(one, neurons, weight_bits) for one in chosen]
    data = {"neurons": neurons, "weight_bits": weight_bits, "boards": rows}
    show, heads = Output(as_json), {n: f"{n} PE{'s' * (n > 1)}" for n in _LANES}
    title = f"Boards, and the synapse words that fit by number of PEs ({neurons} neurons)"
    columns = _COLUMNS | {f"lanes_{n}": head for n, head in heads.items()}
    columns |= {"sdram": "1 PE, SDRAM"}
    show.rows(data, rows, columns, title=title)
    if not as_json:
        fullest = [_fullest(row, heads) for row in rows]
        columns = {"board": "board", **{head: head for head in heads.values()}}
        show.rows({}, fullest, columns, title="Fullest resource then, and what limits the words")


def _row(board: Board, neurons: int, weight_bits: int) -> dict:
    """What a board has, and what fits it by number of PEs."""
    names = ("luts", "registers", "blocks", "multipliers")
    row = {"board": board.name, **{name: getattr(board, name) for name in names}}
    row |= {"clock_mhz": board.clock_hz / 1e6, "connect": board.connect, "fits": {}}
    for lanes in _LANES:
        fit = capacity(board, neurons, lanes=lanes, weight_bits=weight_bits)
        row[f"lanes_{lanes}"] = fit.synapses or None
        row["fits"][str(lanes)] = {"percent": fit.percent, "limit": fit.limit}
    row["sdram"] = sdram_words(board, neurons, weight_bits=weight_bits) or None
    return row


def _fullest(row: dict, heads: dict[int, str]) -> dict[str, str]:
    """For each number of PEs the fullest resource of the largest machine, and its limit."""
    cells = {"board": row["board"]}
    for lanes, head in heads.items():
        fit = row["fits"][str(lanes)]
        name = max(fit["percent"], key=fit["percent"].get, default=None)
        used = f"{fit['percent'][name]:.0f} % {_SHORT[name]}, " if name else "none: "
        cells[head] = used + fit["limit"]
    return cells


def board_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the board.")],
    output: Out,
    like: Annotated[
        str | None, typer.Option(help="Start from this shipped board; write only what differs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a commented data file for a board of your own."""
    text = new_board(name, like)
    if output.exists():
        raise TriodiaError(f"{output} exists already; name another file, or remove it.")
    write_atomic(output, text.encode())
    data = {"board": name, "like": like, "file": str(output)}
    Output(as_json).result(data, title="New board; write its pins into the file")
