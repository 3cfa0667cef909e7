"""Figures of the study: charts of the HTML page, and one static picture for the documentation."""

import io
import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from triodia.lab.report.marks import axis, chart, mark

from .cell import TASKS
from .memory import delayed_sum
from .plan import METHODS
from .summary import grouped, interval, matching, paired

__all__ = ["charts", "picture"]

_INK = "#888888"
_SHOWN = (*METHODS, "dense")
_NETWORKS = {"short": "clusters", "short-single": "no clusters"}
_STEPS = {"I": "step I", "I+II+III": "steps I to III"}


def charts(records: list[dict]) -> tuple[dict, dict[str, list[tuple[str, str]]]]:
    """Data of the page's scripts, and the charts a reader can choose between, by section."""
    drawn, tabs = {}, {"memory": [], "tasks": [], "dynamics": []}

    def add(section: str, key: str, name: str, made: dict) -> None:
        if made["marks"]:
            drawn[key] = made
            tabs[section].append((key, name))

    for network, title in _NETWORKS.items():
        for steps, name in _STEPS.items():
            made = _memory(records, network, steps)
            add("memory", f"memory-{network}-{steps}", f"{title}, {name}", made)
    for training in ("ridge", "stdp", "bp"):
        for task in TASKS:
            made = _against_operations(records, training, task)
            add("tasks", f"task-{training}-{task}", f"{task}, {training}", made)
    spectrum = _curves(records, "spectrum_quantiles", "rank", "Lyapunov exponent per step")
    add("dynamics", "spectrum", "Lyapunov spectrum", spectrum)
    lags = _curves(records, "autocorrelation", "lag, steps", "autocorrelation")
    add("dynamics", "autocorrelation", "autocorrelation", lags)
    return {"charts": drawn, "rows": []}, {k: v or [("none", "none")] for k, v in tabs.items()}


def _style(method: str) -> dict:
    return {"name": method, "colour": _SHOWN.index(method), "of": len(_SHOWN)}


def _against_operations(records: list[dict], training: str, task: str) -> dict:
    """Metric against synaptic operations: a point per method and level."""
    where = {"part": "main", "training": training, "task": task}
    metric, sops = (grouped(records, "method level", f, **where) for f in (None, "sops"))
    marks, more = [], TASKS[task][1]
    for method in _SHOWN:
        points = []
        for key in metric:
            if key[0] == method and key in sops:
                mean, half = interval([*metric[key].values()])
                half = 0.0 if math.isnan(half) else half
                points.append((float(np.mean([*sops[key].values()])), mean, half, key[1]))
        points.sort()
        marks.append(mark("line", [p[:2] for p in points], **_style(method)))
        bars = [(x, y - half, y + half) for x, y, half, _ in points]
        marks.append(mark("whiskers", bars, **_style(method)))
        dots = [(x, y, f"{method}, {lv}: {y:.3g} ± {half:.2g}") for x, y, half, lv in points]
        marks.append(mark("dots", dots, **_style(method)))
    unit = "%" if TASKS[task][0] == "accuracy" else ""
    better = "more" if more else "less"
    y = axis(f"{TASKS[task][0]} ({better} is better)", unit=unit)
    return chart(axis("recurrent SOPs per sample", log=True), y, marks, height=400)


def _memory(records: list[dict], network: str, steps: str) -> dict:
    """Accuracy on the delayed sum by method."""
    found, marks = delayed_sum(records), []
    methods = [m for m in METHODS if found.get((network, "half", steps, m))]
    for place, method in enumerate(reversed(methods)):
        mean, half = interval([*found[network, "half", steps, method].values()])
        half = 0.0 if math.isnan(half) else half
        text = f"{method}: {mean:.1%} ± {half:.1%}"
        style = {"colour": _SHOWN.index(method), "of": len(_SHOWN)}
        marks.append(mark("bars", [(mean - half, mean + half, place - 0.05, place + 0.05, text)],
                          **style))  # fmt: skip
        marks.append(mark("dots", [(mean, place, text)], **style))
    dense = found.get((network, "half", "I+II+III+IV", "dense"))
    if dense and marks:
        marks.append(mark("rule", [(float(np.mean([*dense.values()])), "dense")], colour=-1))
    y = axis("", enumerate(reversed(methods)), limits=(-0.6, len(methods) - 0.4))
    return chart(axis("accuracy", unit="%"), y, marks, height=380)


def _curves(records: list[dict], field: str, x: str, y: str) -> dict:
    """Mean over seeds of a curve of the dynamics part, level "tenth"."""
    marks = []
    for method in ("dense", "lnp", "random"):
        mine = matching(records, part="dynamics", level="tenth", method=method)
        mine = [r["result"][field] for r in mine if "result" in r]
        if mine:
            curve = np.mean(mine, axis=0).tolist()
            at = np.linspace(0, 1, len(curve)).tolist() if x == "rank" else range(len(curve))
            points = [(a, v, f"{method}: {v:.3g}") for a, v in zip(at, curve, strict=True)]
            marks.append(mark("line", points, **_style(method)))
    return chart(axis(x), axis(y), marks)


def picture(records: list[dict]) -> str:
    """SVG of the paired differences on the delayed sum; readable on white and on black."""
    found, rivals = delayed_sum(records), METHODS[1:]
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    for place, (network, title) in enumerate(_NETWORKS.items()):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.set_title(title, color=_INK, fontsize=11)
        for k, (steps, name) in enumerate(_STEPS.items()):
            for row, rival in enumerate(rivals):
                one, two = (found.get((network, "half", steps, m), {}) for m in ("lnp", rival))
                if change := paired(one, two):
                    value, half = 100 * change["mean"], 100 * change["half"]
                    style = {"color": ("#d9822b", "#2b7bba")[k], "fmt": "os"[k], "markersize": 5}
                    label = {"label": name} if rival == "random" else {}
                    axes.errorbar(value, row + 0.25 * k, xerr=half, **style, **label)
        axes.axvline(0, color=_INK, linewidth=1)
        axes.set_yticks(np.arange(len(rivals)) + 0.12, rivals if place == 0 else [])
        axes.invert_yaxis()
        axes.tick_params(colors=_INK)
        axes.set_xlabel("LNP minus it, points", color=_INK)
        for spine in axes.spines.values():
            spine.set_color(_INK + "44")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if labels:
        how = {"loc": "outside lower center", "ncols": 2, "labelcolor": _INK, "framealpha": 0}
        figure.legend(handles, labels, **how)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()
