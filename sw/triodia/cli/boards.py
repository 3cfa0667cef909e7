"""``boards`` and ``board new``: boards, their capacity, and files for others."""

from typing import Annotated

import typer

from triodia_boards.capacity import capacity
from triodia_boards.catalog import BOARDS
from triodia_boards.datafile import new_board
from triodia_hw.files import write_atomic

from .console import Output
from .options import Json, Out, WeightBits

__all__ = ["board_new", "boards"]

_COLUMNS = {
    "board": "board",
    "luts": "LUTs",
    "blocks": "RAMs",
    "multipliers": "mult.",
    "clock_mhz": "MHz",
    **{f"lanes_{lanes}": f"{lanes} PE{'s' * (lanes > 1)}" for lanes in (1, 4, 8, 16)},
}


def boards(
    neurons: Annotated[int, typer.Option(help="Neurons of the machine.", min=2)] = 256,
    weight_bits: WeightBits = 8,
    as_json: Json = False,
) -> None:
    """List the boards and the synapse words that fit each."""
    rows = []
    for board in BOARDS.values():
        row = {"board": board.name, "luts": board.luts, "blocks": board.blocks}
        row |= {"multipliers": board.multipliers, "clock_mhz": board.clock_hz / 1e6}
        for lanes in (1, 4, 8, 16):
            fit = capacity(board, neurons, lanes=lanes, weight_bits=weight_bits)
            row[f"lanes_{lanes}"] = fit.synapses if fit else None
        rows.append(row)
    data = {"neurons": neurons, "weight_bits": weight_bits, "boards": rows}
    title = f"Boards, and the synapse words that fit by number of PEs ({neurons} neurons)"
    Output(as_json).rows(data, rows, _COLUMNS, title=title)


def board_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the board.")],
    output: Out,
    like: Annotated[
        str | None, typer.Option(help="Start from this shipped board; write only what differs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a commented data file for a board of your own."""
    write_atomic(output, new_board(name, like).encode())
    data = {"board": name, "like": like, "file": str(output)}
    Output(as_json).result(data, title="New board; write its pins into the file")
