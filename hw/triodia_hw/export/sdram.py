"""The Verilog model of the SDRAM that a machine with external synapses needs."""

import string
from importlib.resources import files

from ..compile.contents import contents
from ..compile.sdram import PAGE, SLOW_NS, WORD_BITS
from ..machine.image import Image
from ..machine.params import MachineParams
from ..machine.words import row_depth
from .memories import hex_lines

__all__ = ["sdram_hex", "sdram_instance", "sdram_model"]

_LINES = ("cke", "ras_n", "cas_n", "we_n", "ba", "a", "dqm", "dq_oe")
_TESTED_PAGES = 16  # that the start's test pattern writes to


class _Template(string.Template):
    delimiter = "%%"


def sdram_model(words: int, period_ps: int) -> str:
    """Verilog of the model, for a clock of ``period_ps``, with room for ``words`` from address 0.

    It ends the simulation when a command violates the chip's timing.
    """
    pages = -(-words // PAGE) + _TESTED_PAGES
    times = {name: 1000 * ns for name, ns in SLOW_NS.items()}
    text = (files(__package__) / "templates" / "sdram_model.v.tmpl").read_text()
    return _Template(text).substitute(pages=pages, period_ps=period_ps, **times)


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
