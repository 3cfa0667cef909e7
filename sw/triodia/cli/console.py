"""What a person sees: results on stdout as tables or one JSON object, progress on stderr."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["Output", "number"]


def number(value: object) -> str:
    """``value`` as a table shows it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _plain(value: object) -> object:
    """``value`` of what JSON has; NaN and infinity, which it has not, as null."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


class Output:
    """Print results of a command, for a person or (``as_json``) for a program."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out = Console(file=sys.stdout, soft_wrap=False)
        self.err = Console(file=sys.stderr)

    def note(self, text: str) -> None:
        """A line of progress, on stderr."""
        self.err.print(text, highlight=False)

    @contextmanager
    def bar(self, label: str) -> Iterator[Callable[[int, int, str], None]]:
        """A progress bar on stderr; call the result with done, total and an optional remark."""
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[remark]}"),
            TimeElapsedColumn(),
        ]
        with Progress(*columns, console=self.err, refresh_per_second=4) as progress:
            task = progress.add_task(label, total=1, remark="")

            def update(done: int, total: int, remark: str = "") -> None:
                progress.update(task, completed=done, total=total, remark=remark)

            yield update

    def result(self, data: dict, *, title: str, hide: Sequence[str] = ()) -> None:
        """``data`` as a table of two columns (without the keys in ``hide``), or as JSON."""
        if self.as_json:
            self.json(data)
            return
        table = Table(title=title, title_justify="left", show_header=False)
        for key, value in data.items():
            if key not in hide and not isinstance(value, dict | list):
                table.add_row(key.replace("_", " "), number(value))
        self.out.print(table)

    def rows(self, data: dict, rows: list[dict], columns: dict[str, str], *, title: str) -> None:
        """``rows`` as a table with ``columns`` (key: heading), or ``data`` as JSON."""
        if self.as_json:
            self.json(data)
            return
        table = Table(title=title, title_justify="left")
        for heading in columns.values():
            table.add_column(heading, justify="right", overflow="fold")
        for row in rows:
            table.add_row(*(number(row.get(key)) for key in columns))
        self.out.print(table)

    def json(self, data: dict) -> None:
        """One JSON object on stdout."""
        print(json.dumps(_plain(data), indent=2, allow_nan=False))
