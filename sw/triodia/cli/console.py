"""Console output: results on stdout as tables or one JSON object, progress on stderr."""

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from .tables import pairs, table

__all__ = ["Estimate", "Output", "Update", "number", "shows_unicode"]

Update = Callable[..., None]  # (done, total, remark="")

_LONGEST = 100  # characters of a line, however wide the terminal


def number(value: object) -> str:
    """``value`` as a table shows it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _plain(value: object) -> object:
    """``value`` in JSON's types; NaN and infinity, which JSON lacks, become null."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):  # numpy's arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


class Estimate:
    """Seconds left of some work, from the part that is done; moves slowly, so that it never jumps.

    The first value appears after three seconds. From then on it counts down by the clock, and
    turns towards what the whole of the work so far predicts by a tenth of itself a second, and by
    30 seconds a second at most.
    """

    def __init__(self, now: float) -> None:
        self._begun = self._last = now
        self.left: float | None = None

    def update(self, part: float, now: float) -> float | None:
        """Take note of the ``part`` (0 to 1) done at time ``now``; return the seconds left."""
        passed, self._last = now - self._last, now
        if part >= 1:
            self.left = 0.0
        elif part > 0 and now - self._begun >= 3:
            predicted = (now - self._begun) * (1 - part) / part
            if self.left is None:
                self.left = predicted
            else:
                counted = max(self.left - passed, 0)
                most = min(max(2.0, 0.1 * counted), 30.0) * passed
                self.left = counted + min(max(predicted - counted, -most), most)
        return self.left


class Output:
    """Print results of a command, for a person or (``as_json``) for a program."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.width = min(shutil.get_terminal_size().columns, _LONGEST)

    def note(self, text: str) -> None:
        """Print a line of progress to stderr."""
        print(text, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Print a line of the result to stdout, except with ``--json``."""
        if not self.as_json:
            print(text)

    @contextmanager
    def bar(self, label: str) -> Iterator[Update]:
        """Show a progress bar on stderr for the whole of some work, with the time left.

        Call what the context gives with the amount done, the total, and an optional remark. The
        bar ends full if the context ends without an exception. Without rich there is no bar.
        """
        with _bar(label) as update:
            yield update

    def result(self, data: dict, *, title: str, hide: Sequence[str] = ()) -> None:
        """Print ``data`` as a table of two columns (without the keys in ``hide``), or as JSON."""
        if self.as_json:
            self.json(data)
            return
        shown = [
            (key.replace("_", " "), number(value))
            for key, value in data.items()
            if key not in hide and not isinstance(value, dict | list)
        ]
        print(f"{title}\n\n{pairs(shown, self.width)}\n")

    def rows(self, data: dict, rows: list[dict], columns: dict[str, str], *, title: str) -> None:
        """Print ``rows`` as a table with ``columns`` (key: heading), or ``data`` as JSON."""
        if self.as_json:
            self.json(data)
            return
        cells = [[number(row.get(key)) for key in columns] for row in rows]
        self._table(title, list(columns.values()), cells)

    def _table(self, title: str, headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
        text = f"{title}\n\n{table(headings, cells, self.width)}\n"
        print(text if shows_unicode() else text.replace("─", "-"))

    def json(self, data: dict) -> None:
        """Print one JSON object to stdout."""
        print(json.dumps(_plain(data), indent=2, allow_nan=False))


def _bar(label: str) -> AbstractContextManager[Update]:
    try:
        from .progress import progress_bar
    except ModuleNotFoundError:
        return nullcontext(lambda done, total, remark="": None)
    return progress_bar(label, Estimate(time.monotonic()))


def shows_unicode() -> bool:
    """Whether stdout can show the characters of a table."""
    try:
        "─⣿".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
