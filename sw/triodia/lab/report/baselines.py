"""Baselines on the report page: dense designs, software, energy."""

from collections.abc import Mapping, Sequence

from triodia_hw.cost.energy import Work, ratio_range

from ..rows import COLUMNS, Column, Row, pick
from . import charts

__all__ = ["columns_of", "comparisons", "energies", "line"]

_DESIGNS = {
    "synapses_stored": "weights stored",
    "cycles_per_sample": "",
    "over": "times fewer cycles",
    "blocks": "",
    "luts": "",
    "fmax_mhz": "",
    "us_per_sample": "",
}
_SOFTWARE = {"name": "software", "us_per_sample": "", "spikes_per_sample": "spikes per sample"}
_WORK = {
    "sops_per_sample": "",
    "memory_bits": "memory bits moved",
    "product_bits": "bits multiplied",
    "register_toggles": "register bits toggled",
    "clocked_bits": "register bits clocked",
}
_ENERGY = {
    "energy_nj": "nJ per sample, roughly",
    "ratio": "ratio to densest",
    "range": "range of the ratio at any price",
}
_DENSE = "dense, time-stepped"


def columns_of(titles: Mapping[str, str]) -> list[Column]:
    """Columns by key with these titles; of a row's column where there is none."""
    return [Column(key, t, t) if t else COLUMNS[key] for key, t in titles.items()]


def line(values: Mapping, columns: Sequence[Column]) -> dict[str, str]:
    """``values`` as text, by key."""
    return {c.key: c.text(values.get(c.key)) for c in columns}


def _machine(row: Row) -> tuple:
    """Key of the rows that share a dense design; rows with delays have none."""
    return row.task, row.neurons_dense, row.nodes_kept, row.lanes, row.weight_bits, row.max_delay


def _event(row: Row) -> dict:
    return {**vars(row), "design": "event-driven"}


def _dense(row: Row) -> dict:
    """The dense design of a row, with the row's choices but those that it does not depend on."""
    part = row.dense
    values = {**vars(row), **dict.fromkeys(("blocks", "luts", "fmax_mhz")), **part}
    values |= {"design": _DENSE, "over": 1.0, "synapses_stored": part["weights_stored"]}
    values |= {"synapses_kept": None, "seed": None, "us_per_sample": None}
    if part.get("fmax_mhz"):
        values["us_per_sample"] = part["cycles_per_sample"] / part["fmax_mhz"]
    return values


def comparisons(data: Mapping, rows: Sequence[Row], choices: Sequence[str], best: Row) -> dict:
    """Chart, sentence and tables of the designs against dense ones and against software."""
    dense = {_machine(row): row for row in rows if row.dense}
    columns = [Column("design", "design", "design"), *pick(choices), *columns_of(_DESIGNS)]
    values = []
    for row in rows:
        if _machine(row) in dense:
            cycles = dense[_machine(row)].dense["cycles_per_sample"]
            values.append(_event(row) | {"over": cycles / row.cycles_per_sample})
    values += [_dense(row) for row in dense.values()]
    software = [*pick(choices), *columns_of(_SOFTWARE)]
    found = {
        "designs": [line(v, columns) for v in values],
        "design_columns": columns,
        "software": [line(v, software) for v in data["software"]],
        "software_columns": software,
        "beat": "",
        "versus": None,
    }
    items = _items(best, dense, data["software"])
    if len(items) > 1:
        fastest = min(value for _, value, kind in items if kind == 1)
        times = fastest / best.us_per_sample
        found["beat"] = f"The circuit is {times:,.3g} times faster than the fastest software here."
        found["versus"] = charts.versus(items)
    return found


def _items(best: Row, dense: Mapping, software: Sequence[Mapping]) -> list[tuple[str, float, int]]:
    """Name, microseconds per sample and colour: ours, the dense design, software."""
    same = ("synapses_kept", "max_delay")
    mine = [s for s in software if all(s.get(name) == getattr(best, name) for name in same)]
    if best.us_per_sample is None or not mine:
        return []
    items = [("event-driven", best.us_per_sample, 0)]
    if _machine(best) in dense and (us := _dense(dense[_machine(best)])["us_per_sample"]):
        items.append(("dense design", us, 2))
    return items + [(s["name"], s["us_per_sample"], 1) for s in mine]


def energies(rows: Sequence[Row], choices: Sequence[str]) -> dict:
    """Counts of work per sample, and the range their ratio lies in at any price."""
    recorded = [row for row in rows if row.traced]
    first = [Column("design", "design", "design"), *pick(choices)]
    found = {
        "energy": [],
        "energy_columns": first + columns_of(_ENERGY),
        "work_columns": first + columns_of(_WORK),
    }
    if not recorded:
        return found
    base = max(recorded, key=lambda row: row.synapses).traced
    values = [_event(row) | _energy(row.traced, base) for row in recorded]
    for row in rows:
        if row.dense:
            values.append(_dense(row) | {"sops_per_sample": None} | _energy(row.dense, base))
    columns = found["energy_columns"] + found["work_columns"]
    return found | {"energy": [line(v, columns) for v in values]}


def _energy(part: Mapping, base: Mapping) -> dict:
    least, greatest = ratio_range(Work(**part["work"]), Work(**base["work"]))
    counts = {name: float(f"{count:.3g}") for name, count in part["work"].items()}
    ratio = {"ratio": part["energy_nj"] / base["energy_nj"], "range": f"{least:.2f}–{greatest:.2f}"}
    return counts | ratio | {"energy_nj": float(f"{part['energy_nj']:.2g}")}
