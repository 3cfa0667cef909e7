"""``bench-lnp``: cost of each step of LNP, compared with library routines."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json, writable
from triodia.lab.runner import run_all
from triodia.lab.stages import without_context
from triodia.lab.store import Store
from triodia_hw.errors import MissingTool, TriodiaError
from triodia_hw.files import write_atomic

from .options import Cache

__all__ = ["bench_lnp"]


def bench_lnp(
    neurons: Annotated[str, typer.Option(help="Sizes, by comma.")] = "250,500,1000,2000,5000",
    library: Annotated[
        int, typer.Option(help="Largest size the library routines run at too.", min=0)
    ] = 1000,
    results: Annotated[Path, typer.Option(help="JSON file to write.")] = Path(
        "docs/lnp-speed.json"
    ),
    cache: Cache = Path("out/bench"),
    as_json: Json = False,
) -> None:
    """Measure CPU seconds of each step of LNP, and peak memory (many minutes)."""
    try:
        from ..bench.pruning import STEPS, growth, timed
    except ModuleNotFoundError as error:  # networkx, a development tool
        text = f"{error.name} must be installed for this; pip install {error.name}"
        raise MissingTool(text) from error
    try:
        sizes = sorted(int(value) for value in neurons.split(","))
    except ValueError:
        raise TriodiaError(f"neurons must be whole numbers by comma, not {neurons!r}") from None
    if sizes[0] < 20:
        raise TriodiaError(f"neurons must be 20 or more, not {sizes[0]}")
    show = Output(as_json)
    writable(results)
    choices = [{"neurons": size, "library": size <= library} for size in sizes]
    with show.bar("bench-lnp") as bar:  # one worker: it measures seconds
        found = run_all(timed, choices, Store(cache.resolve()), workers=1, progress=bar)
    rows = [without_context(row) for row in found]
    data = {"rows": rows, "growth": {step: growth(rows, step) for step in STEPS}}
    data |= {"made": _made(), "peak_gibibytes": max(row["peak_gibibytes"] for row in rows)}
    write_atomic(results, (json.dumps(data, indent=1) + "\n").encode())
    table = [_shown(name, rows, data["growth"]) for name in STEPS]
    table.append({"step": "total", **{str(r["neurons"]): f"{r['total']:.1f}" for r in rows}})
    peaks = {str(r["neurons"]): f"{r['peak_gibibytes']:.2f}" for r in rows}
    table.append({"step": "peak GiB so far", **peaks})
    faster = {str(r["neurons"]): r["times_faster"] for r in rows if "times_faster" in r}
    table.append({"step": "library / ours", **faster})
    show.rows(data, table, {key: key for key in table[0]}, title="CPU seconds by N")


def _shown(name: str, rows: list[dict], growth: dict) -> dict:
    """A step's seconds, by network size."""
    shown = {str(row["neurons"]): f"{row['steps'][name]['seconds']:.3g}" for row in rows}
    return {"step": name} | shown | {"growth": growth[name]}


def _made() -> dict:
    """Date, commit and machine of a run."""
    date = datetime.now(UTC).date().isoformat()
    threads = os.environ.get("OMP_NUM_THREADS")
    cores = len(os.sched_getaffinity(0))
    return {"date": date, "machine": platform.machine(), "cores": cores, "threads": threads}
