"""A board without hardware: its own top level, compiled, on a pseudo-terminal."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from triodia_hw.export.rtlil import without_contents
from triodia_hw.export.yosys import run_yosys
from triodia_hw.files import write_atomic

from .simulators import CosimError, find_simulator, run_tool

__all__ = ["BoardPins", "VirtualBoard", "compile_board"]

_HERE = Path(__file__).parent
_MODELS, _HARNESS = _HERE / "board_cells.v", _HERE / "virtual_board.cc"
_OBJECTS = {"verilated.cpp": "-O1", "verilated_threads.cpp": "-O1"}


@dataclass(frozen=True)
class BoardPins:
    """Names of a top level's pins; ``released`` is the level of the button at rest, if any."""

    clock: str
    rx: str
    tx: str
    button: str = ""
    released: int = 0


def compile_board(
    rtlil: str,
    pins: BoardPins,
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
    memory: str = "",
) -> Path:
    """Compile a board's top level; returns the program, kept in ``folder`` for the next time.

    ``rtlil`` is what synthesis gets; memory contents are left out, so a network is loaded over the
    link, as into any board. The vendor's cells are replaced by models of them. ``memory`` is the
    Verilog of :func:`.sdram.memory_on_board`, for a board whose SDRAM is used.

    Raises
    ------
    CosimError, YosysError
    """
    find_simulator("verilator")
    folder.mkdir(parents=True, exist_ok=True)
    sources = (rtlil, repr(pins), _MODELS.read_text(), _HARNESS.read_text())
    sources += (memory,) if memory else ()
    key = hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]
    program = folder / f"board-{key}"
    if program.exists():
        return program
    progress("the board's top level as Verilog (Yosys)")
    write_atomic(folder / "top.il", without_contents(rtlil).encode())
    shutil.copy(_MODELS, folder)
    run_yosys(
        [
            "read_rtlil top.il",
            f"read_verilog {_MODELS.name}",
            "hierarchy -top top",
            "proc",
            "flatten",
            "opt -full",
            "memory_collect",
            "opt_clean -purge",
            "write_verilog -noattr top.v",
        ],
        folder,
    )
    progress("and as a program (Verilator, g++)")
    if memory:
        with (folder / "top.v").open("a") as top:
            top.write(memory)
    _compile(pins, folder, program, "board" if memory else "top")
    return program


def _compile(pins: BoardPins, folder: Path, program: Path, top: str) -> None:
    root = Path(os.environ["VERILATOR_ROOT"])
    shutil.rmtree(folder / "obj", ignore_errors=True)
    run_tool(
        [
            *("verilator", "--cc", "-Wno-fatal", "-O3", "--x-assign", "fast"),
            *("--x-initial", "fast", "--noassert", "--top-module", top, "--prefix", "Vtop"),
            *("--Mdir", "obj", "top.v"),
        ],
        folder,
    )
    names = {"CLOCK": pins.clock, "RX": pins.rx, "TX": pins.tx, "BUTTON": pins.button}
    # Verilator's own names: they must not have two underscores in a row.
    macros = [f"-D{macro}={name.replace('__', '___05F')}" for macro, name in names.items() if name]
    compiler = ["g++", "-std=c++17", "-Iobj", f"-I{root / 'include'}"]
    compiler += [f"-I{root / 'include' / 'vltstd'}", *macros, f"-DRELEASED={pins.released}"]
    objects = []
    for source, level in _OBJECTS.items():
        objects.append(f"{source}.o")
        run_tool([*compiler, level, "-c", root / "include" / source, "-o", objects[-1]], folder)
    model = sorted(str(path.relative_to(folder)) for path in (folder / "obj").glob("*.cpp"))
    aside = program.with_suffix(".part")
    libraries = ["-lutil", "-lpthread"]
    run_tool([*compiler, "-O2", _HARNESS, *model, *objects, "-o", aside, *libraries], folder)
    aside.replace(program)


class VirtualBoard:
    """A running board; a context manager. It ends with this process at the latest.

    Parameters
    ----------
    program : of :func:`compile_board`. divisor : clock cycles of a bit on its line.
    faults : chance that a byte, either way, is disturbed: up to three of its ten bits flipped,
        lost, doubled, exchanged with one waiting, or held up by up to 64 bytes' time. seed : its
        chance.

    Attributes
    ----------
    port : name of the terminal, for a serial driver.
    """

    def __init__(self, program: Path, divisor: int, *, faults: float = 0.0, seed: int = 0) -> None:
        self._process = subprocess.Popen(
            [str(program), str(divisor), str(faults), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process alone
        )
        self.port = self._process.stdout.readline().strip()
        if not self.port:
            raise CosimError(f"{program} did not start; delete it and try again")

    def _say(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def stats(self) -> dict[str, float]:
        """Cycles simulated, seconds, CPU seconds, bytes each way, and faults by kind."""
        self._say("stats")
        return json.loads(self._process.stdout.readline())

    def faults(self, rate: float) -> None:
        """Disturb bytes at ``rate`` from now on."""
        self._say(f"faults {rate}")

    def press(self, cycles: int) -> None:
        """Press the reset button for some clock cycles; of no effect on a board without one."""
        self._say(f"press {cycles}")

    def wait(self) -> None:
        """Until the board ends, which only :meth:`close` or its own failure makes it do."""
        self._process.wait()

    def close(self) -> None:
        """Unplug it: the terminal is gone."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
