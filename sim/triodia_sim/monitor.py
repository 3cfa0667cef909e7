"""The Verilog that watches a machine's ports, put into a copy of the machine's own."""

import re
from pathlib import Path

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import COUNTERS, input_fields, output_fields, width_of

__all__ = ["MONITOR", "RULES", "instance", "watched"]

MONITOR = Path(__file__).with_name("monitor.v")

# By number in monitor.v: the word that differs, what was expected, what came.
RULES = {
    1: ("i_ready", "0 or 1", "undefined"),
    2: ("o_valid", "0 or 1", "undefined"),
    3: ("kind or last of an offered word", "0 or 1", "undefined"),
    4: ("o_valid", "an offer until it is taken", "none"),
    5: ("offered word", "the same until it is taken", "another"),
    6: ("o_valid", "nothing in reset", "an offer"),
    7: ("i_ready", "0 until the machine starts", "1"),
    8: ("i_ready", "1 when the machine starts", "0"),
    9: ("counters", "0 or 1 in each bit", "undefined"),
    10: ("counter cycles", "the cycles since the start", "another number"),
    11: ("counter output_stalls", "the stalls at the port, late by 3 cycles at most", "another"),
}


def watched(verilog: str, top: str, p: MachineParams, *, ours: bool = True) -> str:
    """``verilog`` with a monitor in its module ``top``; ``ours`` is false for another machine
    with the same ports, whose start and counters are not checked.

    Raises :class:`TriodiaError` if there is no such module.
    """
    module = re.search(rf"^module {re.escape(top)}\b.*?(?=^endmodule\b)", verilog, re.M | re.S)
    if not module:
        raise TriodiaError(f"The Verilog has no module {top}.")
    reset = "~rst_n" if re.search(r"\binput\s+rst_n\b", module[0]) else "rst"
    text = f"  {instance(p, ours=ours, reset=reset)}\n"
    return verilog[: module.end()] + text + verilog[module.end() :]


def instance(p: MachineParams, *, ours: bool = True, start: int = 0, reset: str = "rst") -> str:
    """An instance of the monitor, joined to nets that are called as a machine's ports.

    ``reset``: the reset, active high.
    """
    words = {
        way: "{" + ", ".join(f"{way}_{name}" for name, *_ in reversed(fields)) + "}"
        for way, fields in (("i", input_fields(p)), ("o", output_fields(p)))
    }
    ports = ["clk", "i_valid", "i_ready", "o_valid", "o_ready", *COUNTERS]
    joined = [f".{name}({name})" for name in ports] + [f".rst({reset})"]
    joined += [f".{way}_word({word})" for way, word in words.items()]
    values = {
        "I_WIDTH": width_of(input_fields(p)),
        "O_WIDTH": width_of(output_fields(p)),
        "LANES": p.lanes,
        "START": start,
        "OURS": int(ours),
    }
    given = ", ".join(f".{name}({value})" for name, value in values.items())
    return f"triodia_monitor #({given}) monitor ({', '.join(joined)});"
