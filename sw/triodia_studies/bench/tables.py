"""Results as one JSON file, and as tables between marks of a Markdown page."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from statistics import mean

from triodia.lab.report.render import render
from triodia.lab.rows import Column
from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .crossover_page import map_rows

__all__ = ["update"]


def update(part: str, data: dict, results: Path, page: Path, key: str | None = None) -> None:
    """Write ``data`` under ``key``, by default ``part``, into ``results``, its table into ``page``.

    Raises
    ------
    TriodiaError
        If ``page`` has no place for the table.
    """
    text = page.read_text()
    mark = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not mark.search(text):
        raise TriodiaError(f"{page} must have a line <!-- {part} --> and <!-- end --> after it")
    everything = json.loads(results.read_text()) if results.exists() else {}
    everything[key or part] = data
    write_atomic(results, (json.dumps(everything, indent=1, sort_keys=True) + "\n").encode())
    columns, rows = _COLUMNS[part], data["rows"]
    rows = _by_case(rows) if part == "schedule" else rows
    rows = map_rows(rows) if part == "crossover" else rows
    shown = [{c.key: c.text(row) for c in columns} for row in rows]
    table = render("table.md.j2", columns=columns, rows=shown).strip()
    write_atomic(page, mark.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text).encode())


def _by_case(rows: list[dict]) -> list[dict]:
    """One row per case of the schedule, lists of the values of its seeds."""
    cases = defaultdict(list)
    for row in rows:
        cases[row["task"], row["neurons"], row["kept"], row["lanes"]].append(row)
    return [{name: [row[name] for row in same] for name in same[0]} for same in cases.values()]


def _column(title: str, text: Callable[[Mapping], str] | str) -> Column:
    """A column of ``title``; ``text`` of a whole row, or the format of the value of that key."""
    if callable(text):
        return Column(title, title, title, show=text)
    key, _, form = text.partition(":")
    return Column(title, title, title, show=lambda row: format(row[key], form))


def _first(title: str, text: str) -> Column:
    key, _, form = text.partition(":")
    return Column(title, title, title, show=lambda row: format(row[key][0], form))


def _range(title: str, key: str, digits: int) -> Column:
    """Mean of a list of values, least and greatest in brackets."""

    def text(row: Mapping) -> str:
        values = row[key]
        low, middle, high = (f"{v:.{digits}f}" for v in (min(values), mean(values), max(values)))
        return middle if low == high else f"{middle} ({low}–{high})"

    return Column(title, title, title, show=text)


def _known(title: str, text: str, unit: float = 1) -> Column:
    """A column of values in ``unit``, some of which may not be known."""
    key, _, form = text.partition(":")

    def show(row: Mapping) -> str:
        return "–" if row[key] is None else format(row[key] / unit if unit > 1 else row[key], form)

    return Column(title, title, title, show=show)


def _below(row: Mapping) -> str:
    """The densities at which the event-driven machine takes fewer block RAMs."""
    if isfinite(row["crossing"]):
        return f"below {row['crossing']:.0%}"
    return "always" if row["always"] else "never"


_COLUMNS = {
    "schedule": [
        _first("task", "task"),
        _first("N", "neurons"),
        _first("kept", "kept:.0%"),
        _first("PEs", "lanes"),
        _first("slots", "slots"),
        _range("events", "events_per_step", 1),
        _range("most synapses", "load_per_step", 1),
        _range("cycles per step", "cycles_per_step", 1),
        _range("cycles / bound", "cycles_over_bound", 3),
        _range("SOP / PE / cycle", "sops_per_lane_cycle", 2),
        _range("mean / most load", "balance", 3),
        _range("random placement", "balance_random", 3),
        _range("quiet", "quiet", 3),
    ],
    "placer": [
        _column("N", "neurons"),
        _column("PEs", "lanes"),
        _column("synapses", "synapses:,"),
        _column("recorded steps", "steps"),
        _column("seconds", lambda row: f"{row.get('placing', row.get('seconds')):.2f}"),
    ],
    "storage": [
        _column("N", "neurons"),
        _column("PEs", "lanes"),
        _column("density", "density"),
        _column("w", "weight_bits"),
        _column("aim", lambda row: "bits" if row["tight"] else "cycles"),
        _column("gap bits", "gap_bits"),
        _column("rows per pointer", "rows_per_pointer"),
        _column("fillers", "fillers:.1%"),
        _column("bits per synapse", "bits:.1f"),
        _column("limit", "limit:.1f"),
        _column("over limit", "over_limit:.2f"),
        _column("EBR", "blocks"),
        _column("EBR bits", "block_bits:.1f"),
        _column("CSR", "plain_bits:.1f"),
        _column("bitmap", "bitmap_bits:.1f"),
        _column("dense", "dense_bits:.0f"),
    ],
    "crossover": [
        _column("N", "neurons"),
        _column("RAMs, dense design", "dense_blocks:,"),
        _column("50 %", "blocks_0.5:,"),
        _column("10 %", "blocks_0.1:,"),
        _column("fewer RAMs than dense", _below),
        _column("cycles, dense design", "dense_cycles:,.0f"),
        _column("cycles, 50 %", "cycles_0.5:,.0f"),
        _column("cycles, 10 %", "cycles_0.1:,.0f"),
    ],
    "placed": [
        _column("N", "neurons"),
        _column("density", "density:.0%"),
        _column("logic cells, dense design", "dense_luts:,"),
        _column("event-driven", "luts:,"),
        _column("RAMs, dense design", "dense_blocks"),
        _column("RAMs, event-driven", "blocks"),
        _column("MHz, dense design", "dense_fmax_mhz:.0f"),
        _column("MHz, event-driven", "fmax_mhz:.0f"),
    ],
    "peers-speed": [
        _column("design", "design"),
        _column("neurons", "neurons"),
        _column("cycles per step", "cycles_per_step:,.0f"),
        _known("µs per sample", "us_per_sample:,.0f"),
        _known("million useful SOP/s", "sop_per_second:,.1f", 1e6),
        _known("times ours, 1 PE", "relative_sop_per_second:.3f"),
        _known("thousand useful SOP/s per logic cell", "sop_per_second_per_cell:,.2f", 1e3),
        _known("times ours, 1 PE, per logic cell", "relative_sop_per_second_per_cell:.3f"),
    ],
    "peers-area": [
        _column("design", "design"),
        _column("neurons", "neurons"),
        _column("places for synapses", "stored:,"),
        _column("weight bits", "weight_bits"),
        _known("logic cells", "luts:,"),
        _known("registers", "registers:,"),
        _known("block RAMs", "blocks:,"),
        _known("multipliers", "multipliers:,"),
        _known("MHz", "fmax_median:.1f"),
    ],
    "clock": [
        _column("FPGA", "board"),
        _column("PEs", "lanes"),
        _column("N", "neurons"),
        _column("synapses", "synapses:,"),
        _column("Fmax median", "fmax_median:.1f"),
        _column("least", "fmax_min:.1f"),
        _column("seeds", lambda row: ", ".join(f"{fmax:.1f}" for fmax in row["fmax_mhz"])),
        _column("LUT4 / PE", "lut4_per_lane:.0f"),
        _column("logic cells", "luts:,"),
        _column("registers", "registers:,"),
        _column("block RAMs", lambda row: str(row["blocks"] + row["single_port"])),
        _column("multipliers", "multipliers"),
    ],
}
