"""Tables of the delayed sum, on which recurrent synapses decide, and of our variants."""

from itertools import product

import numpy as np

from .cell import LEVELS, TASKS
from .plan import METHODS, OURS
from .summary import difference, grouped, interval, paired, percent, points

__all__ = ["delayed_sum", "memory_summary", "memory_table", "ours_table"]

_ROWS = {  # level, steps of LNP, methods
    ("half", "I+II+III+IV"): ("dense", "dense+cut", *METHODS, *OURS),
    ("half", "I+II+III"): (*METHODS, *OURS),
    ("half", "I+II"): ("lnp", "random", *OURS),
    ("half", "I"): METHODS,
    ("tenth", "I"): METHODS,
}
_GAINED = tuple(f"{m}+gain" for m in ("lnp", "random", "weight-sampling", "noise-weights"))
_CONTROLS = (*METHODS[1:], *OURS)
_NETWORKS = {"short": "clustered", "short-single": "no clusters"}


def delayed_sum(records: list[dict], field: str | None = None) -> dict[tuple, dict]:
    """``summary.grouped`` of the delayed sum by network, level, steps and method.

    Step IV changes no count, so the controls after four steps equal those after three.
    """

    found = grouped(records, "network level steps method", field, part="memory")
    for (network, level, steps, method), values in list(found.items()):
        three = (network, level, "I+II+III")
        if steps == "I+II+III+IV" and method in _CONTROLS and (*three, "lnp") in found:
            found.setdefault((*three, method), values)
    return found


def memory_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Every method at LNP's counts, after each step of LNP."""
    found = {n: delayed_sum(records, n) for n in ("accuracy", "neurons", "synapses", "sops")}
    rows = [
        row
        for network, ((level, steps), methods) in product(_NETWORKS, _ROWS.items())
        for row in _block(found, (network, level, steps), methods)
    ]
    text = (
        "Networks of 100 neurons and 2,000 synapses with short time constants (mean 4 steps, not"
        " trained), trained by backpropagation on the delayed sum: a symbol must be held for 12"
        " steps and added, modulo 4, to another one. Chance is 25 %. “cut”: without recurrent"
        " synapses; “gain”: all weights times one factor, so that a neuron's summed squares are"
        " those of the dense network in the mean. Step IV changes no count, so after steps I to III"
        " the controls are the same networks as after all four."
    )
    return ("Where recurrent synapses decide: the delayed sum", text, rows)


def _block(found: dict, place: tuple[str, str, str], methods: tuple[str, ...]) -> list[dict]:
    """Rows of one network, level and steps; ``found`` by quantity."""
    network, level, steps = place
    accuracy, rows = found["accuracy"], []
    peers = {m: accuracy.get((*place, m), {}) for m in ("lnp", *OURS)}
    for method in (*methods, *(_GAINED if "IV" in steps else ())):
        at = (*place, method)
        if at in accuracy:
            row = {"network": _NETWORKS[network], "step I keeps": f"{LEVELS[level][0]:.0%}"}
            row |= {"steps": steps, "method": method, "seeds": str(len(accuracy[at]))}
            counts = ("neurons", "synapses", "sops")
            row |= {n: f"{np.mean([*found[n][at].values()]):,.0f}" for n in counts}
            row["accuracy"] = percent([*accuracy[at].values()])
            for name, peer in peers.items():
                said = paired(peer, accuracy[at]) if name != method else None
                row[f"{name} minus it"] = points(said)
            rows.append(row)
    return rows


def memory_summary(records: list[dict]) -> list[dict[str, str]]:
    """LNP minus each method on the delayed sum, half of the synapses kept; one row per step set."""
    found: dict[tuple, dict] = {}
    for row in memory_table(records)[2]:
        if row["step I keeps"] == "50%" and row["steps"] in ("I", "I+II+III", "I+II+III+IV"):
            place = {"network": row["network"], "steps": row["steps"]}
            mine = found.setdefault(tuple(place.values()), place)
            if row["method"] == "lnp":
                mine |= {"neurons": row["neurons"], "lnp": row["accuracy"]}
            elif row["method"] in METHODS:
                mine[row["method"]] = row["lnp minus it"].split(" points")[0]
    rows = sorted(found.values(), key=lambda row: (row["network"], row["steps"]))
    return [row for row in rows if "lnp" in row]


def ours_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Our variants against LNP, random and dense, frozen recurrent part."""
    found = grouped(records, "task level method", training="ridge", part=("main", "ours"))
    rows = []
    for method, task, level in product(OURS, TASKS, LEVELS):
        if ours := found.get((task, level, method)):
            row = {"method": method, "task": f"{task} ({TASKS[task][0]})", "level": level}
            mean, half = interval([*ours.values()])
            row["result"] = f"{mean:.3g} ± {half:.2g}"
            for rival in ("lnp", "random", "weight-sampling", "activity", "dense"):
                other = found.get((task, "half" if rival == "dense" else level, rival), {})
                if paired(ours, other):
                    row[f"minus {rival}"] = difference(ours, other, task, short=True)
            rows.append(row)
    text = (
        "Not the paper's; no task is used, and counts are exactly LNP's. “slow”: the neurons of"
        " longest membrane time constant stay, and synapses between them in proportion to |w|."
        " “lnp-degree”: the neurons stay to which LNP's step I leaves the most synapses, and"
        " synapses between them by its noise rule. Ridge; verdicts are for these two."
    )
    return ("Our variants", text, rows)
