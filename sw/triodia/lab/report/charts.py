"""Charts of a comparison: over all rows, and of the inside of one row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..rows import COLUMNS, Row
from .marks import axis, chart, mark

__all__ = ["AXES", "along", "curves", "front", "loads", "memory", "pareto", "raster"]
__all__ += ["equal_speed", "readouts", "spectrum", "versus", "waveform"]

AXES = {  # what a curve runs along: the first of these that varies
    "synapses_kept": "share of recurrent synapses kept",
    "nodes_kept": "share of neurons kept",
    "neurons_dense": "number of neurons before pruning",
    "lanes": "number of PEs",
    "weight_bits": "number of bits per weight",
    "max_delay": "longest delay of a synapse in steps",
}
_LINEAR = ("weight_bits", "max_delay")  # the others are drawn on a logarithmic axis
_MEMORIES = {
    "pointers": "row pointers",
    "synapses": "synapses",
    "neurons": "neuron parameters",
    "state": "neuron state",
    "sums_0": "sums",
    "sums_1": "sums",
    "link": "link to the host",
}
_SIGNALS = {"synapse": 0, "neuron": 2, "event on the bus": 1}


def along(choices: Sequence[str]) -> str:
    """The column that curves run along."""
    return next((name for name in AXES if name in choices), "synapses_kept")


def curves(rows: Sequence[Row], choices: Sequence[str], key: str, title: str) -> dict | None:
    """Column ``key`` along what varies, a curve per combination of the rest, seeds as a band."""
    rows, run = [row for row in rows if getattr(row, key) is not None], along(choices)
    if not rows:
        return None
    column, groups, marks = COLUMNS[key], _groups(rows, choices, run), []
    for k, (name, mine) in enumerate(groups):
        points = defaultdict(list)
        for row in mine:
            points[getattr(row, run)].append(getattr(row, key))
        xs, how = sorted(points), {"name": name, "colour": k, "of": len(groups)}
        if any(len(values) > 1 for values in points.values()):
            marks.append(mark("band", [(x, min(points[x]), max(points[x])) for x in xs], **how))
        means = [(x, sum(points[x]) / len(points[x])) for x in xs]
        tips = [(x, y, f"{COLUMNS[run].text(x)}: {column.text(y)}") for x, y in means]
        marks += [mark("line", means, **how), mark("dots", tips, **how)]
    ticks = [(x, COLUMNS[run].text(x)) for x in sorted({getattr(row, run) for row in rows})]
    x = axis(AXES[run], ticks, log=run not in _LINEAR)
    metric = key.startswith("metric")
    return chart(x, axis(title, unit="%" if metric else "", zero=not metric), marks)


def front(rows: Sequence[Row], choices: Sequence[str], cost: str, metric: str) -> dict | None:
    """Metric against ``cost`` of every row, and a line through the Pareto-optimal ones."""
    rows = [row for row in rows if getattr(row, cost) is not None]
    if len(rows) < 2:
        return None
    groups, marks = _groups(rows, choices, None), []
    points = [(getattr(row, cost), row.metric_integer) for row in rows]
    marks.append(mark("steps", pareto(points), name="Pareto-optimal", colour=-1))
    for k, (name, mine) in enumerate(groups):
        labels = [_label(row, choices) for row in mine]
        tips = [
            (getattr(row, cost), row.metric_integer, f"{label}: {_costs(row, cost)}", label)
            for row, label in zip(mine, labels, strict=True)
        ]
        marks.append(mark("dots", tips, name=name, colour=k, of=len(groups)))
    x = axis(COLUMNS[cost].title, zero=False)
    return chart(x, axis(f"{metric}, integer", unit="%"), marks)


def _costs(row: Row, cost: str) -> str:
    metric = COLUMNS["metric_integer"].text(row.metric_integer)
    return f"{metric}, {getattr(row, cost):g} {COLUMNS[cost].title}"


def pareto(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of ``(cost, metric)`` those that no other beats, by rising cost: less cost, more metric."""
    best: list[tuple[float, float]] = []
    for cost, metric in sorted(points, key=lambda p: (p[0], -p[1])):
        if not best or metric > best[-1][1]:
            best.append((cost, metric))
    return best


def _label(row: Row, choices: Sequence[str]) -> str:
    return ", ".join(COLUMNS[c].text(getattr(row, c)) for c in choices)


