"""Plots of a comparison, as SVG for a page that can be light or dark."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence

import matplotlib

matplotlib.use("Agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .console import number

__all__ = ["INK", "MUTED", "curves", "front", "pareto", "svg"]

INK, MUTED = "#888888", "#88888844"
_COLOURS = ("#d9822b", "#2b7bba", "#3d9a50", "#a854a8", "#b0413e", "#7f7f2a")
_X = {  # what a curve runs along, the first of these that varies
    "synapses_kept": "fraction of recurrent synapses kept",
    "nodes_kept": "fraction of neurons kept",
    "neurons_dense": "neurons before pruning",
    "lanes": "lanes",
    "weight_bits": "bits of a weight",
}


def curves(rows: Sequence[dict], choices: Sequence[str], key: str, title: str) -> str:
    """``key`` along what varies, a curve for each combination of the rest, seeds as a band.

    Empty if no row has it.
    """
    rows = [row for row in rows if row.get(key) is not None]
    if not rows:
        return ""
    along = next((name for name in _X if name in choices), "synapses_kept")
    axes = _axes(title, _X[along])
    for (label, mine), colour in zip(_groups(rows, choices, along), _many(), strict=False):
        points = defaultdict(list)
        for row in mine:
            points[row[along]].append(row[key])
        x = sorted(points)
        mean = [sum(points[v]) / len(points[v]) for v in x]
        axes.plot(x, mean, marker="o", color=colour, label=label)
        low, high = ([limit(points[v]) for v in x] for limit in (min, max))
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ticks = sorted({row[along] for row in rows})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [number(float(v)) for v in ticks])
    axes.minorticks_off()
    if key.startswith("metric"):
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    else:
        axes.set_ylim(0, 1.1 * max(row[key] for row in rows) or 1)
    return _svg(axes)


def front(rows: Sequence[dict], choices: Sequence[str], cost: str, metric: str) -> str:
    """Metric against ``cost`` of every row, and the rows that none is better than in both.

    Empty if fewer than two rows have it.
    """
    rows = [row for row in rows if row.get(cost) is not None]
    if len(rows) < 2:
        return ""
    names = {"us_per_sample": "µs a sample at Fmax", "blocks": "block RAMs"}
    axes = _axes(f"{metric} against {names[cost]}", names[cost])
    for (label, mine), colour in zip(_groups(rows, choices, None), _many(), strict=False):
        points = [(row[cost], row["metric_integer"]) for row in mine]
        axes.scatter(*zip(*points, strict=True), color=colour, label=label, zorder=3)
    best = pareto([(row[cost], row["metric_integer"]) for row in rows])
    axes.plot(*zip(*best, strict=True), color=INK, linewidth=1, drawstyle="steps-post")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    return _svg(axes)


def pareto(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of ``(cost, metric)`` those that no other beats, by rising cost: less cost, more metric."""
    best: list[tuple[float, float]] = []
    for cost, metric in sorted(points, key=lambda p: (p[0], -p[1])):
        if not best or metric > best[-1][1]:
            best.append((cost, metric))
    return best


def _groups(
    rows: Sequence[dict], choices: Sequence[str], along: str | None
) -> list[tuple[str | None, list[dict]]]:
    """Rows by the choices that are neither the axis nor the seed, with a label each."""
    left = [name for name in choices if name not in (along, "seed", *(() if along else _X))]
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in left)].append(row)
    return [(", ".join(map(str, values)) or None, mine) for values, mine in groups.items()]


def _many() -> Iterable[str]:
    while True:
        yield from _COLOURS


def _axes(title: str, along: str) -> Axes:
    axes = Figure(figsize=(4.2, 2.9), layout="constrained").add_subplot()
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel(along, fontsize=10, color=INK)
    axes.tick_params(colors=INK, labelsize=10)
    axes.grid(color=MUTED)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    return axes


def _svg(axes: Axes) -> str:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=9, labelcolor=INK, framealpha=0)
    return svg(axes.figure)


def svg(figure: Figure) -> str:
    """``figure`` as SVG to put into a page; equal figures give equal text."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue().split("?>", 1)[1].split(">", 1)[1]  # without XML and doctype
