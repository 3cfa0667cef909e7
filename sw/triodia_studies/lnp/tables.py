"""Tables of the study, as rows of text by heading."""

import numpy as np

from .cell import LEVELS, TASKS
from .checks import inputs_table, late_table, readout_table
from .memory import memory_table, ours_table
from .plan import METHODS, STEPS, VARIANTS
from .summary import grouped, interval, paired, verdict
from .targets import targets_table

__all__ = ["Table", "all_tables", "counts_of_verdicts"]

Table = tuple[str, str, list[dict[str, str]]]  # title, what it shows, rows
_RIVALS = ("dense", *METHODS[1:])
_SEEDS = 5  # of a full study; fewer are said


def _pm(values: dict | None, digits: int = 3) -> str:
    if not values:
        return "–"
    mean, half = interval(list(values.values()))
    spread = f" ± {half:.2g}" if len(values) > 1 else ""
    return f"{mean:.{digits}g}{spread}{_few(len(values))}"


def _few(seeds: int) -> str:
    """What is said of a number that rests on few seeds."""
    return "" if seeds >= _SEEDS else f" ({seeds} seed{'s' if seeds > 1 else ''})"


def _label(task: str) -> str:
    metric, more = TASKS[task]
    return f"{task} ({metric}, {'more' if more else 'less'} is better)"


def _part(records: list[dict], *parts: str) -> list[dict]:
    return [r for r in records if r["cell"]["part"] in parts]


def _key(cell: dict) -> tuple:
    return (cell["training"], cell["task"], cell["level"], cell["method"])


def _dense(found: dict, training: str, task: str) -> dict | None:
    return found.get((training, task, "half", "dense"))  # not thinned: the same at every level


def main_table(records: list[dict], level: str) -> Table:
    """Task x method at one sparsity."""
    found, rows = grouped(_part(records, "main"), _key), []
    for training in ("ridge", "stdp", "bp"):
        for task in TASKS:
            values = {m: found.get((training, task, level, m)) for m in (*METHODS, "esn")}
            if values["lnp"]:
                row = {"task": _label(task), "training": training}
                row["dense"] = _pm(_dense(found, training, task))
                rows.append(row | {m: _pm(v) for m, v in values.items()})
    part, nodes = LEVELS[level]
    text = (
        f"Step I keeps {part:.0%} of the synapses, step II {nodes:.0%} of the neurons; every column"
        " but dense has exactly the neurons and synapses that LNP (I to IV) left. Mean ± half width"
        " of the 95 % interval over seeds."
    )
    return (f"Task by method, level “{level}”", text, rows)


def verdict_table(records: list[dict]) -> Table:
    """Paired differences of LNP to each rival."""
    found, rows = grouped(_part(records, "main"), _key), []
    for training in ("ridge", "stdp", "bp"):
        for task in TASKS:
            for level in LEVELS:
                lnp = found.get((training, task, level, "lnp"))
                if lnp:
                    row = {"task": _label(task), "training": training, "level": level}
                    for rival in _RIVALS:
                        other = found.get((training, task, level, rival))
                        other = _dense(found, training, task) if rival == "dense" else other
                        row[rival] = _difference(paired(lnp, other or {}), task)
                    rows.append(row)
    text = (
        "LNP minus the other, paired by seed: verdict for LNP, mean difference ± half width of its"
        " 95 % interval, p of the paired t test. No correction for the number of tests: of 100"
        " comparisons of equals, about five would not be called a tie."
    )
    return ("Where LNP wins, ties and loses", text, rows)


def _difference(found: dict | None, task: str) -> str:
    if found is None:
        return "–"
    said = verdict(found, TASKS[task][1])
    change = f"{found['mean']:+.2g} ± {found['half']:.2g} (p {found['p']:.2g})"
    return f"{said}: {change}{_few(found['seeds'])}"


