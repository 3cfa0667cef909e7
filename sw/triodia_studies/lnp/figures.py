"""Figures of the study as inline SVG."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from triodia.lab.report.plots import INK, MUTED, svg

from .memory import delayed_sum
from .plan import METHODS, TASKS
from .summary import grouped, interval

__all__ = ["figures", "legend"]

_COLOURS = dict(
    zip(
        ("lnp", "random", "weight-sampling", "noise-weights", "magnitude", "activity",
         "born-sparse", "dense"),
        ("#d9822b", "#2b7bba", "#4aa564", "#b05cc6", "#c94f4f", "#8a6d3b", "#6f8fa8", "#888888"),
        strict=True,
    )
)  # fmt: skip


def _axes(title: str, x: str) -> tuple[Figure, object]:
    figure = Figure(figsize=(4.2, 3.1), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel(x, fontsize=10, color=INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=MUTED)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    return figure, axes


def _mean(values: dict) -> float:
    return float(np.mean(list(values.values())))


def _key(cell: dict) -> tuple:
    return (cell["training"], cell["task"], cell["method"], cell["level"])


def _against_operations(records: list[dict], training: str, task: str) -> str | None:
    """Metric against synaptic operations: a point a method and level, bars are 95 % intervals."""
    main = [r for r in records if r["cell"]["part"] == "main"]
    metric, sops = grouped(main, _key), grouped(main, _key, "sops")
    figure, axes = _axes(f"{task}, {training}", "recurrent SOPs a sample, after training")
    for method in (*METHODS, "dense"):
        keys = [k for k in metric if k[:3] == (training, task, method) and k in sops]
        if keys:
            points = [
                (np.mean(list(sops[k].values())), *interval([*metric[k].values()])) for k in keys
            ]
            x, y, half = zip(*sorted(points), strict=True)
            style = {"color": _COLOURS[method], "marker": "o", "markersize": 4, "linewidth": 1}
            axes.errorbar(x, y, yerr=np.nan_to_num(half), label=method, **style)
    if not axes.has_data():
        return None
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(TASKS[task][0], fontsize=10, color=INK)
    return svg(figure)


def _memory(records: list[dict], network: str, title: str) -> str | None:
    """Accuracy on the delayed sum by method, after step I (all neurons) and steps I to III."""
    found = delayed_sum(records)
    figure, axes = _axes(f"delayed sum, {title}", "accuracy: ● step I, ■ I to III, dashed: dense")
    for steps, marker in (("I", "o"), ("I+II+III", "s")):
        for place, method in enumerate(METHODS):
            values = found.get((network, "half", steps, method))
            if values:
                mean, half = interval([*values.values()])
                style = {"color": _COLOURS[method], "marker": marker, "markersize": 5}
                axes.errorbar(mean, place, xerr=np.nan_to_num(half), **style)
    if not axes.has_data():
        return None
    dense = found.get((network, "half", "I+II+III+IV", "dense"))
    if dense:
        axes.axvline(_mean(dense), color=_COLOURS["dense"], linestyle="--")
    axes.set_yticks(range(len(METHODS)), METHODS)
    axes.invert_yaxis()
    return svg(figure)


def _curves(records: list[dict], field: str, title: str, x: str) -> str | None:
    """Mean over seeds of a curve of the dynamics part, level "tenth"."""
    figure, axes = _axes(title, x)
    for method in ("dense", "lnp", "random"):
        mine = [
            r["result"][field]
            for r in records
            if r["cell"]["part"] == "dynamics"
            and "result" in r
            and (r["cell"]["method"], r["cell"]["level"]) == (method, "tenth")
        ]
        if mine:
            curve = np.mean(mine, axis=0)
            at = np.linspace(0, 1, len(curve)) if "spectrum" in field else np.arange(len(curve))
            axes.plot(at, curve, label=method, color=_COLOURS[method])
    if not axes.has_data():
        return None
    axes.legend(fontsize=9, labelcolor=INK, framealpha=0)
    return svg(figure)


def figures(records: list[dict]) -> list[str]:
    """Every figure that has data."""
    found = [
        _against_operations(records, training, task)
        for training in ("ridge", "stdp", "bp")
        for task in TASKS
    ]
    found = [
        _memory(records, "short", "clusters"),
        _memory(records, "short-single", "no clusters"),
        *found,
    ]
    spectrum = "Lyapunov exponents, level “tenth”"
    found.append(_curves(records, "spectrum_quantiles", spectrum, "part of the exponents"))
    found.append(
        _curves(records, "autocorrelation", "autocorrelation, level “tenth”", "lag, steps")
    )
    return [picture for picture in found if picture]


def legend() -> str:
    """What the colours of the figures are, as HTML."""
    items = "".join(
        f'<span style="color:{colour}">●</span> {name} &ensp;' for name, colour in _COLOURS.items()
    )
    return f"<p>{items}</p>"
