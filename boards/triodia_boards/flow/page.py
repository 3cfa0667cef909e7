"""A finished build as one page: utilisation by unit, critical path, memory map."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from triodia_hw.compile.contents import memory_shapes, wheel_shapes
from triodia_hw.compile.options import Options
from triodia_hw.compile.storage import block_count
from triodia_hw.machine.image import Image
from triodia_hw.machine.words import MEMORY_NUMBERS

from ..board import Board
from .report import BuildReport
from .synthesis import resource_of

__all__ = ["PathPart", "build_page", "critical_path", "units"]

# What Yosys and nextpnr append to the name of the register or net that a cell makes.
_SUFFIX = re.compile(
    r"(_(TRELLIS|SB|DFF\w*|FD\w+|LUT\d?|CCU2C|PFUMX|L6MUX21?|ALU|MUX2|RAM\w*|DP16KD|MULT\w+)_"
    r"|_(LUT\d|CCU2C|ALU|PFUMX)\b|\$|\[).*$"
)
_COLUMNS = {"luts": "look-up tables", "registers": "flip-flops", "blocks": "block RAMs"}
_COLUMNS |= {"multipliers": "multipliers", "other": "other cells"}
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #b5651d; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p { max-width: 42rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 60%; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; }
th { vertical-align: bottom; } .n { text-align: right; } code { font-size: .9em; }
meter { width: 10rem; height: .9rem; vertical-align: middle; }
.bar { display: inline-block; height: .7rem; background: var(--bar); vertical-align: middle; }
"""


@dataclass(frozen=True)
class PathPart:
    """A stretch of the critical path: the signal that leads on, and nanoseconds up to it."""

    unit: str
    signal: str
    logic: float
    routing: float


def units(netlist: dict, family: str) -> dict[str, Counter]:
    """Cells of each unit of a synthesised design (Yosys' JSON), by resource; PEs together."""
    found: dict[str, Counter] = {}
    for name, cell in netlist["modules"]["top"]["cells"].items():
        kind = resource_of(cell["type"], family) or "other"
        found.setdefault(_unit(name)[0], Counter())[kind] += 1
    order = ("PE", "core", "link", "serial", "board")
    return dict(sorted(found.items(), key=lambda row: (order.index(row[0].split()[0]), row[0])))


def _unit(name: str) -> tuple[str, str]:
    """Unit of a cell or net, and its name within the project."""
    plain = _SUFFIX.sub("", name)
    if lane := re.match(r"serial\.core\.lane_(\d+)\.(\w+)", plain):
        unit = lane[2] if lane[2] in ("fetcher", "walker", "accumulator", "sweep") else "wiring"
        return f"PE {unit}", plain
    if core := re.match(r"serial\.core\.(\w+)\.", plain):
        return f"core {core[1]}", plain
    for part in ("core", "link"):
        if plain.startswith(f"serial.{part}"):
            return part if part == "link" else "core wiring", plain
    return ("serial port" if plain.startswith("serial.") else "board"), plain


def critical_path(report: dict) -> list[PathPart]:
    """The slowest path between two clock edges of nextpnr's ``report``, by signal.

    Steps through cells of one signal, such as a carry chain, are one part.
    """
    inside = [p for p in report["critical_paths"] if _edge(p["from"]) == _edge(p["to"])]
    if not inside:
        return []
    slowest = max(inside, key=lambda path: sum(step["delay"] for step in path["path"]))
    parts: list[PathPart] = []
    for step in slowest["path"]:
        unit, signal = _unit(step["to"]["cell"])
        routed = step["type"] == "routing"
        logic, routing = (0.0, step["delay"]) if routed else (step["delay"], 0.0)
        if parts and signal in (parts[-1].signal, ""):  # nextpnr's own cells have no name of ours
            unit, signal = parts[-1].unit, parts[-1].signal
            before = parts.pop()
            logic, routing = logic + before.logic, routing + before.routing
        parts.append(PathPart(unit, signal, logic, routing))
    return parts


def _edge(name: str) -> str:
    return name if name.startswith(("posedge", "negedge")) else ""


