"""Resources at equal speed: for each network the smallest machine that meets one latency."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from triodia_boards.catalog import get_board
from triodia_hw.machine.image import save_image

from ..network.files import load_network
from ..quantize.quantize import QuantizeOptions
from ..quantize.sizing import CLOCKS, smallest_for
from ..tasks.catalog import get_task
from .grid import Cell
from .rows import Column, Row
from .runner import Job, Jobs
from .stage import Composed, stage
from .stages import built, check_board
from .store import Store

__all__ = ["COLUMNS", "add_equal", "equal_rows", "shown_columns", "smallest"]


def _percent(value: float) -> str:
    return f"{100 * value:.4g} %"


COLUMNS = [
    Column("synapses_kept", "kept", "synapses kept", show=_percent),
    Column("max_delay", "delay", "longest delay, steps"),
    Column("board", "board"),
    Column("lanes", "PEs", "PEs", "The fewest that are fast enough."),
    Column("luts", "cells", "logic cells", "Foretold; with the link. Placed where it was built."),
    Column("blocks", "RAMs", "block RAMs", "Exact, with the link."),
    Column("cycles_per_sample", "cycles", "cycles per sample"),
    Column("us_per_sample", "µs", "µs per sample", "At the same clock for every row."),
    Column("clock_mhz", "MHz", "clock, MHz"),
    Column("fits", "fits", "fits", show=lambda fits: "yes" if fits else "no"),
    Column("limit", "limited by"),
    Column("placed_luts", "placed", "logic cells, placed"),
    Column("placed_mhz", "Fmax", "Fmax, MHz"),
]


@stage(label="sizing", cost=8.0)
def smallest(folder: Path, choices: dict, network: dict, reference: dict) -> dict:
    """The machine of fewest PEs that needs no more cycles per sample than ``reference``.

    ``choices``: task, samples, weight_bits, board, and ``cycles`` (None: those of the reference).
    If even 32 PEs are too slow, the fastest machine, and ``meets`` is false.
    """
    torch.set_num_threads(1)  # jobs share the cores
    data, net = get_task(choices["task"]).load(), load_network(_file(network, "trained.net"))
    most = choices["cycles"] or reference["cycles_per_sample"]
    family = get_board(choices["board"]).family
    options = QuantizeOptions(weight_bits=choices["weight_bits"], family=family)
    chosen, _ = smallest_for(net, data, options, most, samples=choices["samples"])
    image, cycles = chosen.image, chosen.cycles
    save_image(image, folder / "model.image")
    parameters = vars(image.params)
    return {
        "lanes": chosen.lanes,
        "cycles_per_sample": cycles,
        "meets": cycles <= most,
        "digest": image.digest(),
        "parameters": parameters,
        **check_board(parameters, choices["board"]),
    }


def _file(network: dict, name: str) -> Path:
    return Path(network["folder"]) / name


def _group(cell: Cell) -> tuple:
    """Cells that are compared at one latency: all choices but what pruning decides."""
    return tuple(v for k, v in vars(cell).items() if k not in ("synapses", "method", "first"))


def add_equal(
    jobs: Jobs,
    cells: Sequence[Cell],
    made: Sequence[dict[str, Job]],
    latency: float | None,
    build: bool,
) -> None:
    """Add to the jobs ``made`` for each of ``cells`` its machine at equal speed.

    The latency is that of the sparsest network of its group, with the PEs of its row, unless
    ``latency`` says microseconds: what would a denser network need to be as fast? The machine of
    the sparsest is built, to confirm the estimate; mostly it is the one that its row has built.
    """
    groups: dict[tuple, list[int]] = {}
    for k, cell in enumerate(cells):
        groups.setdefault(_group(cell), []).append(k)
    for members in groups.values():
        sparse = min(members, key=lambda k: cells[k].synapses)
        for k in members:
            cell = cells[k]
            clock = CLOCKS[get_board(cell.board).family]
            choices = {name: getattr(cell, name) for name in ("task", "samples", "weight_bits")}
            choices |= {"board": cell.board, "cycles": latency and latency * clock}
            made[k]["equal"] = jobs.add(
                smallest, choices, made[k]["network"], made[sparse]["machine"]
            )
        if build and len(members) > 1:
            choices = {name: getattr(cells[sparse], name) for name in ("board", "place_seed")}
            made[sparse]["equal_built"] = jobs.add(
                confirmed, choices, made[sparse]["equal"], made[sparse]["board"]
            )


@partial(Composed, label="place-and-route", cost=5.0)
def confirmed(store: Store, choices: dict, network: dict, _row: dict) -> dict:
    """:func:`.stages.built`, after the row's own build, which often serves both machines."""
    return built(store, choices, network)


def equal_rows(rows: Sequence[Row], equal: Sequence[dict | None]) -> list[dict]:
    """The table at equal speed, a dictionary for each row that has a machine for it."""
    found = []
    for row, sized in zip(rows, equal, strict=True):
        if sized is None:
            continue
        clock = CLOCKS[get_board(row.board).family]
        names = ("synapses_kept", "method", "max_delay", "board", "seed")
        line = {name: getattr(row, name) for name in names}
        keys = "lanes cycles_per_sample fits reason limit percent meets"
        line |= {key: sized[key] for key in keys.split()}
        line |= {key: sized[f"{key}_model"] for key in ("luts", "registers", "blocks")}
        line |= {"us_per_sample": round(sized["cycles_per_sample"] / clock, 2), "clock_mhz": clock}
        if placed := sized.get("placed"):
            line |= {"placed_luts": placed.get("luts"), "placed_blocks": placed.get("blocks")}
            line |= {"placed_mhz": placed.get("fmax_mhz")}
        found.append(line | {"metric_integer": row.metric_integer})
    return found


def shown_columns(lines: Sequence[Mapping]) -> list[Column]:
    """Columns of the table at equal speed that have values; of delay and board if they differ."""
    found = [c for c in COLUMNS if any(line.get(c.key) is not None for line in lines)]
    fixed = [key for key in ("max_delay", "board") if len({line.get(key) for line in lines}) == 1]
    return [column for column in found if column.key not in fixed]
