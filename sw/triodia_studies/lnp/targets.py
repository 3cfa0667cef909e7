"""Compare the study's results with the targets set for LNP before it ran."""

import numpy as np

from .cell import TASKS
from .summary import grouped, interval, paired, percent, verdict

__all__ = ["targets_table"]


_KEY = "task level method"


def targets_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Targets, what was measured, and whether they hold; by training where there is data."""
    rows = []
    for training in ("ridge", "stdp", "bp"):
        found = grouped(records, _KEY, part="main", training=training)
        for name, rival, wanted in (
            ("no loss against dense on 4 tasks (interval includes 0)", "dense", ("ties", "wins")),
            ("above activity pruning on 4 tasks", "activity", ("wins",)),
        ):
            said = _verdicts(found, rival)
            good = [task for task, word in said.items() if word in wanted]
            if said:
                text = f"{len(good)} of {len(said)}: {', '.join(good) or 'none'}"
                holds = len(good) >= 4 if len(said) >= 4 else None
                rows.append(_row(f"{name}, {training}", text, holds))
        rows += _ratios(records) if training == "ridge" else _fashion(found, training)
    text = "LNP at level “half” (57 % of neurons and more than half of the synapses gone)."
    return ("Targets", text + " A tie means that no difference is resolved, not equality.", rows)


def _row(target: str, measured: str, holds: bool | None) -> dict[str, str]:
    said = {True: "holds", False: "missed", None: "too few tasks were run"}[holds]
    return {"target": target, "measured": measured, "": said}


def _verdicts(found: dict, rival: str) -> dict[str, str]:
    said = {}
    for task, (_, more) in TASKS.items():
        lnp, other = (found.get((task, "half", m)) for m in ("lnp", rival))
        if lnp and other:
            said[task] = verdict(paired(lnp, other), more)
    return said


def _ratios(records: list[dict]) -> list[dict[str, str]]:
    rows, name = [], "Lorenz: valid prediction time over that of an ESN of equal size, at least 0.5"
    for part, task, more in (
        ("main", "lorenz", ""),
        ("readout", "lorenz-rich", "; readout of potentials and squares too"),
    ):
        found = grouped(records, _KEY, part=part)
        lnp, esn = (found.get((task, "half", m), {}) for m in ("lnp", "esn"))
        both = sorted(lnp.keys() & esn.keys())
        if both:
            mean, half = interval([lnp[s] / esn[s] for s in both])
            rows.append(_row(name + more, f"{mean:.2f} ± {half:.2f}", mean >= 0.5))
    return rows


def _fashion(found: dict, training: str) -> list[dict[str, str]]:
    rows = []
    for method in ("dense", "lnp"):
        values = found.get(("fashion-mnist-all", "half", method))
        if values:
            name = f"Fashion-MNIST rows at least 86 %, {method}, {training}"
            text = f"{percent([*values.values()])} ({len(values)} seed{'s' * (len(values) > 1)})"
            rows.append(_row(name, text, np.mean([*values.values()]) >= 0.86))
    return rows
