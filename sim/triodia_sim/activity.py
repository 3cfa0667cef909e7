"""What a recorded simulation shows: register bits that toggled, and signals cycle by cycle."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pywellen

from triodia_hw.export.rtlil import TOP

from .simulators import PERIOD_NS

__all__ = ["register_toggles", "signals"]

_MODULE = re.compile(r"^module (\w+)\b.*?^endmodule", re.DOTALL | re.MULTILINE)
_CLOCKED = re.compile(r"^ +(\\?\S+) ?(?:\[[^\]]*\] )?<= ", re.MULTILINE)
_ARRAY = re.compile(r"^ *reg [^;=]*?(\\?\S+) \[[^;]*\];", re.MULTILINE)
_INSTANCE = re.compile(r"^  (\w+) (?:#\([^;]*?\n  \) )?(\w+) \($", re.MULTILINE)
_CHECK = re.compile(r"^`ifndef SYNTHESIS.*?^`endif", re.DOTALL | re.MULTILINE)


def register_toggles(verilog: Path, wave: Path) -> dict[str, int]:
    """Register bits of the machine (memories are none), and how often one of them changed.

    ``verilog`` and ``wave`` are of one folder of :func:`.runner.cosimulate`. Changes from or to an
    undefined value do not count. What lies between registers, and glitches there, is not counted
    either.

    Raises :class:`ValueError` if the wave lacks a register, or there is none.
    """
    registers = _registers(Path(verilog).read_text())
    bits = toggles = 0
    for variable in pywellen.Waveform(str(wave)).all_vars():
        if variable.full_name not in registers:
            continue
        registers.remove(variable.full_name)  # a port is in the module around it too
        bits += variable.bitwidth
        values = [value for _, value in variable.tv]
        toggles += sum(
            (a ^ b).bit_count()
            for a, b in pairwise(values)
            if isinstance(a, int) and isinstance(b, int)
        )
    if registers or not bits:
        raise ValueError(f"{wave} lacks registers of {verilog}: {sorted(registers)[:3] or 'all'}")
    return {"register_bits": bits, "toggles": toggles}


def _registers(text: str) -> set[str]:
    """Full names of everything that is assigned at a clock edge and is not a memory.

    A module may stand in several places: each is walked to, from the machine down.
    """
    text = _CHECK.sub("", text)  # what checks the memories' contents is no part of the machine
    modules = {found[1]: found[0] for found in _MODULE.finditer(text)}

    def below(module: str, path: str) -> Iterator[str]:
        body = modules.get(module, "")
        memories = set(_ARRAY.findall(body))
        yield from (f"{path}.{name}" for name in _CLOCKED.findall(body) if name not in memories)
        for inner, name in _INSTANCE.findall(body):
            yield from below(inner, f"{path}.{name}")

    return set(below(TOP, TOP))


def signals(wave: Path, names: Iterable[str], first: int, last: int) -> dict[str, np.ndarray]:
    """Values of signals (by full name) in cycles ``first`` to ``last`` of the machine's counter.

    As they are at the end of the cycle, when all has settled; -1 where undefined. Raises
    :class:`KeyError` for a name that is not there.
    """
    found = {v.full_name: v for v in pywellen.Waveform(str(wave)).all_vars()}
    start = next(time for time, cycle in found[f"{TOP}.cycles"].tv if cycle == first)
    period = PERIOD_NS * 1000
    ends = start + period * np.arange(1, last - first + 2) - 1
    result = {}
    for name in names:
        changes = list(found[name].tv)
        values = np.array([v if isinstance(v, int) else -1 for _, v in changes])
        at = np.searchsorted([time for time, _ in changes], ends, side="right") - 1
        result[name] = np.where(at < 0, -1, values[at])
    return result
