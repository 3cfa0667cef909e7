"""A progress bar of rich, on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from .console import Estimate, Update

__all__ = ["progress_bar"]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class _Time(ProgressColumn):
    """The time left, and after the work the time it took."""

    def __init__(self, estimate: "Estimate") -> None:
        super().__init__()
        self._estimate = estimate

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(_clock(task.finished_time or 0))
        left = self._estimate.update(task.percentage / 100, time.monotonic())
        return Text("" if left is None else f"{_clock(left)} left")


@contextmanager
def progress_bar(label: str, estimate: "Estimate") -> Iterator["Update"]:
    """A bar called ``label``; see :meth:`.console.Output.bar`."""
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[remark]}", markup=False),
        _Time(estimate),
    ]
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, refresh_per_second=4) as progress:
        task = progress.add_task(label, total=1, remark="")

        def update(done: float, total: float, remark: str = "") -> None:
            progress.update(task, completed=done, total=total, remark=remark)

        yield update
        progress.update(task, completed=progress.tasks[task].total)
