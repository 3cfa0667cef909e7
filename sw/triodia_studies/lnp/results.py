"""Results of the study: computed by the engine, published as one compact file."""

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from triodia.lab.runner import run_all
from triodia.lab.store import Store, digest
from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .cell import Cell
from .cells import solved

__all__ = ["of_plan", "read_results", "run", "write_results"]


def run(
    cells: Sequence[Cell],
    store: Store,
    known: Iterable[dict] = (),
    *,
    device: str = "cpu",
    **options: object,
) -> list[dict]:
    """A record for each of ``cells``, in their order.

    A record has ``cell``, ``result`` (or ``refused`` with the reason), ``commit`` of the code that
    made it, ``seconds`` and ``device``. Records of ``known`` are taken as they are, whatever code
    made them. ``device``: where torch trains. ``options``: of :meth:`.runner.Jobs.run`.
    """
    records = {_key(record["cell"]): record for record in known}
    left = [cell for cell in cells if _key(cell.spec()) not in records]
    choices = [{"cell": cell.spec(), "device": device} for cell in left]
    for cell, found in zip(left, run_all(solved, choices, store, **options), strict=True):
        kept = {k: found[k] for k in ("result", "refused", "commit", "seconds") if k in found}
        records[_key(cell.spec())] = {"cell": cell.spec(), "device": device} | kept
    return [records[_key(cell.spec())] for cell in cells]


def of_plan(records: Iterable[dict], cells: Iterable[Cell]) -> list[dict]:
    """Those ``records`` that are of ``cells``, in the order of the cells."""
    found = {_key(record["cell"]): record for record in records}
    return [found[key] for key in (_key(cell.spec()) for cell in cells) if key in found]


def _key(cell: dict) -> str:
    return digest(cell)


def read_results(path: Path) -> tuple[dict, list[dict]]:
    """Read a results file; return its provenance and records.

    Raises
    ------
    TriodiaError
        If the file cannot be read or is not such a file.
    """
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        data = json.loads(content)
        for record in data["records"]:
            Cell(**record["cell"])
        return data["made"], data["records"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {str(error)[:80]}"
        raise TriodiaError(f"{path} must be a file of study results ({reason})") from error


def write_results(path: Path, made: dict, records: Sequence[dict]) -> None:
    """Write ``records`` and how they were ``made``; equal ones give equal bytes."""
    text = json.dumps({"made": made, "records": records}, sort_keys=True, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, gzip.compress(text.encode(), 9, mtime=0))
