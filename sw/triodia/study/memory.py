"""Tables of the delayed sum, on which recurrent synapses decide, and of choosing slow neurons."""

import numpy as np

from .plan import LEVELS, METHODS, TASKS
from .summary import grouped, interval, paired, verdict

__all__ = ["memory_table", "slow_table"]

_ROWS = {  # level, steps of LNP, methods
    ("half", "I+II+III+IV"): ("dense", "dense+cut", *METHODS, "slow"),
    ("half", "I+II+III"): ("lnp", "random"),
    ("half", "I+II"): ("lnp", "random"),
    ("half", "I"): METHODS,
    ("tenth", "I"): METHODS,
}
_GAINED = tuple(f"{m}+gain" for m in ("lnp", "random", "weight-sampling", "noise-weights"))


_SLOW = {("ridge", "main"), ("ridge", "slow")}


def memory_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Every method at the counts that LNP left, after each of its steps."""
    mine = [r for r in records if r["cell"]["part"] == "memory"]

    def key(cell: dict) -> tuple:
        return (cell["level"], cell["steps"], cell["method"])

    accuracy = grouped(mine, key)
    counts = {n: grouped(mine, key, n) for n in ("neurons", "synapses", "sops")}
    rows = []
    for (level, steps), methods in _ROWS.items():
        peers = {m: accuracy.get((level, steps, m), {}) for m in ("lnp", "slow")}
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


def slow_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Slow neurons against LNP, random and dense, frozen recurrent part."""
    mine = [r for r in records if (r["cell"]["training"], r["cell"]["part"]) in _SLOW]
    found, rows = grouped(mine, lambda c: (c["task"], c["level"], c["method"])), []
    for task, (metric, more) in TASKS.items():
        for level in LEVELS:
            slow = found.get((task, level, "slow"))
            if slow:
                mean, half = interval([*slow.values()])
                row = {"task": f"{task} ({metric})", "level": level}
                row["slow"] = f"{mean:.3g} ± {half:.2g}"
                for rival in ("lnp", "random", "weight-sampling", "activity", "dense"):
                    other = found.get((task, "half" if rival == "dense" else level, rival), {})
                    change = paired(slow, other)
                    if change:
                        text = f"{change['mean']:+.2g} ± {change['half']:.2g} (p {change['p']:.2g})"
                        row[f"slow minus {rival}"] = f"{verdict(change, more)}: {text}"
                rows.append(row)
    text = (
        "Ours, not LNP, and no task is used: the neurons of longest membrane time constant stay,"
        " and synapses between them in proportion to |w|, to exactly LNP's counts. Ridge; verdicts"
        " are for “slow”."
    )
    return ("Slow neurons first", text, rows)


def _said(found: dict | None) -> str:
    if found is None:
        return "–"
    points = f"{100 * found['mean']:+.1f} ± {100 * found['half']:.1f} points (p {found['p']:.2g})"
    return f"{verdict(found, True)}: {points}"
