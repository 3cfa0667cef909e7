"""Results as one JSON file, and as tables between marks of a Markdown page."""

import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import mean

from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

__all__ = ["update"]


def update(part: str, data: dict, results: Path, page: Path) -> None:
    """Put ``data`` under ``part`` into ``results``, and its table into ``page``; the rest stays.

    Raises
    ------
    TriodiaError
        If ``page`` has no place for the table.
    """
    text = page.read_text()
    mark = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not mark.search(text):
        raise TriodiaError(f"{page} must have a line <!-- {part} --> and <!-- end --> behind it")
    everything = json.loads(results.read_text()) if results.exists() else {}
    everything[part] = data
    write_atomic(results, (json.dumps(everything, indent=1, sort_keys=True) + "\n").encode())
    table = _TABLES[part](data["rows"])
    write_atomic(page, mark.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text).encode())


def _table(rows: list[dict[str, str]]) -> str:
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _range(values: list[float], digits: int) -> str:
    low, middle, high = (f"{v:.{digits}f}" for v in (min(values), mean(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def _schedule(rows: list[dict]) -> str:
    cases = defaultdict(list)
    for row in rows:
        cases[row["task"], row["neurons"], row["kept"], row["lanes"]].append(row)
    shown = []
    for (task, neurons, kept, lanes), same in cases.items():
        values = {name: [row[name] for row in same] for name in same[0]}
        shown.append({
            "task": task,
            "N": str(neurons),
            "kept": f"{kept:.0%}",
            "P": str(lanes),
            "slots": str(same[0]["slots"]),
            "events": _range(values["events_per_step"], 1),
            "most synapses": _range(values["load_per_step"], 1),
            "cycles a step": _range(values["cycles_per_step"], 1),
            "cycles / bound": _range(values["cycles_over_bound"], 3),
            "SOP / lane / cycle": _range(values["sops_per_lane_cycle"], 2),
            "mean / most load": _range(values["balance"], 3),
            "random placement": _range(values["balance_random"], 3),
            "quiet": _range(values["quiet"], 3),
        })
    return _table(shown)


def _placer(rows: list[dict]) -> str:
    return _table([
        {
            "N": str(row["neurons"]),
            "P": str(row["lanes"]),
            "synapses": f"{row['synapses']:,}",
            "recorded steps": str(row["steps"]),
            "seconds": f"{row['seconds']:.2f}",
        }
        for row in rows
    ])


def _storage(rows: list[dict]) -> str:
    return _table([
        {
            "N": str(row["neurons"]),
            "P": str(row["lanes"]),
            "density": str(row["density"]),
            "w": str(row["weight_bits"]),
            "aim": "bits" if row["tight"] else "cycles",
            "gap bits": str(row["gap_bits"]),
            "rows a pointer": str(row["rows_per_pointer"]),
            "fillers": f"{row['fillers']:.1%}",
            "bits a synapse": f"{row['bits']:.1f}",
            "limit": f"{row['limit']:.1f}",
            "over limit": f"{row['over_limit']:.2f}",
            "EBR": str(row["blocks"]),
            "EBR bits": f"{row['block_bits']:.1f}",
            "CSR": f"{row['plain_bits']:.1f}",
            "bitmap": f"{row['bitmap_bits']:.1f}",
            "dense": f"{row['dense_bits']:.0f}",
        }
        for row in rows
    ])


def _clock(rows: list[dict]) -> str:
    return _table([
        {
            "FPGA": row["board"],
            "P": str(row["lanes"]),
            "N": str(row["neurons"]),
            "synapses": f"{row['synapses']:,}",
            "Fmax median": f"{row['fmax_median']:.1f}",
            "least": f"{row['fmax_min']:.1f}",
            "seeds": ", ".join(f"{fmax:.1f}" for fmax in row["fmax_mhz"]),
            "LUT4 / P": f"{row['lut4_per_lane']:.0f}",
            "logic cells": f"{row['luts']:,}",
            "registers": f"{row['registers']:,}",
            "block RAMs": str(row["blocks"] + row["single_port"]),
            "multipliers": str(row["multipliers"]),
        }
        for row in rows
    ])


_TABLES = {"schedule": _schedule, "placer": _placer, "storage": _storage, "clock": _clock}
