"""Tables of the study, as rows of text by heading."""

from itertools import product

import numpy as np

from .cell import LEVELS, TASKS
from .checks import inputs_table, late_table, readout_table
from .memory import memory_table, ours_table
from .plan import METHODS, STEPS, VARIANTS
from .summary import (
    Group,
    difference,
    grouped,
    matching,
    mean_text,
    paired,
    verdict,
)
from .targets import targets_table

__all__ = ["Table", "all_tables", "counts_of_verdicts"]

Table = tuple[str, str, list[dict[str, str]]]  # title, what it shows, rows
_RIVALS = ("dense", *METHODS[1:])
_TRAININGS = ("ridge", "stdp", "bp")
_KEY = "training task level method"


def _label(task: str) -> str:
    metric, more = TASKS[task]
    return f"{task} ({metric}, {'more' if more else 'less'} is better)"


def _of(found: dict, training: str, task: str, level: str, method: str) -> Group:
    """Values by seed; the dense network is not thinned, so the same at every level."""
    return found.get((training, task, "half" if method == "dense" else level, method), {})


def main_table(records: list[dict], level: str) -> Table:
    """Task x method at one sparsity."""
    found, rows = grouped(records, _KEY, part="main"), []
    for place in product(_TRAININGS, TASKS):
        if _of(found, *place, level, "lnp"):
            row = {"task": _label(place[1]), "training": place[0]}
            names = ("dense", *METHODS, "esn")
            rows.append(row | {m: mean_text(_of(found, *place, level, m)) for m in names})
    part, nodes = LEVELS[level]
    text = (
        f"Step I keeps {part:.0%} of the synapses, step II {nodes:.0%} of the neurons; every column"
        " but dense has exactly the neurons and synapses that LNP (I to IV) left. Mean ± half width"
        " of the 95 % interval over seeds."
    )
    return (f"Task by method, level “{level}”", text, rows)


def verdict_table(records: list[dict]) -> Table:
    """Paired differences of LNP to each rival."""
    found, rows = grouped(records, _KEY, part="main"), []
    for training, task, level in product(_TRAININGS, TASKS, LEVELS):
        if lnp := _of(found, training, task, level, "lnp"):
            row = {"task": _label(task), "training": training, "level": level}
            place = (training, task, level)
            rows.append(row | {r: difference(lnp, _of(found, *place, r), task) for r in _RIVALS})
    text = (
        "LNP minus the other, paired by seed: verdict for LNP, mean difference ± half width of its"
        " 95 % interval, p of the paired t test. No correction for the number of tests: of 100"
        " comparisons of equals, about five would not be called a tie."
    )
    return ("Where LNP wins, ties and loses", text, rows)


def counts_of_verdicts(records: list[dict]) -> list[dict[str, str]]:
    """How often LNP wins, ties and loses against each rival, by training and level."""
    found, rows = grouped(records, _KEY, part="main"), []
    for training, level in product(_TRAININGS, LEVELS):
        row, most = {"training": training, "level": level}, 0
        for rival in _RIVALS:
            said = []
            for task, (_, more) in TASKS.items():
                lnp, other = (_of(found, training, task, level, m) for m in ("lnp", rival))
                if lnp and other:
                    said.append(verdict(paired(lnp, other), more))
            row[rival] = " / ".join(str(said.count(v)) for v in ("wins", "ties", "loses"))
            most = max(most, len(said))
            row["tasks"] = str(most)
        if most:
            rows.append(row)
    return rows


def why_table(records: list[dict]) -> Table:
    """Value of the recurrent synapses: networks with and without them."""
    found, rows = grouped(records, "task method", part=("why", "main"), training="ridge",
                          level="half"), []  # fmt: skip
    names = ("dense", "dense+cut", "random", "random+cut")
    for task in TASKS:
        dense, cut, random, bare = (found.get((task, m), {}) for m in names)
        if cut and bare:
            rows.append({
                "task": _label(task),
                "dense": mean_text(dense),
                "dense, all cut": mean_text(cut),
                "what synapses bring, dense": difference(dense, cut, task),
                "random": mean_text(random),
                "random, all cut": mean_text(bare),
                "what synapses bring, random": difference(random, bare, task),
                "what neurons bring": difference(cut, bare, task),
            })
    text = (
        "The same networks without any recurrent synapse (“all cut”), level “half”, ridge. Where"
        " that ties, no method of choosing synapses can show, and what pruning costs is the price"
        " of having fewer neurons."
    )
    return ("Why: what recurrent synapses bring at all", text, rows)


def operations_table(records: list[dict]) -> Table:
    """Synaptic operations of the recurrent part per sample, after training."""
    found, rows = grouped(records, _KEY, "sops", part="main"), []
    for training, task, level in product(_TRAININGS, TASKS, LEVELS):
        place = (training, task, level)
        if _of(found, *place, "lnp"):
            row = {"task": task, "training": training, "level": level}
            rows.append(row | {m: _whole(_of(found, *place, m)) for m in ("dense", *METHODS)})
    text = "Recurrent synapses reached by spikes, a sample, measured after training (mean of seeds)"
    return ("Synaptic operations", text + "; inputs and readout are not in it.", rows)


def _mean(values: Group) -> float:
    return float(np.mean([*values.values()]))


def _whole(values: Group) -> str:
    return f"{_mean(values):,.0f}" if values else "–"