def counts_of_verdicts(records: list[dict]) -> list[dict[str, str]]:
    """How often LNP wins, ties and loses against each rival, by training and level."""
    found, rows = grouped(_part(records, "main"), _key), []
    for training in ("ridge", "stdp", "bp"):
        for level in LEVELS:
            row = {"training": training, "level": level}
            for rival in _RIVALS:
                said = []
                for task, (_, more) in TASKS.items():
                    lnp = found.get((training, task, level, "lnp"))
                    other = found.get((training, task, level, rival))
                    other = _dense(found, training, task) if rival == "dense" else other
                    if lnp and other:
                        said.append(verdict(paired(lnp, other), more))
                row[rival] = " / ".join(str(said.count(v)) for v in ("wins", "ties", "loses"))
                row["tasks"] = str(max(len(said), int(row.get("tasks", 0))))
            if row["tasks"] != "0":
                rows.append(row)
    return rows


def why_table(records: list[dict]) -> Table:
    """What the recurrent synapses are worth at all."""
    part = [r for r in _part(records, "why", "main") if r["cell"]["training"] == "ridge"]
    found = grouped(part, lambda c: (c["task"], c["level"], c["method"]))
    rows = []
    for task in TASKS:
        one, two = (found.get((task, "half", m)) for m in ("dense+cut", "random+cut"))
        if one and two:
            dense, random = (found.get((task, "half", m), {}) for m in ("dense", "random"))
            row = {"task": _label(task), "dense": _pm(dense), "dense, all cut": _pm(one)}
            row["what synapses bring, dense"] = _difference(paired(dense, one), task)
            row |= {"random": _pm(random), "random, all cut": _pm(two)}
            row["what synapses bring, random"] = _difference(paired(random, two), task)
            row["what neurons bring"] = _difference(paired(one, two), task)
            rows.append(row)
    text = (
        "The same networks without any recurrent synapse (“all cut”), level “half”, ridge. Where"
        " that ties, no method of choosing synapses can show, and what pruning costs is the price"
        " of having fewer neurons."
    )
    return ("Why: what recurrent synapses bring at all", text, rows)


def operations_table(records: list[dict]) -> Table:
    """Synaptic operations of the recurrent part a sample, after training."""
    found, rows = grouped(_part(records, "main"), _key, "sops"), []
    for training in ("ridge", "stdp", "bp"):
        for task in TASKS:
            for level in LEVELS:
                values = {m: found.get((training, task, level, m)) for m in METHODS}
                if values["lnp"]:
                    row = {"task": task, "training": training, "level": level}
                    row["dense"] = _whole(_dense(found, training, task))
                    rows.append(row | {m: _whole(v) for m, v in values.items()})
    text = "Recurrent synapses reached by spikes, a sample, measured after training (mean of seeds)"
    return ("Synaptic operations", text + "; inputs and readout are not in it.", rows)


def _whole(values: dict | None) -> str:
    return f"{np.mean(list(values.values())):,.0f}" if values else "–"


def sparsity_table(records: list[dict]) -> Table:
    """What is gone, with and without input and readout."""
    names = ("neurons", "synapses", "synapses_total")
    found = {n: grouped(_part(records, "main"), _key, n) for n in names}
    rows = []
    for task in TASKS:
        dense = {n: _dense(found[n], "ridge", task) for n in names}
        for level in LEVELS:
            lnp = {n: found[n].get(("ridge", task, level, "lnp")) for n in names}
            if dense["neurons"] and lnp["neurons"]:
                gone = {n: 1 - _mean(lnp[n]) / _mean(dense[n]) for n in names}
                rows.append({
                    "task": task,
                    "level": level,
                    "neurons": f"{_mean(lnp['neurons']):.0f} of {_mean(dense['neurons']):.0f}",
                    "neurons gone": f"{gone['neurons']:.1%}",
                    "recurrent synapses": _whole(lnp["synapses"]),
                    "gone": f"{gone['synapses']:.1%}",
                    "with input and readout": _whole(lnp["synapses_total"]),
                    "gone then": f"{gone['synapses_total']:.1%}",
                })
    return ("Sparsity with and without input and readout", "Mean over seeds.", rows)


def _mean(values: dict) -> float:
    return float(np.mean(list(values.values())))


