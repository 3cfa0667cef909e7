"""Plots of a comparison, as SVG for a page that can be light or dark."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence

import matplotlib

matplotlib.use("Agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...cli.console import number

__all__ = ["COLOURS", "INK", "MUTED", "axes", "curves", "finish", "front", "pareto", "svg"]

INK, MUTED = "#888888", "#88888844"
COLOURS = ("#d9822b", "#2b7bba", "#3d9a50", "#a854a8", "#b0413e", "#7f7f2a")
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
    plot = axes(title, _X[along])
    for (label, mine), colour in zip(_groups(rows, choices, along), _many(), strict=False):
        points = defaultdict(list)
        for row in mine:
            points[row[along]].append(row[key])
        x = sorted(points)
        mean = [sum(points[v]) / len(points[v]) for v in x]
        plot.plot(x, mean, marker="o", color=colour, label=label)
        low, high = ([limit(points[v]) for v in x] for limit in (min, max))
        plot.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ticks = sorted({row[along] for row in rows})
    plot.set_xscale("log")
    plot.set_xticks(ticks, [number(float(v)) for v in ticks])
    plot.minorticks_off()
    if key.startswith("metric"):
        plot.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    else:
        plot.set_ylim(0, 1.1 * max(row[key] for row in rows) or 1)
    return finish(plot)


def front(rows: Sequence[dict], choices: Sequence[str], cost: str, metric: str) -> str:
    """Metric against ``cost`` of every row, and the rows that none is better than in both.

    Empty if fewer than two rows have it.
    """
    rows = [row for row in rows if row.get(cost) is not None]
    if len(rows) < 2:
        return ""
    names = {"us_per_sample": "µs a sample at Fmax", "blocks": "block RAMs"}
    plot = axes(f"{metric} against {names[cost]}", names[cost])
    for (label, mine), colour in zip(_groups(rows, choices, None), _many(), strict=False):
        points = [(row[cost], row["metric_integer"]) for row in mine]
        plot.scatter(*zip(*points, strict=True), color=colour, label=label, zorder=3)
    best = pareto([(row[cost], row["metric_integer"]) for row in rows])
    plot.plot(*zip(*best, strict=True), color=INK, linewidth=1, drawstyle="steps-post")
    plot.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    return finish(plot)


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
        yield from COLOURS


def axes(title: str, along: str, figure: Figure | None = None, *, wide: bool = False) -> Axes:
    """Axes in colours that are read on white and on black, of ``figure`` or one of their own."""
    figure = figure or Figure(figsize=(8.6 if wide else 4.2, 2.9), layout="constrained")
    plot = figure.add_subplot()
    plot.set_title(title, fontsize=11, color=INK)
    plot.set_xlabel(along, fontsize=10, color=INK)
    plot.tick_params(colors=INK, labelsize=10)
    plot.grid(color=MUTED)
    plot.set_axisbelow(True)
    for spine in plot.spines.values():
        spine.set_color(MUTED)
    return plot


def finish(plot: Axes, *, columns: int = 1, below: bool = False) -> str:
    """The figure of ``plot`` as SVG, with a legend if there is something to tell apart."""
    if plot.get_legend_handles_labels()[1]:
        how = {"fontsize": 9, "labelcolor": INK, "framealpha": 0, "ncols": columns}
        if below:
            plot.figure.legend(loc="outside lower center", **how)
        else:
            plot.legend(**how)
    return svg(plot.figure)


def svg(figure: Figure) -> str:
    """``figure`` as SVG to put into a page; equal figures give equal text."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue().split("?>", 1)[1].split(">", 1)[1]  # without XML and doctype
