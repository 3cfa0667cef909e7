"""``study``: pruning methods compared over tasks, sparsities and seeds; resumable."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Device, Json
from triodia.train.device import find_device
from triodia_hw.errors import TriodiaError

from ..lnp.page import write_pages

__all__ = ["study"]

_TOOLS = ("numpy", "scipy", "torch", "networkit", "optuna")


def study(
    name: Annotated[str, typer.Argument(help="lnp.")] = "lnp",
    seeds: Annotated[int, typer.Option(help="Seeds 0, 1, …", min=2)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Few tasks, small, minutes.")] = False,
    results: Annotated[Path, typer.Option(help="Folder of one file a result.")] = Path(
        "out/study-lnp"
    ),
    known: Annotated[
        Path | None, typer.Option(help="JSON of an earlier study: its results are taken.")
    ] = None,
    page: Annotated[Path, typer.Option(help="Markdown page to write.")] = Path("docs/lnp-study.md"),
    html: Annotated[
        Path | None, typer.Option(help="HTML page to write. Default: beside the other.")
    ] = None,
    pages_only: Annotated[
        bool, typer.Option("--pages-only", help="Make the pages of what is there.")
    ] = False,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Compare LNP with its controls; an interrupted study continues where it stopped."""
    from ..lnp.plan import plan
    from ..lnp.store import adopt, read, run

    if name != "lnp":
        raise TriodiaError(f"study must be lnp, not {name!r}")
    find_device(device)  # refused before anything is computed
    show, cells = Output(as_json), plan(seeds, quick)
    html = page.with_suffix(".html") if html is None else html
    if not page.parent.is_dir():
        raise TriodiaError(f"{page}: the folder {page.parent} does not exist; make it first")
    if known is not None:
        show.note(f"{adopt(known, results):,} results taken from {known}")
    if not pages_only:
        with show.bar("study") as bar:
            run(cells, results, _commit(), bar, device)
    records = read(cells, results)
    if not records:
        raise TriodiaError(f"{results} must hold results of this study; run it first")
    summary = write_pages(records, len(cells), _made(seeds, quick), page, html)
    data = {"cells": len(cells), "done": len(records), "page": str(page), "html": str(html)}
    show.result(data | summary, title="Study of LNP")


def _commit() -> str | None:
    """The commit of this code, with "+" if it was changed since."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here), "describe", "--always", "--dirty=+"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() or None


def _made(seeds: int, quick: bool) -> dict:
    return {
        "seeds": seeds,
        "quick": quick,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {tool: version(tool) for tool in _TOOLS},
    }
