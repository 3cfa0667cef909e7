"""Table of free runs with a readout that sees more: potentials, and squares."""

from itertools import product

from .plan import LEVELS, METHODS, RICH, TASKS
from .summary import grouped, interval, paired, verdict

__all__ = ["readout_table"]

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
        " place of the trace alone; free runs of up to 12 Lyapunov times (Lorenz; 6 in the tables"
        " above). “cut”: without recurrent synapses. The echo state network is the best of twelve"
        " on the test score: three recipes, each with squares and without, and with its own noise"
        " in fitting or the spiking networks'."
    )
    return ("Free runs with a readout that sees potentials and squares", text, rows)
