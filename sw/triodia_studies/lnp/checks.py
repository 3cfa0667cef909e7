"""Tables of additional checks: a richer readout, and a fairer activity pruning."""

from itertools import product

import numpy as np

from .cell import LEVELS, RICH, TASKS
from .memory import delayed_sum
from .plan import LATE, METHODS
from .summary import difference, grouped, interval, paired, percent, points

__all__ = ["inputs_table", "late_summary", "late_table", "readout_table"]

_METHODS = ("dense", "dense+cut", "lnp", "lnp+cut", *METHODS[1:], "random+cut", "esn")


def readout_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Every method at LNP's counts, and without recurrent synapses."""
    found, rows = grouped(records, "task level method", part="readout"), []
    for task, level, method in product(RICH, LEVELS, _METHODS):
        if values := found.get((task, level, method)):
            mean, half = interval([*values.values()])
            row = {"task": task, "level": level, "method": method, "seeds": str(len(values))}
            row[TASKS[task][0]] = f"{mean:.3g} ± {half:.2g}" if len(values) > 1 else f"{mean:.3g}"
            lnp = found.get((task, level, "lnp"), {})
            if method != "lnp" and paired(lnp, values):
                row["lnp minus it"] = difference(lnp, values, task, short=True)
            rows.append(row)
    text = (
        "Ridge on the trace and the mean potential of each neuron and on the squares of both, in"
        " place of the trace alone; free runs of up to 12 Lyapunov times (6 in the tables above)."
        " “cut”: without recurrent synapses. The echo state network is the best, on the test score,"
        " of three recipes, two or three levels of noise, and with squares and without."
    )
    return ("Free runs with a readout that sees potentials and squares", text, rows)


def inputs_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Activity pruning that keeps its trained inputs, compared with the study's."""
    found = grouped(records, "training task level method", part=("main", "inputs"))
    rows = [
        _inputs(
            {"task": task, "training": training, "level": level},
            {m: found.get((training, task, level, m), {}) for m in _AP},
        )
        for training, task, level in product(("ridge", "stdp", "bp"), TASKS, LEVELS)
    ]
    text = (
        "“activity” of the other tables gets new inputs, readouts and biases after pruning, as"
        " every method does; “activity+inputs” keeps those the dense network was trained with, as"
        " is usual, and goes on from them: by backpropagation it is trained twice, as “lnp+twice”"
        " is after pruning. Accuracy; verdicts are for “activity+inputs”."
    )
    return ("Activity pruning that keeps its inputs", text, [row for row in rows if row])


def late_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """The delayed sum: pruned before training, and between two trainings."""
    rows = [
        _late_row(records, network, method)
        for network, method in product(("short", "short-single"), LATE)
    ]
    text = (
        "The networks and counts of the delayed sum above, LNP's steps I to III. “Trained, pruned,"
        " trained on”: the dense network is trained (20 epochs), then pruned, and what is left goes"
        " on from its inputs, readouts and biases (20 more). “Twice” is 20 and 20 epochs as well,"
        " “trained” 20. “dense” is trained twice without pruning. Trained first, LNP has the counts"
        " that its own steps leave. “activity” is pruned after a training in both; in the first its"
        " inputs are new."
    )
    return ("Delayed sum: trained before pruning", text, [row for row in rows if row])


def _late_row(records: list[dict], network: str, method: str) -> dict[str, str] | None:
    """One method: accuracies pruned before training and after, and each against LNP's."""
    late, twice = (_late(records, network, change) for change in ("+inputs", "+twice"))
    if method not in late:
        return None
    steps = "I+II+III+IV" if method == "dense" else "I+II+III"
    once = delayed_sum(records).get((network, "half", steps, method))
    longer, after = twice.get(method, {}), late[method]
    lnp = {"late": late, "twice": twice} if method != "lnp" else {}
    peers = {name: found.get("lnp", {}) for name, found in lnp.items()}
    row = {"network": network, "method": method, "seeds": str(len(after))}
    for name in _COUNTS:
        row[name] = f"{np.mean([*_late(records, network, '+inputs', name)[method].values()]):,.0f}"
    for name, values in (("trained", once), ("trained twice", longer)):
        row[f"pruned, {name}"] = percent([*values.values()]) if values else "–"
    row["lnp minus it, twice"] = points(paired(peers.get("twice", {}), longer))
    row["trained, pruned, trained on"] = percent([*after.values()])
    row["lnp minus it, trained first"] = points(paired(peers.get("late", {}), after))
    row["what training first brings"] = points(paired(after, longer))
    row["minus lnp pruned first"] = points(paired(after, peers.get("twice", {})))
    return row


_COUNTS = ("neurons", "synapses")
_BRIEF = ("method", *_COUNTS, "pruned, trained twice", "trained, pruned, trained on")


def late_summary(records: list[dict]) -> list[dict[str, str]]:
    """Short form of ``late_table``: clustered networks, accuracies only."""
    rows = [row for row in late_table(records)[2] if row["network"] == "short"]
    return [{name: row[name] for name in _BRIEF} for row in rows]


def _late(records: list[dict], network: str, change: str, field: str = "accuracy") -> dict:
    """Values by seed, by method without ``change``, of one network's delayed sum."""
    where = {"part": "inputs", "task": "delayed-sum", "network": network}
    found = grouped(records, "method", field, **where)
    return {m.removesuffix(change): v for (m,), v in found.items() if m.endswith(change)}


_AP = ("activity", "activity+inputs", "lnp", "lnp+twice")


def _inputs(row: dict[str, str], values: dict[str, dict]) -> dict[str, str] | None:
    if not values["activity+inputs"] or not values["lnp"]:
        return None
    row["seeds"] = str(len(values["activity+inputs"]))
    for method in _AP:
        if values[method]:
            row[method] = percent([*values[method].values()])
    rivals = (("activity", "inputs gain"), ("lnp", "over lnp"), ("lnp+twice", "over lnp+twice"))
    for rival, name in rivals:
        row[name] = points(paired(values["activity+inputs"], values[rival]))
    return row