def _groups(
    rows: Sequence[Row], choices: Sequence[str], run: str | None
) -> list[tuple[str, list[Row]]]:
    """Rows by the choices that are neither the axis nor the seed, with a name each."""
    axes = () if run else [name for name in AXES if name != "max_delay"]  # delays have colours
    left = [name for name in choices if name not in (run, "seed", *axes)]
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, name) for name in left)].append(row)
    return [(", ".join(map(_named, left, values)), mine) for values, mine in groups.items()]


def _named(name: str, value: object) -> str:
    """A choice as the name of a group: numbers say of what."""
    return value if isinstance(value, str) else f"{COLUMNS[name].heading} {value}"


def raster(traced: Mapping) -> dict:
    """Spikes of a sample: a ring for each of the reference, a dot for each of the hardware."""
    marks = []
    for who, kind, colour in (("reference", "rings", 1), ("hardware", "dots", 0)):
        points = [
            (t, i, f"step {t}, neuron {i}")
            for t, step in enumerate(traced[who])
            for i in step["spikes"]
        ]
        marks.append(mark(kind, points, name=who, colour=colour))
    x = axis("time step", _steps(len(traced["reference"])), limits=(-0.5, len(traced["hardware"])))
    return chart(x, axis("neuron", limits=(-2, traced["neurons"])), marks, height=440)


def _steps(count: int) -> list[tuple[int, str]]:
    return [(t, str(t)) for t in range(0, count, max(1, count // 10))]


def readouts(traced: Mapping) -> dict:
    """Readout potentials of a sample: lines are the reference, dots the hardware."""
    marks, count = [], len(traced["reference"][0]["readouts"])
    for k in range(count):
        style = {"name": f"class {k}", "colour": k, "of": count}
        for who, kind in (("reference", "line"), ("hardware", "dots")):
            values = [step["readouts"][k] / traced["one"] for step in traced[who]]
            points = [(t, v, f"class {k}, step {t}: {v:.2f}") for t, v in enumerate(values)]
            marks.append(mark(kind, points, **style))
    x = axis("time step", _steps(len(traced["reference"])))
    return chart(x, axis("membrane potential, thresholds"), marks, height=400)


def waveform(step: Mapping) -> dict:
    """A time step, clock cycle by clock cycle: a bar where a signal is active."""
    names, start, marks = list(step["signals"]), step["ends"][0], []
    for row, name in enumerate(reversed(names)):
        high = np.array(step["signals"][name])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], high, [0]]))).reshape(-1, 2)
        at = int(step["first"] - start)
        bars = [
            (int(a) + at, int(b) + at, row - 0.35, row + 0.35, f"{name}: {_cycles(a + at, b + at)}")
            for a, b in edges
        ]
        kind = name.split(": ")[-1]
        marks.append(mark("bars", bars, colour=_SIGNALS.get(kind, 3)))
    ends = [(end - start, "end of a step") for end in step["ends"]]
    marks.append(mark("rule", ends, colour=-1))
    y = axis("", enumerate(reversed(names)), limits=(-0.6, len(names) - 0.4))
    return chart(axis("clock cycles since the step began"), y, marks, height=30 * len(names) + 60)


def _cycles(first: int, end: int) -> str:
    return f"cycle {first}" if end - first == 1 else f"cycles {first} to {end - 1}"


def spectrum(spectra: Mapping[str, Sequence[float]]) -> dict:
    """Lyapunov exponents of the dense start, after pruning and after training."""
    names = {"pruned": "pruned", "trained": "pruned and trained", "dense": "dense start"}
    marks = []
    for k, (key, name) in enumerate(names.items()):
        values = spectra[key]
        points = [((i + 1) / len(values), v, f"{name}: {v:.4f}") for i, v in enumerate(values)]
        marks.append(mark("line", points, name=name, colour=(1, 0, 2)[k], dash=key == "dense"))
    low = min(float(np.quantile(values, 0.02)) for values in spectra.values())
    high = max(max(values) for values in spectra.values())
    y = axis("exponent per step", limits=(1.15 * low, max(0.0, high) - 0.05 * low))
    return chart(axis("rank, from largest to smallest", limits=(0, 1)), y, marks)