def ablation_table(records: list[dict]) -> Table:
    """I, I+II, I+II+III, all; LNP and random of each stage's counts."""
    part = [r for r in _part(records, "ablation", "main") if r["cell"]["training"] == "ridge"]
    found = grouped(part, lambda c: (c["task"], c["level"], c["steps"], c["method"]))
    rows = []
    for task in TASKS:
        for level in LEVELS:
            if (task, level, "I", "lnp") in found:
                row = {"task": _label(task), "level": level}
                for steps in STEPS:
                    lnp = found.get((task, level, steps, "lnp"))
                    other = found.get((task, level, steps, "random"))
                    row[f"{steps}"] = _pm(lnp)
                    row[f"random as {steps}"] = _pm(other)
                rows.append(row)
    text = "LNP stopped after each step, and a random network of exactly the counts left by then."
    return ("Ablation", text, rows)


def sensitivity_table(records: list[dict]) -> Table:
    """Each open choice changed alone, paired with the default."""
    part = [r for r in _part(records, "sensitivity", "main") if r["cell"]["training"] == "ridge"]
    part = [r for r in part if r["cell"]["method"] == "lnp" and r["cell"]["level"] == "half"]
    found = grouped(part, lambda c: (c["task"], tuple(sorted(c["options"].items()))))
    rows = []
    for name, options in VARIANTS.items():
        row = {"choice": name}
        for task in TASKS:
            base = found.get((task, ()))
            one = found.get((task, tuple(sorted(options.items()))))
            if base and one:
                row[_label(task)] = _difference(paired(one, base), task)
        if len(row) > 1:
            rows.append(row)
    text = "Variant minus the default LNP, level “half”, ridge: verdict for the variant."
    return ("Sensitivity to open choices", text, rows)


def gain_table(records: list[dict]) -> Table:
    """Weights put back to the gain they had: an added step under its own name."""
    part = [r for r in _part(records, "gain", "main") if r["cell"]["training"] == "ridge"]
    found, rows = grouped(part, lambda c: (c["task"], c["level"], c["method"])), []
    names = ("lnp", "lnp+gain", "random", "random+gain", "weight-sampling", "weight-sampling+gain")
    for task in TASKS:
        for level in LEVELS:
            if (task, level, "lnp+gain") in found:
                row = {"task": _label(task), "level": level}
                rows.append(row | {m: _pm(found.get((task, level, m))) for m in names})
    text = (
        "Not LNP: after pruning, all weights times one factor, so that a neuron's summed squares"
        " are those of the dense network in the mean."
    )
    return ("Gain put back", text, rows)


def network_table(records: list[dict]) -> Table:
    """Other starting networks, and the feed-forward case."""
    part, rows = _part(records, "network", "feed-forward"), []
    found = grouped(part, lambda c: (c["network"], c["task"], c["method"]))
    for network in ("single", "complete", "layered"):
        for task in TASKS:
            if (network, task, "lnp") in found:
                row = {"network": network, "task": _label(task)}
                names = ("dense", "lnp", "random", "magnitude")
                rows.append(row | {m: _pm(found.get((network, task, m))) for m in names})
    text = (
        "“single”: one law of time constants (HRSNN), density 0.2; “complete”: every pair joined;"
        " “layered”: three feed-forward layers, steps I and II. Level “half”, ridge."
    )
    return ("Other networks, and a feed-forward case", text, rows)


def dynamics_table(records: list[dict]) -> Table:
    """Spectrum and autocorrelation."""
    rows = []
    for level in LEVELS:
        for method in ("dense", "lnp", "random"):
            mine = [
                r["result"]
                for r in _part(records, "dynamics")
                if (r["cell"]["level"], r["cell"]["method"]) == (level, method) and "result" in r
            ]
            if mine:
                spectra = np.array([r["spectrum_quantiles"] for r in mine])
                curves = np.array([r["autocorrelation"] for r in mine])
                picks = {f"lag {k}": curves[:, k] for k in (1, 5, 20)}
                picks = {"largest": spectra[:, 0], "median": spectra[:, 20], **picks}
                row = {"level": level, "network": method}
                rows.append(row | {n: _pm(dict(enumerate(v))) for n, v in picks.items()})
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
    )
    makers += (operations_table, sparsity_table, dynamics_table)
    tables += [make(records) for make in makers]
    return [table for table in tables if table[2]]
