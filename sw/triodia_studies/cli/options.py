"""Options that all studies share."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from triodia.lab.store import Store, commit

__all__ = ["Cache", "Scheduler", "Workers", "engine", "made_by"]

Cache = Annotated[Path, typer.Option(help="Folder of finished steps; delete it to measure anew.")]
Workers = Annotated[int | None, typer.Option(help="Default: one per core.", min=1)]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask scheduler.")]


def engine(cache: Path, workers: int | None, scheduler: str | None) -> dict:
    """Arguments of :func:`triodia.lab.runner.run_all` but for its stage, choices and progress."""
    found = {"store": Store(cache.resolve()), "scheduler": scheduler}
    return found | {"workers": workers or os.cpu_count() or 1}


def made_by(tools: tuple[str, ...]) -> dict:
    """Date, commit, machine and versions of a run, as published beside its results."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in tools},
    }
