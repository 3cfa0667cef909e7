"""Results as one file a cell: computed once, written aside and renamed."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .cells import compute
from .plan import Cell

__all__ = ["VERSION", "adopt", "path_of", "read", "run"]

VERSION = 1  # raise it when results of earlier code are no longer comparable


def path_of(cell: Cell, folder: Path) -> Path:
    """Where the result of ``cell`` is kept."""
    text = json.dumps({"version": VERSION, **cell.spec()}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"{cell.part}-{cell.task or 'none'}-{cell.method}-{cell.level}-s{cell.seed}"
    return folder / f"{name}-{digest}.json"


def run(
    cells: Iterable[Cell],
    folder: Path,
    commit: str | None,
    progress: Callable[[int, int, str], None] | None = None,
    device: str = "cpu",
) -> int:
    """Compute what is missing; the number of cells computed. ``device`` is ``compute``'s.

    A cell that its settings make impossible (a control with too few synapses) is kept as a file
    with the reason, and shown as such.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells, done = list(cells), 0
    for k, cell in enumerate(cells):
        path = path_of(cell, folder)
        if not path.exists():
            start = perf_counter()
            try:
                outcome = {"result": compute(cell, device)}
            except TriodiaError as error:
                if error.exit_code != TriodiaError.exit_code:
                    raise  # something is not installed: that is no result
                outcome = {"refused": str(error)}
            spent = {"seconds": round(perf_counter() - start, 2)}
            made = {"version": VERSION, "commit": commit, "device": device}
            record = {"cell": cell.spec(), **made, **outcome, **spent}
            write_atomic(path, (json.dumps(record, indent=1) + "\n").encode())
            done += 1
        if progress is not None:
            progress(k + 1, len(cells), f"{cell.part} {cell.task} {cell.method} seed {cell.seed}")
    return done


def adopt(study: Path, folder: Path) -> int:
    """Put the results of an earlier study's JSON file into ``folder``; the number of new ones.

    Results of another ``VERSION`` and those that ``folder`` has already are left out.

    Raises
    ------
    TriodiaError
        If the file cannot be read or is not such a file.
    """
    try:
        records = json.loads(study.read_text())["records"]
        cells = [(Cell(**r["cell"]), r) for r in records if r["version"] == VERSION]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"  # not repr: of text, that is the whole file
        raise TriodiaError(f"{study} must be the JSON file of a study ({reason})") from error
    folder.mkdir(parents=True, exist_ok=True)
    new = [(path_of(cell, folder), record) for cell, record in cells]
    new = [(path, record) for path, record in new if not path.exists()]
    for path, record in new:
        write_atomic(path, (json.dumps(record, indent=1) + "\n").encode())
    return len(new)


def read(cells: Iterable[Cell], folder: Path) -> list[dict]:
    """The records of those cells that are there, in the order of ``cells``."""
    records = []
    for cell in cells:
        path = path_of(cell, folder)
        if path.exists():
            try:
                records.append(json.loads(path.read_text()))
            except ValueError as error:
                raise TriodiaError(f"{path} is damaged: {error}; delete it") from error
    return records
