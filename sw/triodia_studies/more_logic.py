"""Logic of machines with delays and of adaptive ones: what they add, and the forecast's error.

``python -m triodia_studies.more_logic --rows rows.jsonl`` synthesises and packs random ECP5
machines in threes, the same parameters plain, with delays and adaptive, and keeps a row for each in
the file; a second call goes on from there. The first 7 threes fit what delays and adaptation add
(:func:`triodia_hw.cost.logic.more_features`), and ``hw/triodia_hw/cost/more_logic.json`` is
written. The other 4 check the forecast; a JSON line says the greatest error of each kind.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from triodia_boards.board import Board
from triodia_boards.catalog import BOARDS
from triodia_hw.compile.options import Options
from triodia_hw.cost import logic as model
from triodia_hw.cost.logic import logic, more_features
from triodia_hw.files import write_atomic
from triodia_hw.machine.params import MachineParams

from .logic import built_with, counted, design

__all__ = ["KINDS", "drawn", "errors", "fit"]

KINDS = ("delays", "adaptive", "plain")
_BOARD, _FIRST = "ulx3s-85f", 1000  # the fit of plain machines has other seeds
_FITTED, _CHECKED = range(7), range(7, 11)


def drawn(board: Board, kind: str, seed: int) -> tuple[MachineParams, Options]:
    """A random machine of one of ``KINDS``, and a way to build it."""
    p, options = design(board, _FIRST + seed)
    rng = random.Random(f"{kind} {board.name} {seed}")
    if kind == "adaptive":
        return replace(p, adaptive=True), options
    if kind == "delays":
        count = rng.choice([1, 2, 5, 12, 30])
        longest = rng.choice([max(count, 3), max(count, 15), 63])
        return replace(p, delays=tuple(sorted(rng.sample(range(1, longest + 1), count)))), options
    return p, options


def fit(rows: Sequence[dict]) -> dict:
    """Coefficients of what delays and adaptation add, from pairs of machines with and without."""
    by, found = {(row["kind"], row["seed"]): row for row in rows}, {"luts": {}, "registers": {}}
    for kind in KINDS[:-1]:
        pairs = [(row, by["plain", seed]) for (of, seed), row in by.items() if of == kind]
        known = [more_features(*built_with(row)) for row, _ in pairs]
        x = np.array([list(one.values()) for one in known], float)
        for cells in ("luts", "registers"):
            more, _ = nnls(x, np.array([row[cells] - plain[cells] for row, plain in pairs], float))
            found[cells] |= dict(zip(known[0], np.round(more, 3).tolist(), strict=True))
    return found


def errors(rows: Sequence[dict]) -> dict:
    """Greatest relative error of the forecast by kind of machine and cell, and the stated one."""
    found: dict[str, dict] = {}
    for row in rows:
        said = logic(*built_with(row))
        for cells in ("luts", "registers"):
            error = abs(getattr(said, cells) / row[cells] - 1)
            of_kind = found.setdefault(row["kind"], {"machines": 0, "stated": said.error})
            of_kind[cells] = round(max(of_kind.get(cells, 0.0), error), 3)
        of_kind["machines"] += 1
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--board", default=_BOARD)
    options = parser.parse_args()
    board, file = BOARDS[options.board], options.rows
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["kind"], row["seed"]) for row in rows}
    left = [(k, s) for s in (*_FITTED, *_CHECKED) for k in KINDS if (k, s) not in done]
    for kind, seed in left:
        with tempfile.TemporaryDirectory() as folder:
            made = counted(Path(folder), board, *drawn(board, kind, seed))
        rows.append({"kind": kind, "seed": seed} | made)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = fit([row for row in rows if row["seed"] in _FITTED])
    target = Path(model.__file__).with_name("more_logic.json")
    write_atomic(target, (json.dumps(found, indent=1) + "\n").encode())
    model._more.cache_clear()
    for name, part in (("fitted", _FITTED), ("checked", _CHECKED)):
        mine = [row for row in rows if row["seed"] in part]
        print(json.dumps({"rows": name} | errors(mine)), flush=True)


if __name__ == "__main__":
    main()
