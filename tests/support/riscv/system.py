"""A PicoRV32 that runs the shipped C driver beside the exported Verilog, in Verilator."""

import os
import subprocess
import sys
from pathlib import Path

from triodia_hw.export.folder import export_folder
from triodia_hw.export.vectors import record
from triodia_sim.simulators import find_simulator, run_tool

__all__ = ["TAGS", "build_system", "compile_program", "export", "run", "simulate"]

HERE = Path(__file__).resolve().parent
# The console's addresses in program.c, in order.
TAGS = "exit high polled interrupted value spike class count cycles bytes loaded".split()
COMPILE = "-target riscv32-freestanding-none -mcpu=generic_rv32+m -Os -ffreestanding -static"
CHECKS = "-std=c99 -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable"


def export(folder, image, other, sequences, interface):
    """Export ``image`` as net and ``other`` as other; write what the program sends.

    The words are those of all ``sequences``; steps and classes are of the first.
    """
    parts = []
    for name, net, prefix in (("net", image, ""), ("other", other, "OTHER_")):
        export_folder(net, folder, interface, name=name)
        words = record(net, sequences)
        parts.append(f"#define {prefix}RECORDED {len(words.inputs)}\n")
        parts.append(f"#define {prefix}ENDS {sum(map(len, sequences))}\n")
        parts.append(
            _array("uint64_t", f"{prefix.lower()}recorded", map("{}ull".format, words.inputs))
        )
        parts.append(f"#define {prefix}KEPT {len(words.outputs)}\n")
    payloads = [dict(step).get(c, 0) for step in sequences[0] for c in range(image.params.inputs)]
    parts += [
        "#define KEPT_MOST (KEPT > OTHER_KEPT ? KEPT : OTHER_KEPT)\n",
        f"#define STEPS {len(sequences[0])}\n",
        _array("int32_t", "payloads", payloads),
    ]
    (folder / "recorded.h").write_text("".join(parts))


def _array(kind, name, values):
    return f"static const {kind} {name}[] = {{{', '.join(map(str, values))}}};\n"


def compile_program(folder):
    """program.hex, words of 32 bits for ``$readmemh``, with the headers of ``folder``."""
    zig = [sys.executable, "-m", "ziglang"]
    sources = [str(HERE / "start.S"), str(HERE / "program.c")]
    # Zig's cache takes headers of another folder for these if their paths are relative.
    link = ["-I", str(folder), f"-Wl,-T,{HERE / 'program.ld'}", "-o", "program.elf"]
    line = [*zig, "cc", *COMPILE.split(), *CHECKS.split(), *sources, *link]
    environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(folder / "zig-cache")}
    subprocess.run(line, cwd=folder, check=True, env=environment)
    copy = [*zig, "objcopy", "-O", "binary", "program.elf", "program.bin"]
    subprocess.run(copy, cwd=folder, check=True)
    data = (folder / "program.bin").read_bytes()
    data += bytes(-len(data) % 4)
    words = [int.from_bytes(data[k : k + 4], "little") for k in range(0, len(data), 4)]
    (folder / "program.hex").write_text("".join(f"{word:08x}\n" for word in words))


def build_system(folder, interface):
    """The system of ``folder`` as a program of Verilator."""
    from pythondata_cpu_picorv32 import data_file

    find_simulator("verilator")
    line = ["verilator", "--binary", "--timing", "-Wno-fatal", "-Wno-lint", "--top-module", "soc"]
    line += [
        f"+define+{interface.replace('-', '_').upper()}",
        "-CFLAGS",
        "-O1 -std=c++20 -fcoroutines",
    ]
    run_tool(
        [*line, "--Mdir", folder / "soc", HERE / "soc.v", "net.v", data_file("picorv32.v")], folder
    )


def simulate(folder, *arguments):
    """Exit code and log of the system, which reads program.hex."""
    line = [folder / "soc" / "Vsoc", *(f"+{argument}" for argument in arguments)]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def run(folder, *arguments):
    """What the program wrote, (tag, word) in order, and accesses and cycles on the bus."""
    code, log = simulate(folder, *arguments)
    assert code == 0, log[-2000:]
    words, high, bus = [], 0, None
    for tag, *values in map(str.split, log.splitlines()):
        if tag == "bus":
            bus = dict(zip(("reads", "read", "writes", "write"), map(int, values), strict=True))
        elif tag.isdigit() and TAGS[int(tag)] == "high":
            high = int(values[0], 16)
        elif tag.isdigit():
            words.append((TAGS[int(tag)], high << 32 | int(values[0], 16)))
    assert bus and "exit 0" in log, log[-2000:]
    return words, bus
