"""The map of :mod:`.crossover` for the documentation: its line, its rows, its picture."""

import io
from math import nan

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .crossover import PLACED

__all__ = ["crossing", "map_rows", "picture", "placed_rows"]

_INK = "#888888"
_PANELS = (("block RAMs", "blocks"), ("cycles per step", "cycles"))


def crossing(rows: list[dict]) -> dict[int, float]:
    """For each number of neurons the density at which both take equally many block RAMs.

    Between two densities of the map it is interpolated in their logarithms. ``nan`` where one
    design takes fewer at every density of the map.
    """
    found = {}
    for n in sorted({row["neurons"] for row in rows}):
        mine = sorted((r for r in rows if r["neurons"] == n), key=lambda r: r["density"])
        x = np.log([row["density"] for row in mine])
        y = np.log([row["blocks"] / row["dense_blocks"] for row in mine])
        above = np.flatnonzero((y[:-1] <= 0) & (y[1:] > 0))
        at = above[-1] if above.size else None
        found[n] = (
            nan if at is None
            else float(np.exp(x[at] - y[at] * (x[at + 1] - x[at]) / (y[at + 1] - y[at])))
        )  # fmt: skip
    return found


def map_rows(rows: list[dict]) -> list[dict]:
    """A row per number of neurons: the dense design's block RAMs and cycles, the event-driven
    machine's at the densities ``at``, and where the two take equally many block RAMs."""
    line, at = crossing(rows), (0.1, 0.5)
    found = []
    for n in line:
        mine = {r["density"]: r for r in rows if r["neurons"] == n}
        first = next(iter(mine.values()))
        row = {"neurons": n, "dense_blocks": first["dense_blocks"], "crossing": line[n]}
        row |= {"dense_cycles": first["dense_cycles"]}
        row |= {f"blocks_{d:g}": mine[d]["blocks"] for d in at}
        row |= {f"cycles_{d:g}": mine[d]["cycles"] for d in at}
        row["always"] = all(r["blocks"] < r["dense_blocks"] for r in mine.values())
        found.append(row)
    return found


def placed_rows(results: list[dict]) -> list[dict]:
    """A row per placed point, the event-driven machine's figures beside the dense design's."""
    found = []
    for n, density in PLACED:
        mine = [r for r in results if (r["neurons"], r["density"]) == (n, density)]
        sparse, dense = sorted(mine, key=lambda r: r["dense"])
        keys = ("luts", "blocks", "fmax_mhz")
        found.append(
            {"neurons": n, "density": density}
            | {key: sparse[key] for key in keys}
            | {f"dense_{key}": dense[key] for key in keys}
        )
    return found


def picture(rows: list[dict]) -> str:
    """SVG of the map: how many times what the event-driven machine takes the dense design takes.

    Readable on white and on black; a line where both take equally many, dots where both designs
    were placed.
    """
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    for place, (title, key) in enumerate(_PANELS):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.set_title(f"{title}, dense / event-driven", color=_INK, fontsize=10)
        _panel(axes, rows, key)
        axes.set_xlabel("neurons", color=_INK)
        if place == 0:
            axes.set_ylabel("density of synapses", color=_INK)
            _line(axes, rows)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()


def _panel(axes: Axes, rows: list[dict], key: str) -> None:
    """Numbers in cells, coloured by their logarithm: blue where the event-driven machine wins."""
    neurons = sorted({row["neurons"] for row in rows})
    densities = sorted({row["density"] for row in rows})
    ratio = np.full((len(densities), len(neurons)), nan)
    for row in rows:
        at = densities.index(row["density"]), neurons.index(row["neurons"])
        ratio[at] = row[f"dense_{key}"] / row[key]
    shown = np.ma.masked_invalid(np.log10(ratio))
    axes.imshow(shown, origin="lower", cmap="RdBu", vmin=-2, vmax=2, aspect="auto")
    for (y, x), value in np.ndenumerate(ratio):
        if np.isfinite(value):
            dark = abs(np.log10(value)) > 1.2
            text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
            axes.text(x, y, text, ha="center", va="center", fontsize=8,
                      color="white" if dark else "black")  # fmt: skip
    axes.set_xticks(range(len(neurons)), [str(n) for n in neurons])
    axes.set_yticks(range(len(densities)), [f"{d:.0%}" for d in densities])
    axes.tick_params(colors=_INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _line(axes: Axes, rows: list[dict]) -> None:
    """The line of equal block RAMs, and the placed points, in the places of the cells."""
    neurons = sorted({row["neurons"] for row in rows})
    densities = sorted({row["density"] for row in rows})
    known = {n: d for n, d in crossing(rows).items() if np.isfinite(d)}
    at = np.interp(np.log(list(known.values())), np.log(densities), range(len(densities)))
    axes.plot([neurons.index(n) for n in known], at, color="black", linewidth=1.5)
    points = [
        (neurons.index(n), densities.index(d)) for n, d in PLACED if n in neurons and d in densities
    ]
    axes.scatter(*zip(*points, strict=True), s=260, facecolors="none", edgecolors="black")
