"""A comparison as one self-contained HTML page: no network, no scripts."""

import html

from .console import number
from .plots import curves, front

__all__ = ["STYLE", "comparison_page"]

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

_CHOICES = {
    "task": "task",
    "method": "pruned by",
    "board": "board",
    "neurons_dense": "neurons before",
    "nodes_kept": "neurons kept",
    "weight_bits": "weight bits",
    "lanes": "lanes",
    "synapses_kept": "synapses kept",
    "seed": "seed",
}
_NETWORK = {
    "metric_float": "{metric}, float",
    "metric_integer": "{metric}, integer",
    "rate": "spikes a neuron and step",
    "neurons": "recurrent neurons",
    "synapses": "recurrent synapses",
    "synapses_stored": "synapses stored",
    "sops_per_sample": "SOPs a sample",
}
_MACHINE = {
    "cycles_per_sample": "cycles a sample",
    "cycles_over_bound": "cycles over bound",
    "load_balance": "load balance of lanes",
    "blocks_model": "block RAMs by the model",
    "blocks": "block RAMs placed",
    "single_port": "large RAMs",
    "luts": "logic cells",
    "registers": "registers",
    "multipliers": "multipliers",
    "fmax_mhz": "Fmax, MHz",
    "us_per_sample": "µs a sample at Fmax",
}
_PERCENT = ("synapses_kept", "nodes_kept", "metric_float", "metric_integer")


def comparison_page(data: dict) -> str:
    """HTML page of what :func:`triodia.compare.compare` returned."""
    rows, varies = data["rows"], {k: v for k, v in _CHOICES.items() if k in data["choices"]}
    metric = data["metric_name"]
    network = varies | {k: v.format(metric=metric) for k, v in _NETWORK.items()}
    machine = varies | {k: v for k, v in _MACHINE.items() if any(k in row for row in rows)}
    titles = {
        "metric_integer": f"{metric} on the test set, integer",
        "cycles_per_sample": "cycles per sample",
        "sops_per_sample": "synaptic operations per sample",
        "blocks": "block RAMs",
        "luts": "logic cells",
        "us_per_sample": "microseconds per sample at Fmax",
    }
    plots = [curves(rows, data["choices"], key, text) for key, text in titles.items()]
    plots += [front(rows, data["choices"], key, metric) for key in ("us_per_sample", "blocks")]
    figures = "".join(f"<figure>{plot}</figure>" for plot in plots if plot)
    title = f"Triodia: {data['task']} on {data['board']}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p class=lead>{html.escape(data['sentence'])}</p>"
        f"<h2>The networks</h2>{_table(rows, network)}"
        f"<h2>The machines</h2>{_table(rows, machine)}{_misfits(rows)}"
        f"<div class=plots>{figures}</div>"
        f"<h2>Hardware against software</h2>{_agreement(rows, varies)}{_method(data)}</body></html>"
    )


def _misfits(rows: list[dict]) -> str:
    reasons = dict.fromkeys(row["reason"] for row in rows if row.get("fits") is False)
    return "".join(f"<p>Does not fit: {html.escape(reason)}.</p>" for reason in reasons)


def _table(rows: list[dict], headings: dict[str, str]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in headings.values())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_shown(key, row.get(key)))}</td>" for key in headings)
        for row in rows
    )
    return f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"


def _shown(key: str, value: object) -> str:
    return f"{value * 100:.4g} %" if key in _PERCENT else number(value)


def _agreement(rows: list[dict], varies: dict[str, str]) -> str:
    headings = varies | {
        "samples": "samples",
        "steps": "steps",
        "spikes": "spikes",
        "words": "words compared",
        "operations": "synaptic operations",
        "cycles": "clock cycles",
        "model_minus_rtl": "cycle model less counter",
        "mismatches": "mismatches",
        "simulator": "simulator",
    }
    flat = [{**row, **row["cosim"]} for row in rows if row["cosim"]]
    return (
        f"<p>The exported Verilog of {len(flat)} of {len(rows)} rows ran on real test samples; "
        "every spike, readout value and end of step was compared with the integer reference, and "
        "the machine's own counts of events, synaptic operations and cycles with the models'.</p>"
        f"{_table(flat, headings)}"
    )


def _method(data: dict) -> str:
    versions = ", ".join(f"{name} {v}" for name, v in data["versions"].items())
    same = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in data["options"].items())
    items = {
        "The same in all rows": same,
        "Seeds": "of network, pruning and training; where several are shown, curves are their mean "
        "and bands reach from the least to the greatest. One seed shows no spread.",
        "Metric": "whole test set, integer network by the reference.",
        "Cycles": "exact model, mean over the samples, without stalls; in the rows that were "
        "simulated the hardware's own counter agreed as the table says.",
        "Bound": "sum over steps of the greatest of neurons a lane, events, and synapses of the "
        "busiest lane: what one memory port a lane and one bus allow if each step "
        "ends before the next starts; the overlap of steps can bring the ratio below 1. "
        "Load balance: mean over greatest load of a lane, mean over steps.",
        "Fmax, µs": "nextpnr's estimate after routing; the bitstream itself runs at a clock that "
        "its board can make, which is not more.",
        "Made with": f"{versions}; {data['machine']}; {data['seconds']:.0f} s in all.",
    }
    listed = "".join(f"<dt>{k}</dt><dd>{html.escape(v)}</dd>" for k, v in items.items())
    return f"<h2>How this was obtained</h2><dl>{listed}</dl>"
