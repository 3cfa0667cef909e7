"""Run Yosys (the pyosys package) in a process of its own: names it makes up start afresh."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from ..errors import YosysError

__all__ = ["run_yosys"]

_RUNNER = """
import sys
from pyosys import libyosys as ys
ys.log_to_stream(sys.stdout) if hasattr(ys, "log_to_stream") else None
design = ys.Design()
for line in open(sys.argv[1]):
    if line.strip():
        ys.run_pass(line.strip(), design)
"""


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
        errors = [line for line in text.splitlines() if "ERROR" in line] or text.splitlines()[-1:]
        reason = errors[-1].strip() if errors else f"exit code {done.returncode}"
        raise YosysError(f"Yosys failed: {reason} (log: {log})")
    return text
