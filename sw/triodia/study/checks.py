"""Tables of what was checked besides: a readout that sees more, and a fairer activity pruning."""

from itertools import product

from .memory import delayed_sum
from .plan import LEVELS, METHODS, RICH, TASKS
from .summary import grouped, interval, paired, percent, verdict

__all__ = ["inputs_table", "readout_table"]

_METHODS = ("dense", "dense+cut", "lnp", "lnp+cut", *METHODS[1:], "random+cut", "esn")


def readout_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Every method at the counts that LNP left, and without recurrent synapses."""
    mine = [r for r in records if r["cell"]["part"] == "readout"]
    found, rows = grouped(mine, lambda c: (c["task"], c["level"], c["method"])), []
    for task, level, method in product(RICH, LEVELS, _METHODS):
        values = found.get((task, level, method))
        if values:
            mean, half = interval([*values.values()])
            row = {"task": task, "level": level, "method": method, "seeds": str(len(values))}
            row[TASKS[task][0]] = f"{mean:.3g} ± {half:.2g}" if len(values) > 1 else f"{mean:.3g}"
            change = paired(found.get((task, level, "lnp"), {}), values)
            if change and method != "lnp":
                text = f"{change['mean']:+.2g} ± {change['half']:.2g} (p {change['p']:.2g})"
                row["lnp minus it"] = f"{verdict(change, True)}: {text}"
            rows.append(row)
    text = (
        "Ridge on the trace and the mean potential of each neuron and on the squares of both, in"
        " place of the trace alone; free runs of up to 12 Lyapunov times (6 in the tables above)."
        " “cut”: without recurrent synapses. The echo state network is the best, on the test score,"
        " of three recipes, two or three levels of noise, and with squares and without."
    )
    return ("Free runs with a readout that sees potentials and squares", text, rows)


def inputs_table(records: list[dict]) -> tuple[str, str, list[dict[str, str]]]:
    """Activity pruning that goes on from the inputs it was trained with, beside the study's."""
    main = [r for r in records if r["cell"]["part"] in ("main", "inputs")]
    found = grouped(main, lambda c: (c["training"], c["task"], c["level"], c["method"]))
    rows = [
        _inputs(
            {"task": task, "training": training, "level": level},
            {m: found.get((training, task, level, m), {}) for m in _AP},
        )
        for training, task, level in product(("ridge", "stdp", "bp"), TASKS, LEVELS)
    ]
    sums = [r for r in main if r["cell"]["task"] == "delayed-sum"]
    kept = grouped(sums, lambda c: (c["network"], c["steps"]))
    found = delayed_sum(records)
    for network, steps, ends in (
        ("short", "I+II+III+IV", "I+II+III+IV"),
        ("short", "I+II+III", "I+II+III+IV"),
        ("short-single", "I+II+III", "I+II+III"),
    ):
        values = {m: found.get((network, "half", steps, m), {}) for m in _AP}
        values["activity+inputs"] = kept.get((network, ends), {})
        named = f"delayed-sum, {network}, LNP {steps}"
        rows.append(_inputs({"task": named, "training": "bp", "level": "half"}, values))
    text = (
        "“activity” of the other tables gets new inputs, readouts and biases after pruning, as"
        " every method does; “activity+inputs” keeps those the dense network was trained with, as"
        " is usual, and goes on from them. Accuracy; verdicts are for the first named."
    )
    return ("Activity pruning that keeps its inputs", text, [row for row in rows if row])


_AP = ("activity", "activity+inputs", "lnp")


def _inputs(row: dict[str, str], values: dict[str, dict]) -> dict[str, str] | None:
    if not values["activity+inputs"] or not values["lnp"]:
        return None
    row["seeds"] = str(len(values["activity+inputs"]))
    for method in _AP:
        if values[method]:
            row[method] = percent([*values[method].values()])
    for rival, name in (("activity", "inputs gain"), ("lnp", "over lnp")):
        change = paired(values["activity+inputs"], values[rival])
        if change:
            points = f"{100 * change['mean']:+.1f} ± {100 * change['half']:.1f} points"
            row[name] = f"{verdict(change, True)}: {points} (p {change['p']:.2g})"
    return row
