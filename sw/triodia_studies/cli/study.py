"""``study``: pruning methods compared over tasks, sparsities and seeds; resumable."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Device, Json
from triodia.lab.store import Store
from triodia.train.device import find_device
from triodia_hw.errors import TriodiaError

from .options import Scheduler, Workers

__all__ = ["study"]

_TOOLS = ("numpy", "scipy", "torch", "networkit", "optuna")
_OUT = Path("out/study-lnp")


def study(
    name: Annotated[str, typer.Argument(help="lnp.")] = "lnp",
    seeds: Annotated[int, typer.Option(help="Seeds 0, 1, …", min=2)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Few tasks, small, minutes.")] = False,
    results: Annotated[
        Path, typer.Option(help="File of all results, read with --pages-only, else written.")
    ] = _OUT / "results.json.gz",
    known: Annotated[
        Path | None, typer.Option(help="File of an earlier study whose results are taken as is.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder of finished cells.")] = _OUT / "cache",
    page: Annotated[Path, typer.Option(help="Short Markdown page to write.")] = _OUT / "study.md",
    html: Annotated[Path, typer.Option(help="HTML page to write.")] = _OUT / "index.html",
    pages_only: Annotated[
        bool, typer.Option("--pages-only", help="Make the pages of the results there are.")
    ] = False,
    device: Device = "cpu",
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Compare LNP with its controls; an interrupted study continues where it stopped."""
    from ..lnp.page import write_pages
    from ..lnp.plan import plan
    from ..lnp.results import of_plan, read_results, run, write_results

    if name != "lnp":
        raise TriodiaError(f"study must be lnp, not {name!r}")
    find_device(device)  # refused before anything is computed
    show, cells = Output(as_json), plan(seeds, quick)
    made = _made(seeds, quick)
    if pages_only:
        before, records = read_results(results)
        made = before | {"seeds": seeds, "quick": quick}
        records = of_plan(records, cells)
    else:
        earlier = read_results(known)[1] if known else []
        how = {"workers": workers or os.cpu_count() or 1, "scheduler": scheduler}
        store = Store(cache.resolve())
        with show.bar("study") as bar:
            records = run(cells, store, earlier, device=device, progress=bar, **how)
        write_results(results, made, records)
    if not records:
        raise TriodiaError(f"{results} has no results of this study; run it without --pages-only")
    summary = write_pages(records, len(cells), made, page, html)
    data = {"cells": len(cells), "done": len(records), "results": str(results)}
    data |= {"page": str(page), "html": str(html)}
    show.result(data | summary, title="Study of LNP")


def _made(seeds: int, quick: bool) -> dict:
    return {
        "seeds": seeds,
        "quick": quick,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {tool: version(tool) for tool in _TOOLS},
    }
