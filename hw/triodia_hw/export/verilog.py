"""The machine as Verilog that one can read, simulate anywhere, and put into a design."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..compile.contents import contents, memory_shapes
from ..compile.dense import Dense
from ..compile.options import DEFAULT
from ..compile.storage import columns
from ..errors import TriodiaError
from ..files import write_atomic
from ..gateware.axi_lite import AxiLiteTop
from ..gateware.dense.core import DENSE, DenseTop
from ..gateware.top import Top
from ..gateware.wishbone import WishboneTop
from ..gateware.wrappers import AxiStreamTop
from ..machine.image import Image
from .memories import contents_sum, hex_lines, memory_modules
from .modules import KEYWORDS, VerilogModule, VerilogUnits
from .parameters import USUAL, TopParameters
from .rtlil import TOP, memory_name, triodia_version
from .sdram import sdram_hex

__all__ = ["INTERFACES", "check_name", "export_dense", "export_verilog"]

# top levels by the ports they have
INTERFACES = {
    "": Top,
    "axi-stream": AxiStreamTop,
    "axi-lite": AxiLiteTop,
    "wishbone": WishboneTop,
}

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]{0,38}[A-Za-z0-9])?")
_INSTANCE = "core"  # of the machine in the top module; paths of its memories begin with it
# Unit that holds each content memory within a lane.
_HOLDER = {"pointers": "fetcher", "synapses": "walker", "neurons": "sweep"}
_CONTENT_FILE = rf"(_lane_\d+_({'|'.join(_HOLDER)})_\d+|_sdram)\.hex"

_WAIVERS = """\
// Warnings of Verilator that are waived:
//   DECLFILENAME: all modules share this file.
//   WIDTHEXPAND, WIDTHTRUNC: sums grow and are cut as Verilog defines it; co-simulation compares
//     every word with the reference.
//   UNUSEDSIGNAL: fields of a word that a unit does not need.
//   CASEINCOMPLETE: signals have their default before the case.
//   INITIALDLY: at_start changes once all blocks wait for it, so that each of them runs.
//   PROCASSINIT: registers have a value at power-up, and a reset besides.
/* verilator lint_off DECLFILENAME */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off CASEINCOMPLETE */
/* verilator lint_off INITIALDLY */
/* verilator lint_off PROCASSINIT */
"""

_FOLDER = """\
// Where simulators and synthesis look for the .hex files, with a "/" at its end; by default in the
// folder in which they run.
`ifndef TRIODIA_HEX_FOLDER
`define TRIODIA_HEX_FOLDER "./"
`endif
"""

Columns = list[tuple[str, str, int, list[int]]]  # file, path within the top module, width, words


def check_name(name: str) -> str:
    """``name``, if Verilog takes it as the name of a module and a system as that of a file."""
    if not _NAME.fullmatch(name):
        raise TriodiaError(
            "The name of a Verilog module must be at most 40 letters, digits and underscores, "
            f"begin with a letter and not end in an underscore, got {name!r}."
        )
    if name in KEYWORDS:
        raise TriodiaError(f"{name!r} is a word of Verilog itself; give the module another name.")
    if name == _INSTANCE:
        raise TriodiaError(
            f"{name!r} is the name of an instance within; give the module another name."
        )
    return name


def export_verilog(
    image: Image,
    folder: str | Path,
    interface: str = "",
    *,
    name: str = TOP,
    inline: bool = False,
    parameters: TopParameters = USUAL,
) -> list[Path]:
    """Write ``NAME.v``, and one ``.hex`` file for each content memory, to ``folder``.

    With synapses in an SDRAM, ``NAME_sdram.hex`` holds them, for a model of the memory.

    A simulation stops at its first clock edge if a memory does not hold this network: if a file is
    not found, was edited, or belongs to another image. Simulators look for the files in the folder
    in which they run; with ``inline`` the contents are in the Verilog instead.

    Returns the files written, the Verilog first; the same image gives the same bytes. Files are
    replaced whole; ``.hex`` files of an earlier machine of that name are removed.

    Parameters
    ----------
    interface : one of :data:`INTERFACES`. name : of the top module; prefix of modules and files.
    parameters : its reset, where the interface is plain streams, and memory style.

    Raises
    ------
    TriodiaError
        If ``name`` cannot be a module's, or ``interface`` has no ports for an SDRAM.
    """
    if image.params.external and interface:
        raise TriodiaError(
            f"`--interface {interface}` has no ports for the SDRAM of this network; leave it out."
        )
    folder, units = Path(folder), VerilogUnits(check_name(name), DEFAULT)
    how = {} if interface else _reset(parameters)
    top = INTERFACES[interface](image.params, contents=contents(image), units=units, **how)
    held = list(_columns(image, name))
    modules = units.convert(top)
    what, style = "sparse event-driven LIF accelerator", parameters.memory_style
    text = _text(modules, held, image, what, inline, style)
    files = {f"{name}.v": text}
    if image.params.external:
        files[f"{name}_sdram.hex"] = sdram_hex(image)
    if not inline:
        files |= {file: hex_lines(words, width) for file, _, width, words in held}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        write_atomic(folder / file, content.encode())
    for path in folder.iterdir():
        if re.fullmatch(re.escape(name) + _CONTENT_FILE, path.name) and path.name not in files:
            path.unlink()
    return [folder / file for file in files]


def _reset(parameters: TopParameters) -> dict[str, bool]:
    low, late = parameters.reset_polarity == "low", parameters.reset_kind == "async"
    return {"reset_low": low, "reset_async": late}


def export_dense(dense: Dense, folder: str | Path) -> Path:
    """Write the dense machine as ``triodia.v``, contents and all; ports as those of the other."""
    units, words = VerilogUnits(TOP, DENSE), dense.contents()
    top = DenseTop(dense.image.params, contents=words, units=units)
    modules = units.convert(top)
    held = [
        (f"{TOP}_{memory_name(lane, memory, index)}.hex", "", width, part)
        for lane, memories in enumerate(words)
        for memory, width_of_word in dense.widths().items()
        for index, (width, part) in enumerate(_cut(memories[memory], width_of_word))
    ]
    text = _text(modules, held, dense.image, "dense time-stepped baseline", True)
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_atomic(Path(folder) / f"{TOP}.v", text.encode())
    return Path(folder) / f"{TOP}.v"


def _columns(image: Image, name: str) -> Iterator[tuple[str, str, int, list[int]]]:
    for lane, words in enumerate(contents(image)):
        for shape in memory_shapes(image.params):
            for index, (width, part) in enumerate(shape.cut(words)):
                file = f"{name}_{memory_name(lane, shape.name, index)}.hex"
                path = f"{_INSTANCE}.lane_{lane}.{_HOLDER[shape.name]}.{shape.name}.mem_{index}"
                yield file, path, width, part


def _cut(words: Sequence[int], width: int) -> Iterator[tuple[int, list[int]]]:
    offset = 0
    for part in columns(width, len(words), DENSE.blocks):
        yield part, [(word >> offset) & ((1 << part) - 1) for word in words]
        offset += part


def _text(
    modules: list[VerilogModule],
    held: Columns,
    image: Image,
    what: str,
    inline: bool,
    style: str = "block",
) -> str:
    """The whole file: header, table of contents, then a module after the other."""
    top, *rest = modules
    digest = image.digest()
    clock = "aclk" if re.search(r"\binput aclk;", top.text) else "clk"
    texts = [
        _commented(top.purpose) + top.text.removesuffix("endmodule") + _check(held, digest, clock)
    ]
    texts += [_commented(module.purpose) + module.text for module in rest]
    files = {file: (width, words) for file, _, width, words in held}
    texts += memory_modules(top.name, files if inline else None, style)
    list_of_modules = [*(m.name for m in modules), f"{top.name}_ram", f"{top.name}_queue_ram"]
    contents_at = "in this file" if inline else "in the .hex files"
    head = [
        f"// Triodia {triodia_version()}: {what}.",
        f"// Image {digest}",
        f"// Parameters {json.dumps(image.params.record())}",
        f"// Memory contents are {contents_at}. README.md explains ports, reset and clock.",
        "//",
        "// Modules, in order:",
        *textwrap.wrap(
            ", ".join(list_of_modules), 96, initial_indent="//   ", subsequent_indent="//   "
        ),
    ]
    return "\n".join([*head, "", _WAIVERS, "`timescale 1ns/1ps\n", _FOLDER, "\n\n".join(texts)])


def _commented(purpose: str) -> str:
    return "".join(f"// {line}".rstrip() + "\n" for line in purpose.splitlines())


def _check(held: Columns, digest: str, clock: str) -> str:
    """The end of the top module: in simulation, it stops unless the memories hold this network."""
    checks = [
        f"    if ({path}.contents_sum(1'b0) !== 64'h{contents_sum(words):016x})\n"
        f'      $fatal(1, "{file} is missing, or is not of image {digest[:16]}");'
        for file, path, _, words in held
        if path
    ]
    if not checks:
        return "endmodule"
    lines = [
        "`ifndef SYNTHESIS",
        "  // Simulation only: stop at the first edge unless every memory holds this network.",
        "  reg contents_checked;",
        "  initial contents_checked = 0;",
        f"  always @(posedge {clock}) if (!contents_checked) begin",
        "    contents_checked <= 1;",
        *checks,
        "  end",
        "`endif",
        "endmodule",
    ]
    return "\n".join(lines)
