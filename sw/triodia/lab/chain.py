"""The whole chain for a grid of cells: which stages a row needs, and the row they make."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from triodia_boards.catalog import get_board

from ..network.starts import START
from . import evidence, stages
from .equal import add_equal, equal_rows
from .grid import Cell
from .rows import Row
from .runner import Job, Jobs, Progress
from .store import Store

__all__ = ["Explored", "explore", "spread"]


class Explored(NamedTuple):
    """Rows, the seconds of work behind them when each stage first ran, and the table at equal
    speed (:func:`.equal.equal_rows`)."""

    rows: list[Row]
    seconds: float
    equal: Sequence[dict] = ()


def explore(
    cells: Sequence[Cell],
    store: Store,
    *,
    confirm: int,
    simulator: str,
    build: bool,
    workers: int,
    scheduler: str | None,
    progress: Progress,
    with_evidence: bool = False,
    equal_speed: bool = False,
    latency: float | None = None,
) -> Explored:
    """One row per cell, in their order; stages that cells share run once.

    ``confirm`` rows, evenly spread, are co-simulated. With evidence these have ``traced`` and
    ``spectra`` too, and the densest network of each machine ``dense`` (:mod:`.evidence`); networks
    with delays have neither ``spectra`` nor ``dense``. Without ``build`` nothing is placed and
    routed. A cell whose machine does not fit its board has
    ``fits`` false and the reason. With ``equal_speed`` there is a table of machines at one
    ``latency`` in microseconds (:func:`.equal.add_equal`). The other options and the errors are
    those of :meth:`.runner.Jobs.run`.
    """
    jobs = Jobs(store)
    chosen = spread(len(cells), confirm)
    densest = _densest(cells) if with_evidence else set()
    made = []
    for k, cell in enumerate(cells):
        mine = _main(jobs, cell, build)
        if k in densest:
            mine |= _dense(jobs, cell, mine["machine"], build)
        if k in chosen:
            mine["cosim"] = jobs.add(
                stages.cosim, _pick(cell, "task", "samples") | {"simulator": simulator},
                mine["machine"],
            )  # fmt: skip
        if k in chosen and with_evidence:
            shown = _pick(cell, "task", "samples"), _pick(cell, *START)
            mine["traced"] = jobs.add(evidence.traced, shown[0], mine["machine"])
            if not cell.max_delay:  # the spectrum's map has no delays
                mine["spectra"] = jobs.add(evidence.spectra, shown[1], mine["network"])
        made.append(mine)
    if equal_speed:
        add_equal(jobs, cells, made, latency, build)
    jobs.run(workers=workers, scheduler=scheduler, progress=progress)
    seconds = sum(job.result["seconds"] for job in jobs.jobs.values())
    rows = [_row(cell, mine) for cell, mine in zip(cells, made, strict=True)]
    equal = equal_rows(rows, [_equal(mine) for mine in made]) if equal_speed else []
    return Explored(rows, round(seconds, 1), equal)


def _equal(jobs: dict[str, Job]) -> dict:
    placed = jobs["equal_built"].result if "equal_built" in jobs else None
    return jobs["equal"].result | {"placed": placed}


def spread(count: int, chosen: int) -> list[int]:
    """At most ``chosen`` of ``count`` indices, evenly spread, the ends among them."""
    return sorted(set(np.linspace(0, count - 1, min(chosen, count)).round().astype(int).tolist()))


def _pick(cell: Cell, *names: str) -> dict:
    return {name: getattr(cell, name) for name in names}


def _densest(cells: Sequence[Cell]) -> set[int]:
    """Of the cells of each machine for an ECP5, the index of the one with the most synapses.

    None of a machine with delays, which the dense design does not have.
    """
    best: dict[tuple, int] = {}
    for k, cell in enumerate(cells):
        which = (cell.task, cell.neurons, cell.nodes, cell.lanes, cell.weight_bits)
        if get_board(cell.board).family != "ecp5" or cell.max_delay:
            continue
        if which not in best or cell.synapses > cells[best[which]].synapses:
            best[which] = k
    return set(best.values())


def _main(jobs: Jobs, cell: Cell, build: bool) -> dict[str, Job]:
    network = jobs.add(stages.trained, cell.network)
    choices = _pick(cell, "task", "samples", "weight_bits", "lanes")
    choices["family"] = get_board(cell.board).family
    machine = jobs.add(stages.machine, choices, network)
    mine = {"network": network, "machine": machine}
    if build:
        mine["board"] = jobs.add(stages.built, _pick(cell, "board", "place_seed"), machine)
    return mine


def _dense(jobs: Jobs, cell: Cell, machine: Job, build: bool) -> dict[str, Job]:
    mine = {"dense": jobs.add(evidence.dense_run, _pick(cell, "task", "samples"), machine)}
    if build:
        choices = _pick(cell, "board", "place_seed")
        mine["dense_placed"] = jobs.add(evidence.dense_placed, choices, machine)
    return mine


def _row(cell: Cell, jobs: dict[str, Job]) -> Row:
    """What the stages of a cell give, and where its files are."""
    part = {name: stages.without_context(job.result) for name, job in jobs.items()}
    values = part["network"] | part["machine"]
    values |= stages.check_board(values["parameters"], cell.board) | part.get("board", {})
    values["network"] = f"{jobs['network'].result['folder']}/trained.net"
    values["image"] = f"{jobs['machine'].result['folder']}/model.image"
    values |= {name: part.get(name) for name in ("cosim", "traced", "spectra")}
    values["dense"] = part.get("dense", {}) | part.get("dense_placed", {}) or None
    values["seconds"] = round(sum(job.result["seconds"] for job in jobs.values()), 1)
    if "fmax_mhz" in values:
        values["us_per_sample"] = round(values["cycles_per_sample"] / values["fmax_mhz"], 2)
    values["mismatches"] = values["cosim"] and values["cosim"]["mismatches"]
    values["energy_nj"] = values["traced"] and values["traced"]["energy_nj"]
    return Row.of_cell(cell, **values)
