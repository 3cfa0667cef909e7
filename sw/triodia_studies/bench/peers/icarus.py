"""Run a testbench on Icarus Verilog and read what it prints."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from triodia_hw.errors import ToolError
from triodia_hw.files import write_atomic
from triodia_sim.simulators import find_simulator, run_tool

__all__ = ["Bench", "Stuck", "play", "write_hex"]

_TOP = "bench"


class Stuck(ToolError):
    """A core that does not come to an end, or computes something else than its documentation."""


class Bench:
    """What a testbench printed: the numbers after each word, in order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._numbers: dict[str, list[int]] = {}
        for line in text.splitlines():
            word, _, number = line.partition(" ")
            if number.lstrip("-").isdigit():
                self._numbers.setdefault(word, []).append(int(number))

    def __getitem__(self, word: str) -> list[int]:
        return self._numbers.get(word, [])


def write_hex(path: Path, words: Iterable[int], bits: int) -> None:
    """Write words, cut to ``bits`` bits, as a file for ``$readmemh``."""
    mask, digits = (1 << bits) - 1, -(-bits // 4)
    lines = (f"{int(word) & mask:0{digits}x}\n" for word in words)
    write_atomic(path, "".join(lines).encode())


def play(
    name: str, testbench: Path, files: Iterable[Path], parameters: Mapping[str, int], folder: Path
) -> Bench:
    """Compile ``testbench`` with the sources of core ``name`` and run it in ``folder``.

    Raises
    ------
    CosimError
        If Icarus Verilog is missing or refuses the sources.
    Stuck
        If the core did not come to an end.
    """
    find_simulator("icarus")
    given = [f"-P{_TOP}.{key}={value}" for key, value in parameters.items()]
    sources = [testbench, *(file.resolve() for file in files)]
    program = folder.resolve() / f"{_TOP}.vvp"
    run_tool(["iverilog", "-g2012", "-s", _TOP, *given, "-o", program, *sources], folder)
    done = subprocess.run(
        ["vvp", "-n", program], cwd=folder, capture_output=True, text=True, check=False
    )
    write_atomic(folder / f"{_TOP}.log", done.stdout.encode())
    if done.returncode or "stuck" in done.stdout.split():
        raise Stuck(f"{name} did not come to an end (log: {folder / f'{_TOP}.log'})")
    return Bench(done.stdout)
