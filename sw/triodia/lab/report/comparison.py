"""A comparison as one self-contained HTML page: no network, no scripts."""

import html

from .frame import page, table
from .plots import curves, front
from .sections import baselines, energy, samples

__all__ = ["comparison_page"]

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


def comparison_page(data: dict) -> str:
    """HTML page of what :func:`triodia.lab.compare.compare` returned."""
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
    return page(
        title,
        f"<p class=lead>{html.escape(data['sentence'])}</p>"
        f"<h2>The networks</h2>{table(rows, network)}"
        f"<h2>The machines</h2>{table(rows, machine)}{_misfits(rows)}"
        f"<div class=plots>{figures}</div>"
        f"<h2>Hardware against software</h2>{_agreement(rows, varies)}{samples(rows, varies)}"
        f"{baselines(data, varies)}{energy(rows, varies)}{_method(data)}",
    )


def _misfits(rows: list[dict]) -> str:
    reasons = dict.fromkeys(row["reason"] for row in rows if row.get("fits") is False)
    return "".join(f"<p>Does not fit: {html.escape(reason)}.</p>" for reason in reasons)


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
        f"{table(flat, headings)}"
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
