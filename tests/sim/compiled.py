"""Amaranth's test benches on compiled Verilog: the same coroutines, some hundred times as fast.

Only what the benches of this project use of a simulator is here: `set`, `get`, `tick` with
`sample` and `repeat`, and `delay`. Signals are found by the names of the ports.
"""

import ctypes
import os
from contextlib import chdir
from pathlib import Path

from amaranth.hdl import Value

from triodia_sim.simulators import find_simulator, run_tool

__all__ = ["Compiled", "compile_library"]

_WRAPPER = """\
#include "V{top}.h"
static VerilatedContext context;
static V{top} *top;
static bool changed;
extern "C" void begin(int mutant) {{
  delete top;
  top = new V{top}(&context);
  top->mutant = mutant;
}}
extern "C" void reset(int active) {{
{reset}
  changed = true;
}}
extern "C" void put(int port, uint64_t value) {{
  changed = true;
  switch (port) {{
{puts}
  }}
}}
extern "C" uint64_t look(int port) {{
  if (changed) top->eval(), changed = false;
  switch (port) {{
{looks}
  }}
  return 0;
}}
extern "C" void edge() {{
  top->{clock} = 0, top->eval(), top->{clock} = 1, top->eval();
}}
"""


def compile_library(folder, top, ports, clock="clk", reset="rst"):
    """Compile ``top``.v in ``folder``; ``ports``: name and signal of each but clk and mutant.

    ``reset``: by which it starts, unless a bench does that.
    """
    find_simulator("verilator")
    root = Path(os.environ["VERILATOR_ROOT"]) / "include"
    command = ["verilator", "--cc", "-Wno-fatal", "-Wno-lint", "-O3", "--noassert"]
    command += ["--x-assign", "fast", "--x-initial", "fast"]
    run_tool([*command, "--top-module", top, "--Mdir", "obj", f"{top}.v"], folder)
    names = [name.replace("__", "___05F") for name, _ in ports]
    masks = [(1 << len(signal)) - 1 for _, signal in ports]
    puts = [
        f"    case {k}: top->{n} = value & {m:#x}ull; break;"
        for k, (n, m) in enumerate(zip(names, masks, strict=True))
    ]
    looks = [f"    case {k}: return top->{n};" for k, n in enumerate(names)]
    how = {"clock": clock, "reset": f"  top->{reset} = active;" if reset else ""}
    text = _WRAPPER.format(**how, top=top, puts="\n".join(puts), looks="\n".join(looks))
    (folder / "wrapper.cc").write_text(text)
    model = sorted(str(path.relative_to(folder)) for path in (folder / "obj").glob("*.cpp"))
    compiler = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-Iobj", f"-I{root}"]
    sources = [root / "verilated.cpp", root / "verilated_threads.cpp"]
    run_tool(
        [*compiler, f"-I{root / 'vltstd'}", "wrapper.cc", *model, *sources, "-o", "library.so"],
        folder,
    )
    return folder / "library.so"


class _Tick:
    """What ``ctx.tick()`` returns; awaited, it yields itself to :meth:`Compiled.run`."""

    def __init__(self, engine, values=(), count=1):
        self.engine, self.values, self.count = engine, values, count

    def sample(self, *values):
        return _Tick(self.engine, values, self.count)

    def repeat(self, count):
        return _Tick(self.engine, self.values, count)

    def __await__(self):
        for _ in range(self.count):
            yield self
        return (1, 0, *self.seen)


class Compiled:
    """A compiled component with ``ports``; give it to benches as their simulator."""

    def __init__(self, library, ports, folder):
        self.library = ctypes.CDLL(str(library))
        self.library.look.restype = ctypes.c_uint64
        self.library.put.argtypes = [ctypes.c_int, ctypes.c_uint64]
        self.mutant, self.folder = 0, folder
        self.signals = [signal for _, signal in ports]
        self.port = {id(signal): k for k, (_, signal) in enumerate(ports)}

    def begin(self):
        """Start afresh; a register that has a fault lost its value at power-up, so reset."""
        self.library.begin(self.mutant)
        self.library.reset(1)
        for signal in self.signals:
            self.set(signal, signal.init)
        for _ in range(4):
            self.library.edge()
        self.library.reset(0)

    def set(self, signal, value):
        signal = Value.cast(signal)
        self.library.put(self.port[id(signal)], int(value) & ((1 << len(signal)) - 1))

    def get(self, value):
        value = Value.cast(value)
        port = self.port.get(id(value))
        if port is not None:
            return self.library.look(port)
        operands = [self.get(operand) for operand in value.operands]
        assert value.operator == "&", value
        return operands[0] & operands[1]

    def tick(self):
        return _Tick(self)

    def run(self, *benches, timeout):
        """Run coroutines of benches to their ends, at most ``timeout`` cycles."""
        with chdir(self.folder):  # in which memories look for their contents
            self.begin()
        running, waiting = [bench(self) for bench in benches], {}
        for _ in range(timeout):
            for bench in list(running):
                try:
                    waiting[bench] = bench.send(None)
                except StopIteration:
                    running.remove(bench)
            if not running:
                return
            for bench in running:
                tick = waiting[bench]
                tick.seen = tuple(self.get(value) for value in tick.values)
            self.library.edge()
        raise TimeoutError(f"still running after {timeout} cycles")
