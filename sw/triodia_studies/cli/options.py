"""Options that all studies share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from triodia.lab.store import Store

__all__ = ["Cache", "Scheduler", "Workers", "engine"]

Cache = Annotated[Path, typer.Option(help="Folder of finished steps; delete it to measure anew.")]
Workers = Annotated[int | None, typer.Option(help="Default: one per core.", min=1)]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask scheduler.")]


def engine(cache: Path, workers: int | None, scheduler: str | None) -> dict:
    """Arguments of :func:`triodia.lab.runner.run_all` but for its stage, choices and progress."""
    found = {"store": Store(cache.resolve()), "scheduler": scheduler}
    return found | {"workers": workers or os.cpu_count() or 1}
