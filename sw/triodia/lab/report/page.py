"""A comparison as one self-contained, interactive HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import chain

from triodia_boards.catalog import BOARDS

from ..rows import COLUMNS, Row, delays_left_out, pick, texts
from . import charts
from .baselines import columns_of, comparisons, energies, line
from .fitting import equal_speed, misfits
from .render import render

_PERCENT = "\u00a0%"  # not broken at the end of a line

__all__ = ["GLOSSARY", "comparison_page", "headline"]

GLOSSARY = {
    "spiking network": "A neural network whose neurons exchange short pulses, called spikes.",
    "FPGA": "A chip whose circuit is defined by a file, the bitstream.",
    "pruning": "Removing synapses or neurons that a network can do without.",
    "LNP": "Lyapunov noise pruning: chooses synapses by how noise spreads through the network.",
    "Lyapunov exponent": "How fast a small disturbance of the network grows or fades, per step.",
    "PE": "Processing element: adds synapses and updates its share of the neurons.",
    "SOP": "Synaptic operation: one spike reaches one synapse, whose weight is added.",
    "reference": "The integer model in software that defines what the circuit must compute.",
    "co-simulation": "Simulating the Verilog and comparing its output with the reference.",
    "word": "One output of the machine: a spike, a readout value, the end of a step, or a count.",
    "block RAM": "Embedded memory of the FPGA, also called EBR; each holds a few thousand bits.",
    "EBR": "Embedded block RAM, Lattice's name for a block RAM.",
    "Fmax": "The highest clock frequency that timing analysis after routing allows.",
    "back-pressure": "A receiver that is not ready makes the sender wait.",
    "Pareto-optimal": "No other design is both cheaper and more accurate.",
    "place-and-route": "Assigning a circuit to the cells and wires of an FPGA.",
}
_CURVES = "metric_integer cycles_per_sample us_per_sample sops_per_sample blocks luts".split()
_NETWORK = "metric_float metric_integer rate neurons synapses synapses_stored sops_per_sample"
_MACHINE = (
    "cycles_per_sample cycles_over_bound load_balance fits limit blocks_model blocks single_port "
    "luts registers multipliers fmax_mhz us_per_sample seconds"
)
_AGREEMENT = {
    "samples": "samples",
    "steps": "steps",
    "spikes": "spikes",
    "words": "words compared",
    "operations": "SOPs",
    "cycles": "clock cycles",
    "model_minus_rtl": "cycle model − counter",
    "mismatches": "mismatches",
    "simulator": "simulator",
}


def comparison_page(data: Mapping) -> str:
    """HTML page of what results.json holds (:meth:`.compare.Comparison.json`)."""
    names = {f.name for f in fields(Row)}
    rows = [Row(**{k: v for k, v in row.items() if k in names}) for row in data["rows"]]
    choices, metric = data["choices"], data["metric_name"]
    best = _best(rows)
    drawn, tabs = _charts(rows, choices, metric)
    against = comparisons(data, rows, choices, best)
    if picture := against["versus"]:
        drawn["versus"] = picture
    at_equal = equal_speed(data.get("equal_speed", []))
    if picture := at_equal["equal"]:
        drawn["equal"] = picture
    per_row = [_of_row(row, choices, rows, metric) for row in rows]
    return render(
        "comparison.html.j2",
        data={"charts": drawn, "rows": per_row, "start": rows.index(best)},
        title=f"Triodia: {data['task']} on {data['board']}",
        task=data["task"],
        headline=headline(rows, metric),
        count=len(rows),
        figures=("metric", "time", "memory", "words"),
        labels=[row["label"] for row in per_row],
        varying=", ".join(COLUMNS[name].title for name in choices),
        along=charts.AXES[charts.along(choices)],
        seeds=len({row.seed for row in rows}) if "seed" in choices else 0,
        misfits=misfits(rows),
        left_out=delays_left_out(rows),
        words=_compared(rows)[0],
        mismatches=data["mismatches"],
        traced=any(row.traced for row in rows),
        spectra=any(row.spectra for row in rows),
        glossary=GLOSSARY,
        method=_method(data),
        trade=_trade(rows, choices, metric),
        **tabs,
        **_tables(rows, choices),
        **against,
        **at_equal,
        **energies(rows, choices),
    )


def _best(rows: Sequence[Row]) -> Row:
    """The row of the headline: of those that fit, simulated ones first, the sparsest."""
    able = [row for row in rows if row.fits] or rows
    return min([row for row in able if row.cosim] or able, key=lambda row: row.synapses)


def headline(rows: Sequence[Row], metric: str) -> str:
    """What a comparison achieved, in one sentence for a stranger."""
    row, (words, wrong) = _best(rows), _compared(rows)
    parts = [
        f"{row.neurons_dense or row.neurons}-neuron network on the {_board(row.board)}: "
        f"{100 * row.metric_integer:.1f}{_PERCENT} {metric} in "
        + (
            f"{row.us_per_sample:.3g} microseconds"
            if row.us_per_sample is not None
            else f"{row.cycles_per_sample:,.0f} clock cycles"
        )
    ]
    if row.synapses_kept is not None:
        parts.append(f"{100 * row.synapses_kept:.3g}{_PERCENT} of the synapses")
    if words and not wrong:
        parts.append(f"every one of {words:,} words equal to the reference")
    elif words:
        parts.append(f"but {wrong:,} of {words:,} words differ from the reference")
    return ", ".join(parts) + "."


def _compared(rows: Sequence[Row]) -> tuple[int, int]:
    """Words compared in co-simulation, and how many of them differ."""
    return sum(row.words for row in rows), sum(row.mismatches or 0 for row in rows)


def _board(name: str) -> str:
    """A board as people write it: ULX3S-25F."""
    return name.upper() if any(c.isdigit() for c in name) else name


def _label(row: Row, choices: Sequence[str]) -> str:
    return ", ".join(COLUMNS[name].text(getattr(row, name)) for name in choices)


def _charts(
    rows: Sequence[Row], choices: Sequence[str], metric: str
) -> tuple[dict[str, dict], dict[str, list]]:
    """Charts over all rows by name, and which of them a reader can choose between."""
    labels = [_label(row, choices) for row in rows]
    drawn, tabs = {}, {"fronts": [], "curves": []}
    for key in _CURVES:
        title = metric if key == "metric_integer" else COLUMNS[key].title
        if picture := charts.curves(rows, choices, key, title):
            drawn[f"curve-{key}"] = picture
            tabs["curves"].append((f"curve-{key}", title))
    for key in ("us_per_sample", "blocks", "cycles_per_sample"):
        if len(tabs["fronts"]) < 2 and (picture := charts.front(rows, choices, key, metric)):
            drawn[f"front-{key}"] = picture
            tabs["fronts"].append((f"front-{key}", COLUMNS[key].title))
    recorded = [(r, label) for r, label in zip(rows, labels, strict=True) if r.traced]
    if recorded:
        drawn["loads"] = charts.loads(*zip(*recorded, strict=True))
    if all(row.memory for row in rows):
        drawn["memory"] = charts.memory(rows, labels)
    return drawn, tabs


def _of_row(row: Row, choices: Sequence[str], rows: Sequence[Row], metric: str) -> dict:
    """What the page shows of one row: its label, four figures, and charts of its inside."""
    inside = {}
    if row.traced:
        inside = {"raster": charts.raster(row.traced), "readouts": charts.readouts(row.traced)}
        inside["waveform"] = charts.waveform(row.traced["step"])
    if row.spectra:
        inside["spectrum"] = charts.spectrum(row.spectra)
    return {
        "label": _label(row, choices),
        "figures": _figures(row, *_compared(rows), metric),
        "charts": inside,
    }


def _figures(row: Row, words: int, wrong: int, metric: str) -> dict[str, str]:
    """The four large figures of a row and what each is, as HTML."""
    placed, board = row.us_per_sample is not None, BOARDS.get(row.board)
    blocks = row.blocks if row.blocks is not None else row.blocks_model
    time = (
        f"{row.us_per_sample:.3g}<small> µs</small>" if placed else f"{row.cycles_per_sample:,.0f}"
    )
    return {
        "metric": f"{100 * row.metric_integer:.1f}<small> %</small>",
        "metric_note": f"{metric} on the whole test set, as the FPGA computes",
        "time": time,
        "time_note": f"per sample, at {row.fmax_mhz:.0f} MHz" if placed else "cycles per sample",
        "memory": f"{blocks:,}" + (f"<small> of {board.blocks}</small>" if board else ""),
        "memory_note": "block RAMs of the FPGA" + ("" if placed else ", by the model"),
        "words": f"{words:,}",
        "words_note": f"words compared over all designs; {wrong or 'none'} differ",
    }


def _trade(rows: Sequence[Row], choices: Sequence[str], metric: str) -> str:
    """The span between the first and the last row, where only the synapses vary."""
    if len(rows) < 2 or choices != ["synapses_kept"]:
        return ""
    dense, sparse = rows[0], rows[-1]
    times = dense.cycles_per_sample / sparse.cycles_per_sample
    points = 100 * (dense.metric_integer - sparse.metric_integer)
    text = (
        f"From {_label(dense, choices)} to {_label(sparse, choices)} of the synapses, {metric} "
        f"{'falls' if points > 0 else 'changes'} by {abs(points):.1f} percentage points, and the "
        f"machine needs {times:.1f} times fewer cycles. The {metric} axis is zoomed in."
    )
    return text.replace(" %", _PERCENT)


def _tables(rows: Sequence[Row], choices: Sequence[str]) -> dict[str, object]:
    network = pick([*choices, *_NETWORK.split()], rows)
    machine = pick([*choices, *_MACHINE.split()], rows)
    agreement = [*pick(choices), *columns_of(_AGREEMENT)]
    simulated = [row for row in rows if row.cosim]
    return {
        "network": network,
        "machine": machine,
        "rows": texts(rows, list({c.key: c for c in chain(network, machine)}.values())),
        "agreement": agreement,
        "agreements": [line({**vars(row), **row.cosim}, agreement) for row in simulated],
    }


def _method(data: Mapping) -> dict[str, str]:
    """Title and text of what a reader needs to repeat or doubt the page."""
    versions = ", ".join(f"{name} {v}" for name, v in data["versions"].items() if v)
    same = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in data["options"].items())
    minutes = (
        f"{data['seconds']:,.0f} s" if data["seconds"] < 120 else f"{data['seconds'] / 60:.0f} min"
    )
    return {
        "The same in all rows": same,
        "Accuracy": "On the whole test set, by the integer reference. One seed shows no spread.",
        "Cycles": "From an exact model, mean over the samples, without back-pressure. Where a "
        "design was simulated, the counter of the hardware agrees as the table says.",
        "Bound": "Sum over steps of the largest of: neurons per PE, events, and synapses of the "
        "busiest PE. Steps overlap, so the ratio can fall below 1.",
        "Microseconds": "Cycles at Fmax, the estimate of nextpnr after routing, without the link. "
        "The bitstream runs at a clock its board can make, which is no higher.",
        "Work": f"{minutes} of computing on {data['machine']}: the sum over all steps of the time "
        "each took when it first ran, stored steps of earlier runs included.",
        "Versions": versions,
    }
