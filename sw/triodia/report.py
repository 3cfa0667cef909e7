"""A comparison as one self-contained HTML page: no network, no scripts."""

import html
import io

import matplotlib

matplotlib.use("Agg")
from matplotlib.figure import Figure

from .console import number

__all__ = ["INK", "MUTED", "STYLE", "comparison_page", "svg"]

INK, MUTED, _FIRST, _SECOND = "#888888", "#88888844", "#d9822b", "#2b7bba"

STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fdfcf9; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #17181a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.lead { font-size: 1.1rem; border-left: 4px solid #d9822b; padding-left: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .55rem; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; max-width: 6rem; font-size: .9rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .5rem; }
figure { margin: .5rem 0; }
.plots svg { width: 100%; height: auto; }
code { background: #8882; padding: .1rem .3rem; border-radius: 3px; overflow-wrap: anywhere; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1rem; }
"""

_NETWORK = {
    "synapses_kept": "synapses kept",
    "metric_float": "{metric}, float",
    "metric_integer": "{metric}, integer",
    "rate": "spikes a neuron and step",
    "neurons": "recurrent neurons",
    "synapses": "recurrent synapses",
    "synapses_stored": "synapses stored",
    "sops_per_sample": "SOPs a sample",
}
_MACHINE = {
    "synapses_kept": "synapses kept",
    "cycles_per_sample": "cycles a sample",
    "cycles_over_bound": "cycles over bound",
    "load_balance": "load balance of lanes",
    "blocks": "block RAMs (EBR)",
    "luts": "logic cells (LUT4)",
    "registers": "registers",
    "multipliers": "multipliers",
    "fmax_mhz": "Fmax, MHz",
    "us_per_sample": "µs a sample at Fmax",
}
_PERCENT = ("synapses_kept", "metric_float", "metric_integer")


def comparison_page(data: dict) -> str:
    """HTML page of what :func:`triodia.compare.compare` returned."""
    rows = data["rows"]
    plots = "".join(
        f"<figure>{_plot(rows, title, series)}</figure>"
        for title, series in (
            (
                data["metric_name"] + " on the test set",
                {"metric_float": "float", "metric_integer": "integer"},
            ),
            ("cycles per sample (co-simulated)", {"cycles_per_sample": ""}),
            ("synaptic operations per sample", {"sops_per_sample": ""}),
            ("block RAMs (EBR)", {"blocks": ""}),
            ("logic cells (LUT4)", {"luts": ""}),
            ("microseconds per sample at Fmax", {"us_per_sample": ""}),
        )
    )
    network = {k: v.format(metric=data["metric_name"]) for k, v in _NETWORK.items()}
    title = f"Triodia: {data['task']} on {data['board']}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p class=lead>{html.escape(data['sentence'])}</p>"
        f"<h2>The network by sparsity</h2>{_table(rows, network)}"
        f"<h2>The machine by sparsity</h2>{_table(rows, _MACHINE)}<div class=plots>{plots}</div>"
        f"<h2>Hardware against software</h2>{_agreement(rows)}{_method(data)}</body></html>"
    )


def _table(rows: list[dict], headings: dict[str, str]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in headings.values())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_shown(key, row[key]))}</td>" for key in headings)
        for row in rows
    )
    return f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"


def _shown(key: str, value: object) -> str:
    return f"{value * 100:.4g} %" if key in _PERCENT else number(value)


def _agreement(rows: list[dict]) -> str:
    headings = {
        "synapses_kept": "synapses kept",
        "samples": "samples",
        "steps": "steps",
        "spikes": "spikes",
        "words": "words compared",
        "operations": "synaptic operations",
        "cycles": "clock cycles",
        "mismatches": "mismatches",
        "simulator": "simulator",
    }
    flat = [{"synapses_kept": row["synapses_kept"], **row["cosim"]} for row in rows]
    return (
        "<p>The exported Verilog ran on real test samples; every spike, readout value and end of "
        "step was compared with the integer reference, and the machine's own counts of events and "
        f"synaptic operations with the reference's.</p>{_table(flat, headings)}"
    )


def _method(data: dict) -> str:
    options = {
        key: data["options"][key]
        for key in ("neurons", "method", "nodes", "weight_bits", "lanes", "epochs", "target_rate")
    }
    versions = ", ".join(f"{name} {v}" for name, v in data["versions"].items())
    items = {
        "Network": ", ".join(f"{k} {v}" for k, v in options.items()),
        "Seeds": f"network, pruning, training {data['options']['seed']}; "
        f"placement {data['options']['place_seed']}. One seed: no spread is shown here.",
        "Metric": "whole test set, integer network by the reference.",
        "Cycles": "hardware counter, mean over the co-simulated samples, without stalls.",
        "Bound": "sum over steps of the greatest of neurons a lane, events, and synapses of the "
        "busiest lane: what one memory port a lane and one bus allow if each step "
        "ends before the next starts; the overlap of steps can bring the ratio below 1. "
        "Load balance: mean over greatest load of a lane, mean over steps.",
        "Fmax, µs": "nextpnr's estimate after routing, speed grade 6; the bitstream itself runs on "
        "the board's 25 MHz oscillator.",
        "Made with": f"{versions}; {data['machine']}; {data['seconds']:.0f} s in all.",
    }
    listed = "".join(f"<dt>{k}</dt><dd>{html.escape(v)}</dd>" for k, v in items.items())
    return f"<h2>How this was obtained</h2><dl>{listed}</dl>"


def _plot(rows: list[dict], title: str, series: dict[str, str]) -> str:
    """One plot against the fraction of synapses kept, as inline SVG."""
    figure = Figure(figsize=(4.2, 2.9), layout="constrained")
    axes = figure.add_subplot()
    x = [row["synapses_kept"] for row in rows]
    for (key, label), colour, marker in zip(series.items(), (_FIRST, _SECOND), "os", strict=False):
        axes.plot(x, [row[key] for row in rows], marker=marker, color=colour, label=label or None)
    if not any(key.startswith("metric") for key in series):
        axes.set_ylim(0, 1.1 * max(row[key] for row in rows for key in series))
    if any(key.startswith("metric") for key in series):
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    axes.set_xscale("log")
    axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.minorticks_off()
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel("fraction of recurrent synapses kept", fontsize=10, color=INK)
    axes.tick_params(colors=INK, labelsize=10)
    axes.grid(color=MUTED)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    if any(series.values()):
        axes.legend(fontsize=10, labelcolor=INK, framealpha=0)
    return svg(figure)


def svg(figure: Figure) -> str:
    """``figure`` as SVG to put into a page; equal figures give equal text."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "triodia"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue().split("?>", 1)[1].split(">", 1)[1]  # without XML and doctype
