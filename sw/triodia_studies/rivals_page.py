"""The published results of the study ``rivals``: docs/rivals.json, and its table and picture.

``triodia-studies run rivals --json > rows.json``, then ``python -m triodia_studies.rivals_page
rows.json`` takes the rows of the tasks it has, keeps those of the others, and draws both anew.
"""

import argparse
import io
import json
import re
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .rivals import METHODS, TASKS

__all__ = ["main", "picture", "table"]

_TITLES = ("sum over 4 steps", "over 12 steps", "over 20 steps", "digits by pixels")
_NAMES = {"none": "all synapses", "no recurrence": "no synapse"}
_INK = "#888888"
_MARK = re.compile(r"(<!-- rivals -->\n).*?(<!-- end -->)", re.DOTALL)


def table(rows: list[dict]) -> str:
    """Markdown: accuracy of each method and task, the difference to random choice beside it."""
    known = {(row["task"], row["method"]): row for row in rows}
    lines = ["| method | " + " | ".join(_TITLES) + " |", "|---" * (len(TASKS) + 1) + "|"]
    for method in METHODS:
        cells = [_cell(known.get((task, method))) for task in TASKS]
        lines.append(f"| {_NAMES.get(method, method)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: dict | None) -> str:
    if row is None:
        return "–"
    text = f"{100 * row['accuracy']:.1f}"
    if row["method"] == "random":
        return text
    apart, half = 100 * row["over_random"], 100 * row["interval"]
    text += f" ({'−' if apart < 0 else '+'}{abs(apart):.1f} ± {half:.1f})"
    return f"**{text}**" if row["counts"] else text


def picture(rows: list[dict]) -> str:
    """SVG of the paired differences to random choice; readable on white and on black."""
    methods = [m for m in METHODS if m not in ("random", *_NAMES)]
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    for place, (task, title) in enumerate(zip(TASKS, _TITLES, strict=True)):
        axes = figure.add_subplot(1, len(TASKS), place + 1)
        axes.set_title(title, color=_INK, fontsize=10)
        mine = {row["method"]: row for row in rows if row["task"] == task}
        _panel(axes, [mine.get(method) for method in methods])
        axes.set_yticks(range(len(methods)), methods if place == 0 else [])
    figure.supxlabel("accuracy above random choice, percentage points", color=_INK, fontsize=10)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()


def _panel(axes: Axes, rows: list[dict | None]) -> None:
    """Differences with intervals, orange where an interval leaves 0 out."""
    for place, row in enumerate(rows):
        if row is not None:
            colour = "#d9822b" if row["counts"] else "#2b7bba"
            value, half = 100 * row["over_random"], 100 * row["interval"]
            axes.errorbar(value, place, xerr=half, fmt="o", markersize=4, color=colour)
    axes.axvline(0, color=_INK, linewidth=1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(colors=_INK, labelsize=8)
    for spine in axes.spines.values():
        spine.set_color(_INK + "44")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, nargs="?", help="What the study printed.")
    parser.add_argument("--page", type=Path, default=Path("docs/pruning.md"))
    given = parser.parse_args()
    results, text = given.page.parent / "rivals.json", given.page.read_text()
    if not _MARK.search(text):
        raise TriodiaError(f"{given.page} must have a line <!-- rivals --> and <!-- end --> after")
    rows = json.loads(results.read_text()) if results.exists() else []
    new = json.loads(given.rows.read_text())["rows"] if given.rows else []
    tasks = {row["task"] for row in new}
    rows = [row for row in rows if row["task"] not in tasks] + new
    write_atomic(results, (json.dumps(rows, indent=1) + "\n").encode())
    shown = table(rows)
    write_atomic(given.page, _MARK.sub(lambda m: f"{m[1]}{shown}\n{m[2]}", text).encode())
    write_atomic(given.page.parent / "pictures" / "rivals.svg", picture(rows).encode())


if __name__ == "__main__":
    main()
