"""Pictures of one row: a sample in hardware and reference, a step's signals, memory, spectra."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from .plots import COLOURS, INK, MUTED, axes, finish

__all__ = ["loads", "memory", "raster", "readouts", "spectrum", "waveform"]

_MEMORIES = {
    "pointers": "row pointers",
    "synapses": "synapses",
    "neurons": "neuron parameters",
    "state": "neuron state",
    "sums_0": "sums",
    "sums_1": "sums",
    "link": "link to the host",
}


def raster(traced: Mapping) -> str:
    """Spikes of a sample: rings are the reference's, dots what the hardware put out."""
    plot = axes("spikes of a test sample", "time step", wide=True)
    for who, style in (
        ("reference", {"s": 26, "facecolors": "none", "edgecolors": COLOURS[1]}),
        ("hardware", {"s": 6, "color": COLOURS[0]}),
    ):
        points = [(t, i) for t, step in enumerate(traced[who]) for i in step["spikes"]]
        plot.scatter(*(np.array(points).reshape(-1, 2).T), label=who, linewidths=0.8, **style)
    plot.set_ylabel("neuron", fontsize=10, color=INK)
    plot.xaxis.get_major_locator().set_params(integer=True)
    plot.set_ylim(-1, traced["neurons"])
    return finish(plot, columns=2, below=True)


def readouts(traced: Mapping) -> str:
    """Readout potentials of a sample: lines are the reference, dots the hardware."""
    plot = axes("readouts of the same sample", "time step", wide=True)
    lines = np.array([step["readouts"] for step in traced["reference"]]) / traced["one"]
    dots = np.array([step["readouts"] for step in traced["hardware"]]) / traced["one"]
    for k in range(lines.shape[1]):
        colour = COLOURS[k % len(COLOURS)]
        plot.plot(lines[:, k], color=colour, linewidth=1, label=f"class {k}")
        plot.plot(dots[:, k], "o", color=colour, markersize=3)
    plot.set_ylabel("membrane potential", fontsize=10, color=INK)
    plot.xaxis.get_major_locator().set_params(integer=True)
    return finish(plot, columns=6, below=True)


def waveform(step: Mapping) -> str:
    """A time step, cycle by cycle: a bar where a signal is high."""
    names, start = list(step["signals"]), step["ends"][0]
    figure = Figure(figsize=(8.6, 0.28 * len(names) + 0.9), layout="constrained")
    plot = axes(
        "a time step, cycle by cycle", "clock cycles after the end of the step before", figure
    )
    for row, name in enumerate(reversed(names)):
        high = np.array(step["signals"][name])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], high, [0]]))).reshape(-1, 2)
        bars = [(a + step["first"] - start, b - a) for a, b in edges]
        kind = name.split(": ")[-1]
        colour = COLOURS[{"synapse": 0, "neuron": 2, "event on the bus": 1}.get(kind, 3)]
        plot.broken_barh(bars, (row - 0.35, 0.7), color=colour, linewidth=0)
    for end in step["ends"]:
        plot.axvline(end - start, color=INK, linewidth=1, linestyle="--")
    plot.set_yticks(range(len(names)), list(reversed(names)))
    plot.set_ylim(-0.6, len(names) - 0.4)
    return finish(plot)


def spectrum(spectra: Mapping[str, Sequence[float]]) -> str:
    """Lyapunov exponents of the dense start, after pruning and after training."""
    plot = axes("Lyapunov spectrum, noise-driven", "index over count")
    texts = {"dense": "dense start", "pruned": "pruned", "trained": "pruned and trained"}
    for (name, text), colour in zip(texts.items(), COLOURS, strict=False):
        values = spectra[name]
        x = np.arange(1, len(values) + 1) / len(values)
        style = {"linestyle": ":", "zorder": 3} if name == "dense" else {}
        plot.plot(x, values, color=colour, linewidth=1.8, label=text, **style)
    plot.axhline(0, color=MUTED, linewidth=1)
    low = min(np.quantile(values, 0.02) for values in spectra.values())
    plot.set_ylim(1.2 * low, None)  # the last few go to minus infinity
    plot.set_ylabel("exponent a step", fontsize=10, color=INK)
    return finish(plot)


def loads(rows: Sequence[Mapping], labels: Sequence[str]) -> str:
    """Synapses that each PE adds in a step, a bar for each row; all have been recorded."""
    plot = axes("synapses a step in each PE", "PE")
    width = 0.8 / len(rows)
    for k, (row, label) in enumerate(zip(rows, labels, strict=True)):
        values, colour = row["traced"]["loads"], COLOURS[k % len(COLOURS)]
        at = np.arange(len(values)) + (k - (len(rows) - 1) / 2) * width
        plot.bar(at, values, width, color=colour, label=label)
    plot.set_xticks(range(max(len(row["traced"]["loads"]) for row in rows)))
    return finish(plot, columns=2, below=True)


def memory(rows: Sequence[Mapping], labels: Sequence[str]) -> str:
    """Block RAMs by what they hold, by the memory model; a bar for each row."""
    figure = Figure(figsize=(4.2, 0.3 * len(rows) + 1.6), layout="constrained")
    plot = axes("block RAMs by what they hold", "block RAMs", figure)
    kinds: dict[str, list[int]] = {}
    for k, row in enumerate(rows):
        for name, blocks in row["memory"].items():
            kinds.setdefault(_MEMORIES.get(name, "queues"), [0] * len(rows))[k] += blocks
    left = np.zeros(len(rows))
    for (kind, blocks), colour in zip(kinds.items(), COLOURS * len(kinds), strict=False):
        plot.barh(range(len(rows)), blocks, left=left, color=colour, label=kind)
        left += blocks
    plot.set_yticks(range(len(rows)), labels)
    plot.invert_yaxis()
    return finish(plot, columns=2, below=True)
