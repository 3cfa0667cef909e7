"""``bench-lnp``: what each step of LNP costs, and the obvious library routines beside it."""

import json
import os
import platform
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json, writable
from triodia_hw.errors import MissingTool, TriodiaError
from triodia_hw.files import write_atomic

__all__ = ["bench_lnp"]


def bench_lnp(
    neurons: Annotated[str, typer.Option(help="Sizes, by comma.")] = "250,500,1000,2000,5000",
    library: Annotated[
        int, typer.Option(help="Largest size the library routines run at too.", min=0)
    ] = 1000,
    results: Annotated[Path, typer.Option(help="JSON file to write.")] = Path(
        "docs/lnp-speed.json"
    ),
    as_json: Json = False,
) -> None:
    """Measure CPU seconds and peak memory of each step of LNP (many minutes)."""
    try:
        from ..bench.pruning import STEPS, growth, measure_steps
    except ModuleNotFoundError as error:  # networkx, a development tool
        text = f"{error.name} must be installed for this; pip install {error.name}"
        raise MissingTool(text) from error
    try:
        sizes = sorted(int(value) for value in neurons.split(","))
    except ValueError:
        raise TriodiaError(f"neurons must be whole numbers by comma, not {neurons!r}") from None
    if sizes[0] < 20:
        raise TriodiaError(f"neurons must be 20 or more, not {sizes[0]}")
    show, rows = Output(as_json), []
    writable(results)
    for size in sizes:
        rows.append(measure_steps(size, library=size <= library, note=show.note))
        data = {"rows": rows, "growth": {step: growth(rows, step) for step in STEPS}}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        data |= {"made": _made(), "peak_gibibytes": peak}
        write_atomic(results, (json.dumps(data, indent=1) + "\n").encode())
    table = [_shown(name, rows, data["growth"]) for name in STEPS]
    table.append({"step": "total", **{str(r["neurons"]): f"{r['total']:.1f}" for r in rows}})
    steps = {str(r["neurons"]): r["steps"].values() for r in rows}
    peaks = {n: f"{max(s['mebibytes'] for s in found):,.0f}" for n, found in steps.items()}
    table.append({"step": "peak MiB of a step", **peaks})
    faster = {str(r["neurons"]): r["times_faster"] for r in rows if "times_faster" in r}
    table.append({"step": "library / ours", **faster})
    show.rows(data, table, {key: key for key in table[0]}, title="CPU seconds by N")


def _shown(name: str, rows: list[dict], growth: dict) -> dict:
    """A step's seconds, by network size."""
    shown = {str(row["neurons"]): f"{row['steps'][name]['seconds']:.3g}" for row in rows}
    return {"step": name} | shown | {"growth": growth[name]}


def _made() -> dict:
    """When and where."""
    date = datetime.now(UTC).date().isoformat()
    threads = os.environ.get("OMP_NUM_THREADS")
    cores = len(os.sched_getaffinity(0))
    return {"date": date, "machine": platform.machine(), "cores": cores, "threads": threads}