def build_page(
    image: Image, board: Board, options: Options, folder: Path, report: BuildReport
) -> str:
    """HTML of a finished build in ``folder``, self-contained."""
    p = image.params
    netlist = json.loads((folder / "top.json").read_text())
    pes = f"{p.lanes} PE{'s' * (p.lanes > 1)}"
    title = f"{board.title or board.name}: {p.neurons} neurons on {pes}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Image <code>{image.digest()[:16]}</code>, {image.synapses:,} synapses. "
        f"{_clock(report)}</p>",
        "<h2>Of the device</h2>",
        _utilisation(report, board),
        "<h2>By unit</h2>",
        "<p>Cells after synthesis; the PEs are added up. Place-and-route adds some cells of its "
        "own.</p>",
        _units_table(units(netlist, board.family), p.lanes),
        "<h2>Critical path</h2>",
        _path(folder, report),
        "<h2>Memory map</h2>",
        "<p>Each PE has these memories. The number is the one that a load block "
        "names; memories without a number are working state. The wheel and its lists, of a machine "
        "with delays, are there once.</p>",
        _memories(image, options),
    ]
    head = f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    view = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="en"><head>{view}{head}</head><body>\n{body}\n</body></html>\n'
    )


def _clock(report: BuildReport) -> str:
    if report.fmax_mhz is None:
        return f"It runs at {report.clock_mhz:g} MHz; the tools do not time it."
    return (
        f"nextpnr estimates {report.fmax_mhz:g} MHz after routing (seed {report.seed}); "
        f"the bitstream runs at {report.clock_mhz:g} MHz."
    )


def _utilisation(report: BuildReport, board: Board) -> str:
    rows = []
    for name in ("luts", "registers", "blocks", "single_port", "multipliers"):
        used, have = getattr(report, name), getattr(board, name)
        if have:
            label = {**_COLUMNS, "single_port": "large memories"}[name]
            meter = f'<meter value="{used}" max="{have}" high="{0.9 * have}"></meter>'
            rows.append((label, f"{used:,}", f"{have:,}", f"{100 * used / have:.1f} %", meter))
    return _table(("resource", "used", "there are", "", ""), rows, {1, 2, 3})


def _units_table(found: dict[str, Counter], lanes: int) -> str:
    keys = [key for key in _COLUMNS if any(counts[key] for counts in found.values())]
    rows = []
    for unit, counts in found.items():
        label = f"{unit} (all {lanes})" if unit.startswith("PE") and lanes > 1 else unit
        rows.append((label, *(f"{counts[key]:,}" for key in keys)))
    total = sum(found.values(), Counter())
    rows.append(("all", *(f"{total[key]:,}" for key in keys)))
    return _table(("unit", *(_COLUMNS[key] for key in keys)), rows, set(range(1, len(keys) + 1)))


def _path(folder: Path, report: BuildReport) -> str:
    if report.fmax_mhz is None:
        return "<p>The tools do not time designs for this FPGA.</p>"
    parts = critical_path(json.loads((folder / "report.json").read_text()))
    total = sum(part.logic + part.routing for part in parts)
    rows = [
        (
            part.unit,
            f"<code>{escape(part.signal)}</code>",
            f"{part.logic:.2f}",
            f"{part.routing:.2f}",
            f'<span class="bar" style="width:{12 * (part.logic + part.routing) / total:.2f}rem">'
            "</span>",
        )
        for part in parts
    ]
    text = f"<p>{total:.2f} ns from register to register, by the signals that it passes.</p>"
    return text + _table(("unit", "signal", "logic, ns", "routing, ns", ""), rows, {2, 3})


def _memories(image: Image, options: Options) -> str:
    rows = []
    for shape in (*memory_shapes(image.params), *wheel_shapes(image.params)):
        style, family = options.style(shape.name), options.blocks
        blocks = block_count(shape.width, shape.depth, family) if style == "block" else 0
        place = {"block": f"{blocks} block RAM{'s' * (blocks > 1)}", "huge": "large memories"}
        fields = ", ".join(f"{name} {width}" for name, width, _ in shape.fields)
        number = MEMORY_NUMBERS.get(shape.name, "")
        size = (f"0 to {shape.depth - 1:,}", f"{shape.width}")
        where = place.get(style, "look-up tables" if style == "distributed" else "registers")
        rows.append((shape.name, f"{number}", *size, escape(fields), where))
    heads = ("memory", "number", "addresses", "bits", "fields, lowest first, and their bits", "in")
    return _table(heads, rows, {1, 2, 3})


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: set[int]) -> str:
    """A table; columns in ``numbers`` are right-aligned."""

    def cells(tag: str, row: Sequence[str]) -> str:
        marks = (' class="n"' if k in numbers else "" for k in range(len(row)))
        return "".join(f"<{tag}{m}>{c}</{tag}>" for m, c in zip(marks, row, strict=True))

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>\n{body}\n</table></div>'
