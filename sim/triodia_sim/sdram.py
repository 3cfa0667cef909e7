"""The model of the SDRAM beside a machine whose synapses lie in one."""

import re

from triodia_hw.export.sdram import sdram_instance, sdram_model
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import row_depth

from .simulators import CosimError

__all__ = [
    "PATIENCE",
    "fault_in",
    "memory_beside",
    "memory_model",
    "memory_on_board",
    "memory_within",
]

PATIENCE = 30_000  # cycles that the memory takes to start at 100 MHz, at most
_TESTED = (1 << 23) - 1  # the first word that the test at the start writes to
_PERIOD_PS = 10_000
_TRAP = """
  always @(posedge clk) if (fault === 1) begin
    $display("SDRAM: test pattern violated");
    $fatal(1, "SDRAM test");
  end"""


def memory_model(p: MachineParams) -> str:
    """Verilog of the memory's model, for the words of the machine of ``p``.

    Raises
    ------
    CosimError
        If words lie where the test pattern of the start is written, which a load comes after.
    """
    words = row_depth(p.synapse_words)
    if words > _TESTED:
        raise CosimError(
            f"a co-simulation holds at most {_TESTED} synapse words in SDRAM, not {words}; "
            "prune further"
        )
    return sdram_model(words, _PERIOD_PS)


def memory_beside(p: MachineParams, top: str) -> str:
    """Declarations and the instance of the model, for a bench with nets like the ports."""
    wires = ["cke", "ras_n", "cas_n", "we_n", "dqm", "dq_oe"]
    nets = [f"wire {', '.join(f'sdram_{name}' for name in wires)}, fault;", "wire [1:0] sdram_ba;"]
    nets += ["wire [12:0] sdram_a;", "wire [15:0] sdram_dq_o, sdram_dq_i;"]
    return "\n".join([*nets, sdram_instance(p, top), _TRAP])


def memory_within(verilog: str, p: MachineParams, top: str) -> str:
    """``verilog`` with the model inside its module ``top``, which so has no input from it."""
    text = re.sub(rf"^(module {top}\b[^;]*?),? *\bsdram_dq_i\b", r"\1", verilog, flags=re.M)
    text = re.sub(r"^  input (\[15:0\] sdram_dq_i;)", r"  wire \1", text, flags=re.M)
    module = re.search(rf"^module {re.escape(top)}\b.*?(?=^endmodule\b)", text, re.M | re.S)
    model = f"  {sdram_instance(p, top)}\n{_TRAP}\n"
    return text[: module.end()] + model + text[module.end() :] + "\n" + memory_model(p)


def memory_on_board(p: MachineParams, pins: dict[str, str | int], *, fault: int = 0) -> str:
    """Verilog of a module ``board``: a virtual board's ``top`` beside an empty memory.

    ``pins`` are those of :func:`triodia_boards.virtual_source.top_source`. ``fault``: the memory
    answers wrongly, as the model's parameter says.
    """
    names = [str(pins[name]) for name in ("clock", "rx", "button") if name in pins]
    ports = [f"input {name}" for name in names] + [f"output {pins['tx']}"]
    lines = {"cke": 1, "ras": 1, "cas": 1, "we": 1, "ba": 2, "a": 13, "dqm": 2}
    lines |= {"dq": 16, "dq_o": 16, "dq_oe": 1}
    nets = [f"wire [{width - 1}:0] {name};" for name, width in lines.items()]
    joined = [f".sdram_0__{name}__io({name})" for name in lines]
    joined += [f".{name}({name})" for name in (*names, pins["tx"])]
    chip = [f".{name}_n({name})" for name in ("ras", "cas", "we")]
    chip += [f".{name}({name})" for name in ("cke", "ba", "a", "dq_oe")]
    chip += [f".clk({pins['clock']})", ".dqm(|dqm)", ".dq_i(dq_o)", ".dq_o(dq)"]
    return "\n".join([
        memory_model(p),
        f"module board({', '.join(ports)});",
        *nets,
        f"top top({', '.join(joined)});",
        f"sdram_model #(.FAULT({fault})) chip({', '.join(chip)});",
        "endmodule\n",
    ])


def fault_in(log: str) -> str:
    """Which rule of the memory ended a simulation, or nothing."""
    found = re.search(r"SDRAM: (.*) violated", log)
    return f"the SDRAM's {found[1]} was violated" if found else ""