def loads(rows: Sequence[Row], labels: Sequence[str]) -> dict:
    """Synapses that each PE adds per step, a bar for each row; all have been recorded."""
    marks, width = [], 0.8 / len(rows)
    count = max(len(row.traced["loads"]) for row in rows)
    for k, (row, label) in enumerate(zip(rows, labels, strict=True)):
        bars = []
        for pe, value in enumerate(row.traced["loads"]):
            left = pe - 0.4 + k * width
            bars.append((left, left + 0.92 * width, 0, value, f"{label}, PE {pe}: {value:.1f}"))
        marks.append(mark("bars", bars, name=label, colour=k, of=len(rows)))
    x = axis("PE", [(pe, str(pe)) for pe in range(count)], limits=(-0.5, count - 0.5))
    return chart(x, axis("synapses per step", zero=True), marks)


def memory(rows: Sequence[Row], labels: Sequence[str]) -> dict:
    """Block RAMs by what they hold, a bar for each row."""
    kinds: dict[str, list[int]] = {}
    for k, row in enumerate(rows):
        for name, blocks in row.memory.items():
            kinds.setdefault(_MEMORIES.get(name, "queues"), [0] * len(rows))[k] += blocks
    left, marks, last = [0] * len(rows), [], len(rows) - 1
    for k, (kind, blocks) in enumerate(kinds.items()):
        bars = []
        for row, count in enumerate(blocks):
            at, end = last - row, left[row] + count
            bars.append((left[row], end, at - 0.36, at + 0.36, f"{labels[row]}, {kind}: {count}"))
            left[row] = end
        marks.append(mark("bars", bars, name=kind, colour=k, of=len(kinds)))
    y = axis("", [(last - k, label) for k, label in enumerate(labels)], limits=(-0.6, last + 0.6))
    return chart(axis("block RAMs", zero=True), y, marks, height=44 * len(rows) + 80)


def equal_speed(lines: Sequence[Mapping], labels: Sequence[str]) -> dict:
    """Logic and block RAM of each network's machine as percent of the board, two bars a row."""
    last, marks = len(lines) - 1, []
    for k, (name, key) in enumerate((("logic", "luts"), ("block RAM", "blocks"))):
        bars = []
        for row, (one, label) in enumerate(zip(lines, labels, strict=True)):
            at, value = last - row + 0.2 - 0.4 * k, one["percent"][key]
            tip = f"{label}, {one['lanes']} PEs: {one[key]:,} of {name}, {value:.0f} %"
            bars.append((0, value, at - 0.18, at + 0.18, tip, f"{value:.0f} %"))
        marks.append(mark("bars", bars, name=name, colour=k))
    marks.append(mark("rule", [(100, "all that the board has")], colour=-1))
    names = [
        (last - k, f"{label}, {one['lanes']} PEs")
        for k, (one, label) in enumerate(zip(lines, labels, strict=True))
    ]
    widest = max(115.0, 1.1 * max(max(one["percent"].values()) for one in lines))
    x = axis("percent of the board", limits=(0, widest))
    y = axis("", names, limits=(-0.6, last + 0.6))
    return chart(x, y, marks, height=56 * len(lines) + 80)


def versus(items: Sequence[tuple[str, float, int]]) -> dict:
    """Microseconds per sample as bars on a logarithmic axis: ``(name, value, colour)``."""
    last = len(items) - 1
    least = 10 ** np.floor(np.log10(min(value for _, value, _ in items)))
    greatest = 10 ** np.ceil(np.log10(max(value for _, value, _ in items)))
    bars = [
        mark(
            "bars",
            [
                (
                    float(least),
                    value,
                    last - k - 0.36,
                    last - k + 0.36,
                    f"{name}: {value:,.4g} µs",
                    text,
                )
            ],
            colour=colour,
        )
        for k, (name, value, colour) in enumerate(items)
        for text in [f"{value:,.0f} µs" if value >= 100 else f"{value:.3g} µs"]
    ]
    ticks = [(10.0**e, f"{10.0**e:,.0f}") for e in range(*_decades(least, greatest))]
    x = axis("µs per sample", ticks, log=True, limits=(float(least), float(greatest)))
    names = [(last - k, name) for k, (name, _, _) in enumerate(items)]
    y = axis("", names, limits=(-0.6, last + 0.6))
    return chart(x, y, bars, height=36 * len(items) + 60)


def _decades(least: float, greatest: float) -> tuple[int, int]:
    return round(np.log10(least)), round(np.log10(greatest)) + 1
