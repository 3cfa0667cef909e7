"""Compile a machine and the harness `native.cc` into a program; cached by what is compiled."""

import hashlib
import os
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from triodia_hw.gateware.sdram_ports import SDRAM_PORTS
from triodia_hw.lock import alone
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import (
    COUNTERS,
    input_fields,
    output_fields,
    read_bits,
    state_fields,
    width_of,
)

from .monitor import MONITOR, instance
from .sdram import memory_beside, memory_model
from .simulators import find_simulator, run_tool

__all__ = ["compile_native", "default_cache", "without_contents_check"]

_HARNESS = Path(__file__).with_name("native.cc")
_OBJECTS = ("verilated.cpp", "verilated_threads.cpp")
_WATCHED = ("broken", "rule", "at", "cycle", "total", "stalls")


def default_cache() -> Path:
    """Folder of compiled machines: ``triodia/native`` in XDG_CACHE_HOME, by default ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "triodia" / "native"


def without_contents_check(verilog: str) -> str:
    """Verilog without what differs between networks of the same parameters."""
    text = re.sub(r"^`ifndef SYNTHESIS.*?^`endif\n", "", verilog, flags=re.M | re.S)
    return re.sub(r"^//.*\n", "", text, flags=re.M)


def compile_native(
    verilog: str,
    top: str,
    p: MachineParams,
    cache: Path,
    *,
    peek: bool = True,
    mutants: int = 0,
    start: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Program that plays a bench on the machine ``top`` of ``verilog``; compiled only once.

    Memory contents come from .hex files in the folder in which it runs. ``peek``: it can read the
    state memories. ``mutants``: bits of a further input ``mutant``, of Verilog that has it.
    ``start``: what its counters show at first.

    Raises
    ------
    CosimError
        If Verilator, make or g++ is missing or fails.
    """
    find_simulator("verilator")
    bench = _bench(top, p, peek, mutants, start)
    header = _peek_header(p, peek)
    memory = memory_model(p) if p.external else ""
    parts = [without_contents_check(verilog), bench, header, MONITOR.read_text()]
    parts += [memory] if memory else []
    parts += [_HARNESS.read_text(), version("verilator")]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    program = cache / f"machine-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with alone(cache / f"{key}.lock", "build"):
        if program.exists():
            return program
        progress("Compiling the machine (Verilator, g++); cached for machines of these parameters")
        with TemporaryDirectory(prefix="triodia-native-") as aside:
            folder = Path(aside)
            texts = (parts[0], bench, MONITOR.read_text())
            texts += (memory,) if memory else ()
            (folder / "bench.v").write_text("\n".join(texts))
            (folder / "peek.h").write_text(header)
            _compile(folder, ["-DMUTANTS"] if mutants else [])
            (folder / "program").replace(aside_of(program, folder))
            aside_of(program, folder).replace(program)
    return program


def aside_of(program: Path, folder: Path) -> Path:
    """A name beside ``program``, so that it appears whole or not at all."""
    return program.with_name(f"{program.name}.{folder.name}")


def _compile(folder: Path, macros: list[str]) -> None:
    root = Path(os.environ["VERILATOR_ROOT"]) / "include"
    verilate = ["verilator", "--cc", "-Wno-fatal", "-Wno-lint", "-O3", "--x-assign", "fast"]
    verilate += ["--x-initial", "unique", "--noassert", "--top-module", "triodia_native"]
    run_tool([*verilate, "--Mdir", "obj", "bench.v"], folder)
    compiler = ["g++", "-std=c++17", "-Iobj", "-I.", f"-I{root}", f"-I{root / 'vltstd'}", *macros]
    objects = []
    for source in _OBJECTS:
        objects.append(f"{source}.o")
        run_tool([*compiler, "-O1", "-c", root / source, "-o", objects[-1]], folder)
    model = sorted(str(path.relative_to(folder)) for path in (folder / "obj").glob("*.cpp"))
    run_tool([*compiler, "-O2", _HARNESS, *model, *objects, "-o", "program", "-lpthread"], folder)


def _bench(top: str, p: MachineParams, peek: bool, mutants: int, start: int) -> str:
    """A module with the machine and its monitor; ports as the harness knows them."""
    ports, joined = [], []
    for way, fields, direction in (
        ("i", input_fields(p), "input"),
        ("o", output_fields(p), "output"),
    ):
        for name, width, is_signed in fields:
            sign = "signed " if is_signed else ""
            ports.append(f"{direction} {sign}[{width - 1}:0] {way}_{name}")
            joined.append(f"{way}_{name}")
    ports += [f"input {n}" for n in ("clk", "rst", "i_valid", "o_ready")]
    ports += [f"output {n}" for n in ("i_ready", "o_valid")]
    ports += [f"output [31:0] {name}" for name in COUNTERS]
    joined += ["clk", "rst", "i_valid", "o_ready", "i_ready", "o_valid", *COUNTERS]
    beside = memory_beside(p, top) if p.external else ""
    machine = [f".{name}({name})" for name in joined]
    machine += [f".{name}({name})" for name in SDRAM_PORTS] if beside else []
    if mutants:
        ports.append(f"input [{mutants - 1}:0] mutant")
        machine.append(".mutant(mutant)")
    ports += [f"output [31:0] {name}" for name in _WATCHED] + ["input [31:0] peek_slot"]
    body = [
        *([beside] if beside else []),
        f"{top} machine ({', '.join(machine)});",
        instance(p, start=start),
    ]
    body += [f"assign {name} = monitor.{name};" for name in _WATCHED]
    for lane in range(p.lanes if peek else 0):
        bits = width_of(state_fields(p)) - 1
        ports.append(f"output [{bits}:0] peek_{lane}")
        body.append(
            f"assign peek_{lane} = machine.core.lane_{lane}.sweep.state.mem_0.mem[peek_slot];"
        )
    joined_ports = ",\n  ".join(ports)
    return f"module triodia_native (\n  {joined_ports}\n);\n" + "\n".join(body) + "\nendmodule\n"


def _peek_header(p: MachineParams, peek: bool) -> str:
    cases = [f"    case {k}: return top.peek_{k};" for k in range(p.lanes if peek else 0)]
    switch = "\n".join(["  switch (lane) {", *cases, "    default: return 0;", "  }"])
    head = "static uint64_t peek([[maybe_unused]] Vtriodia_native &top, int lane) {\n"
    mask = (1 << read_bits(p)) - 1
    return f"#define LANES {p.lanes}\n#define READ_MASK {mask}\n{head}{switch}\n}}\n"
