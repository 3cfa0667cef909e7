"""The machine as one RTLIL netlist, for synthesis by our own flow."""

import re
from importlib.metadata import PackageNotFoundError, version

from amaranth.back import rtlil

from ..compile.contents import memory_shapes
from ..compile.options import DEFAULT, Options
from ..gateware.top import Top
from ..gateware.units import Units
from ..machine.params import MachineParams

__all__ = [
    "TOP",
    "core_rtlil",
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
) -> str:
    """Netlist of the machine in RTLIL; with ``words`` as memory contents, else without any."""
    empty = [{s.name: [] for s in memory_shapes(p) if s.content}] * p.lanes
    top = Top(p, contents=words or empty, units=Units(options))
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
