"""Tables of the delayed sum, on which recurrent synapses decide, and of our variants."""

from itertools import product

import numpy as np

from .plan import LEVELS, METHODS, OURS, TASKS
from .summary import grouped, interval, paired, verdict

__all__ = ["memory_table", "ours_table"]

_ROWS = {  # level, steps of LNP, methods
    ("half", "I+II+III+IV"): ("dense", "dense+cut", *METHODS, *OURS),
    ("half", "I+II+III"): ("lnp", "random"),
    ("half", "I+II"): ("lnp", "random", *OURS),
    ("half", "I"): METHODS,
    ("tenth", "I"): METHODS,
}
_GAINED = tuple(f"{m}+gain" for m in ("lnp", "random", "weight-sampling", "noise-weights"))


_FROZEN = {("ridge", "main"), ("ridge", "ours")}


def memory_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Every method at the counts that LNP left, after each of its steps."""
    mine = [r for r in records if r["cell"]["part"] == "memory"]

    def key(cell: dict) -> tuple:
        return (cell["level"], cell["steps"], cell["method"])

    accuracy = grouped(mine, key)
    counts = {n: grouped(mine, key, n) for n in ("neurons", "synapses", "sops")}
    rows = []
    for (level, steps), methods in _ROWS.items():
        peers = {m: accuracy.get((level, steps, m), {}) for m in ("lnp", *OURS)}
        for method in (*methods, *(_GAINED if "IV" in steps else ())):
            at = (level, steps, method)
            if at in accuracy:
                row = {"step I keeps": "50%" if level == "half" else "10%", "steps": steps}
                row |= {"method": method, "seeds": str(len(accuracy[at]))}
                row |= {n: f"{np.mean([*v[at].values()]):,.0f}" for n, v in counts.items()}
                mean, half = interval([*accuracy[at].values()])
                spread = f" ± {half:.1%}" if len(accuracy[at]) > 1 else ""
                row["accuracy"] = f"{mean:.1%}{spread}"
                for name, peer in peers.items():
                    said = paired(peer, accuracy[at]) if name != method else None
                    row[f"{name} minus it"] = _said(said)
                rows.append(row)
    text = (
        "Networks of 100 neurons and 2,000 synapses with short time constants (mean 4 steps, not"
        " trained), trained by backpropagation on the delayed sum: a symbol must be held for 12"
        " steps and added, modulo 4, to another one. Chance is 25 %. “cut”: without recurrent"
        " synapses; “gain”: all weights times one factor, so that a neuron's summed squares are"
        " those of the dense network in the mean."
    )
    return ("Where recurrent synapses decide: the delayed sum", text, rows)


def ours_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Our variants against LNP, random and dense, frozen recurrent part."""
    mine = [r for r in records if (r["cell"]["training"], r["cell"]["part"]) in _FROZEN]
    found = grouped(mine, lambda c: (c["task"], c["level"], c["method"]))
    rows = []
    for method, task, level in product(OURS, TASKS, LEVELS):
        ours = found.get((task, level, method))
        if ours:
            metric, more = TASKS[task]
            mean, half = interval([*ours.values()])
            row = {"method": method, "task": f"{task} ({metric})", "level": level}
            row["result"] = f"{mean:.3g} ± {half:.2g}"
            for rival in ("lnp", "random", "weight-sampling", "activity", "dense"):
                other = found.get((task, "half" if rival == "dense" else level, rival), {})
                change = paired(ours, other)
                if change:
                    text = f"{change['mean']:+.2g} ± {change['half']:.2g} (p {change['p']:.2g})"
                    row[f"minus {rival}"] = f"{verdict(change, more)}: {text}"
            rows.append(row)
    text = (
        "Not the paper's; no task is used, and counts are exactly LNP's. “slow”: the neurons of"
        " longest membrane time constant stay, and synapses between them in proportion to |w|."
        " “lnp-degree”: the neurons stay to which LNP's step I leaves the most synapses, and"
        " synapses between them by its noise rule. Ridge; verdicts are for these two."
    )
    return ("Our variants", text, rows)


def _said(found: dict | None) -> str:
    if found is None:
        return "–"
    points = f"{100 * found['mean']:+.1f} ± {100 * found['half']:.1f} points (p {found['p']:.2g})"
    return f"{verdict(found, True)}: {points}"