def sparsity_table(records: list[dict]) -> Table:
    """Share of synapses removed, with and without inputs and readouts."""
    names, rows = ("neurons", "synapses", "synapses_total"), []
    found = {n: grouped(records, _KEY, n, part="main") for n in names}
    for task, level in product(TASKS, LEVELS):
        dense, lnp = (
            {n: _of(found[n], "ridge", task, level, m) for n in names} for m in ("dense", "lnp")
        )
        if dense["neurons"] and lnp["neurons"]:
            gone = {n: f"{1 - _mean(lnp[n]) / _mean(dense[n]):.1%}" for n in names}
            rows.append({
                "task": task,
                "level": level,
                "neurons": f"{_mean(lnp['neurons']):.0f} of {_mean(dense['neurons']):.0f}",
                "neurons gone": gone["neurons"],
                "recurrent synapses": _whole(lnp["synapses"]),
                "gone": gone["synapses"],
                "with input and readout": _whole(lnp["synapses_total"]),
                "gone then": gone["synapses_total"],
            })
    return ("Sparsity with and without input and readout", "Mean over seeds.", rows)


def ablation_table(records: list[dict]) -> Table:
    """I, I+II, I+II+III, all; LNP and random of each stage's counts."""
    found, rows = grouped(records, "task level steps method", part=("ablation", "main"),
                          training="ridge"), []  # fmt: skip
    for task, level in product(TASKS, LEVELS):
        if (task, level, "I", "lnp") in found:
            row = {"task": _label(task), "level": level}
            for steps in STEPS:
                row[steps] = mean_text(found.get((task, level, steps, "lnp")))
                row[f"random as {steps}"] = mean_text(found.get((task, level, steps, "random")))
            rows.append(row)
    text = "LNP stopped after each step, and a random network of exactly the counts left by then."
    return ("Ablation", text, rows)


def sensitivity_table(records: list[dict]) -> Table:
    """Each open choice changed alone, paired with the default."""
    where = {"part": ("sensitivity", "main"), "training": "ridge", "method": "lnp"}
    found, rows = {}, []
    for name, options in {"": {}, **VARIANTS}.items():
        mine = [r for r in matching(records, **where, level="half") if
                r["cell"]["options"] == options]  # fmt: skip
        found[name] = grouped(mine, "task")
    for name in VARIANTS:
        both = [t for t in TASKS if (t,) in found[""] and (t,) in found[name]]
        if both:
            changes = {_label(t): difference(found[name][t,], found[""][t,], t) for t in both}
            rows.append({"choice": name} | changes)
    text = "Variant minus the default LNP, level “half”, ridge: verdict for the variant."
    return ("Sensitivity to open choices", text, rows)


def gain_table(records: list[dict]) -> Table:
    """Weights rescaled to their original gain, as a step with its own name."""
    found = grouped(records, "task level method", part=("gain", "main"), training="ridge")
    names = ("lnp", "lnp+gain", "random", "random+gain", "weight-sampling", "weight-sampling+gain")
    rows = [
        {"task": _label(task), "level": level}
        | {m: mean_text(found.get((task, level, m))) for m in names}
        for task, level in product(TASKS, LEVELS)
        if (task, level, "lnp+gain") in found
    ]
    text = (
        "Not LNP: after pruning, all weights times one factor, so that a neuron's summed squares"
        " are those of the dense network in the mean."
    )
    return ("Gain put back", text, rows)


def network_table(records: list[dict]) -> Table:
    """Other starting networks, and the feed-forward case."""
    found = grouped(records, "network task method", part=("network", "feed-forward"))
    names = ("dense", "lnp", "random", "magnitude")
    rows = [
        {"network": network, "task": _label(task)}
        | {m: mean_text(found.get((network, task, m))) for m in names}
        for network, task in product(("single", "complete", "layered"), TASKS)
        if (network, task, "lnp") in found
    ]
    text = (
        "“single”: one law of time constants (HRSNN), density 0.2; “complete”: every pair joined;"
        " “layered”: three feed-forward layers, steps I and II. Level “half”, ridge."
    )
    return ("Other networks, and a feed-forward case", text, rows)


def dynamics_table(records: list[dict]) -> Table:
    """Spectrum and autocorrelation."""
    rows = []
    for level, method in product(LEVELS, ("dense", "lnp", "random")):
        mine = matching(records, part="dynamics", level=level, method=method)
        mine = [r["result"] for r in mine if "result" in r]
        if mine:
            spectra = np.array([r["spectrum_quantiles"] for r in mine])
            curves = np.array([r["autocorrelation"] for r in mine])
            picks = {"largest": spectra[:, 0], "median": spectra[:, 20]}
            picks |= {f"lag {k}": curves[:, k] for k in (1, 5, 20)}
            row = {"level": level, "network": method}
            rows.append(row | {n: mean_text(dict(enumerate(v))) for n, v in picks.items()})
    text = "Lyapunov exponents a step, and mean autocorrelation of the potentials under white noise"
    return ("Spectrum and autocorrelation", text + ".", rows)


def all_tables(records: list[dict]) -> list[Table]:
    """Every table that has rows."""
    tables = [targets_table(records), *(main_table(records, level) for level in LEVELS)]
    makers = (
        verdict_table,
        memory_table,
        ours_table,
        readout_table,
        inputs_table,
        late_table,
        why_table,
        ablation_table,
        gain_table,
        sensitivity_table,
        network_table,
        operations_table,
        sparsity_table,
        dynamics_table,
    )
    tables += [make(records) for make in makers]
    return [table for table in tables if table[2]]
