"""The Verilog model of the SDRAM that a machine with external synapses needs."""

import string
from importlib.resources import files

from ..compile.contents import contents
from ..compile.sdram import PAGE, SLOW_NS, WORD_BITS
from ..machine.image import Image
from ..machine.params import MachineParams
from ..machine.words import row_depth
from .memories import hex_lines

__all__ = ["memory_values", "sdram_hex", "sdram_instance", "sdram_model", "with_sdram"]

_LINES = ("cke", "ras_n", "cas_n", "we_n", "ba", "a", "dqm", "dq_oe")
_PERIOD_PS = 10_000
_TESTED_PAGES = 16  # that the start's test pattern writes to


class _Template(string.Template):
    delimiter = "%%"


def sdram_model(words: int, period_ps: int) -> str:
    """Verilog of the model, for a clock of ``period_ps``, with room for ``words`` from address 0.

    It ends the simulation when a command violates the chip's timing.
    """
    pages = -(-words // PAGE) + _TESTED_PAGES
    times = {name: 1000 * ns for name, ns in SLOW_NS.items()}
    return _text("sdram_model.v", {"pages": pages, "period_ps": period_ps} | times)


def _text(template: str, values: dict) -> str:
    text = (files(__package__) / "templates" / f"{template}.tmpl").read_text()
    return _Template(text).substitute(values)


def sdram_hex(image: Image) -> str:
    """``$readmemh`` text of the words that lie in the SDRAM, from address 0."""
    return hex_lines(contents(image)[0]["synapses"], WORD_BITS)


def sdram_instance(p: MachineParams, name: str, clock: str = "clk") -> str:
    """An instance of the model, joined to nets called as the ports of the machine ``name``.

    It holds what :func:`sdram_hex` says, as if it had been loaded.
    """
    words = row_depth(p.synapse_words)
    joined = [f".{line}(sdram_{line})" for line in _LINES]
    joined += [f".clk({clock})", ".dq_i(sdram_dq_o)", ".dq_o(sdram_dq_i)"]
    file = f'.FILE("{name}_sdram.hex"), .FILE_WORDS({words})'
    return f"sdram_model #({file}) sdram_model ({', '.join(joined)});"


def with_sdram(p: MachineParams, known: dict) -> str:
    """Verilog of the model, and of a module ``NAME_with_sdram``: the machine and the model.

    ``known`` are the facts of the machine. The module has the machine's ports, but for the
    memory's. It ends the simulation if the test pattern fails.
    """
    name = known["name"]
    outer = [p for p in known["ports"] if not p["name"].startswith("sdram_")]
    ports = [f"{p['direction']} {_range(p)}{p['name']}" for p in outer if p["name"] != "fault"]
    lines = [f"wire {_range(p)}{p['name']};" for p in known["ports"] if p not in outer]
    joined = ", ".join(f".{p['name']}({p['name']})" for p in known["ports"])
    clock = known["clock"]
    body = [
        f"// The machine {name} and the model of its memory, for simulation.",
        f"module {name}_with_sdram (",
        "  " + ",\n  ".join(ports) + "\n);",
        *(f"  {line}" for line in [*lines, "wire fault;"]),
        f"  {name} machine ({joined});",
        f"  {sdram_instance(p, name, clock)}",
        f"  always @(posedge {clock})",
        '    if (fault === 1) $fatal(1, "the SDRAM answers wrongly when it is tested");',
        "endmodule",
    ]
    model = sdram_model(row_depth(p.synapse_words), _PERIOD_PS)
    return model + "\n" + "\n".join(body) + "\n"


def _range(port: dict) -> str:
    sign = "signed " if port["signed"] else ""
    return sign + (f"[{port['bits'] - 1}:0] " if port["bits"] > 1 else "")


def memory_values(p: MachineParams, name: str) -> dict[str, str]:
    """Values of the folder's templates that say what lies in an SDRAM; empty without one."""
    if not p.external:
        empty = ("memory_source", "memory_path", "memory_row", "memory_text")
        return dict.fromkeys(empty, "") | {"dut": name, "toplevel": "NAME"}
    return {
        "dut": f"{name}_with_sdram",
        "toplevel": 'f"{NAME}_with_sdram"',
        "memory_source": f" {name}_with_sdram.v",
        "memory_path": ', HERE / f"{NAME}_with_sdram.v"',
        "memory_row": f"| `{name}_with_sdram.v`, `{name}_sdram.hex` | model of the SDRAM, which"
        " checks its timing, beside the machine; its contents |\n",
        "memory_text": _text("sdram.md", {"name": name}),
    }
