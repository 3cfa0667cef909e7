"""A folder with the Verilog of a machine, its testbench, its documentation, and scripts."""

import json
import string
from importlib.resources import files
from pathlib import Path

from ..compile.loading import load_bytes
from ..errors import ContractError
from ..files import write_atomic
from ..machine.image import Image
from ..machine.reference import Event
from .facts import facts
from .memories import hex_lines
from .pages import coding_values, header_values, load_values, names, readme_values, sizes
from .parameters import USUAL, TopParameters
from .rtlil import TOP
from .sdram import memory_values, with_sdram
from .vectors import Recording, random_sequences, record
from .verilog import export_verilog

__all__ = ["export_folder"]

# Files beside the Verilog, by template; NAME stands for the machine's.
_FILES = {
    "NAME_tb.v": "tb.v",
    "test_NAME.py": "test_stream.py",
    "Makefile": "Makefile",
    "README.md": "README.md",
    "NAME.h": "header.h",
    "NAME.lpf": "constraints.lpf",
    "NAME.pcf": "constraints.pcf",
    "NAME.cst": "constraints.cst",
    "NAME.xdc": "constraints.xdc",
    "NAME.core": "fusesoc.core",
    "synth.ys": "synth.ys",
    "synth_ice40.ys": "synth_ice40.ys",
}
# The same, of interfaces with registers.
_DRIVERS = {"NAME_driver.h": "driver.h", "NAME_driver.py": "driver.py"}
# The same, of networks that can be loaded; beside them the bytes themselves.
_LOADING = {"NAME_load.h": "load.h"}
_TEMPLATES = files(__package__) / "templates"


class _Template(string.Template):
    """Text with values at ``%%{name}``, a mark that no language of the files uses."""

    delimiter = "%%"


def export_folder(
    image: Image,
    folder: str | Path,
    interface: str = "",
    *,
    name: str = TOP,
    inline: bool = False,
    parameters: TopParameters = USUAL,
    sequences: list[list[list[Event]]] | None = None,
) -> list[Path]:
    """Write what :func:`.verilog.export_verilog` writes, and a testbench, docs and scripts.

    ``sequences`` are the input events that the testbenches replay; default: random ones.

    Returns the files written, the Verilog first; the same image gives the same bytes.

    Raises
    ------
    TriodiaError
        If ``name`` cannot be a module's.
    """
    how = {"name": name, "inline": inline, "parameters": parameters}
    machine = export_verilog(image, folder, interface, **how)
    recording = record(image, random_sequences(image) if sequences is None else sequences)
    known = facts(image, name, interface, machine[0].read_text(), parameters)
    texts = {f"{name}.json": json.dumps(known, indent=1) + "\n"} | {
        f"{name}_tb_{way}.hex": hex_lines(words, known[stream]["bits"])
        for way, stream, words in (
            ("in", "input", recording.inputs),
            ("out", "output", recording.outputs),
        )
    }
    load = _load_bytes(image)
    values = _values(image, known, recording, [path.name for path in machine[1:]])
    values |= load_values(name, load)
    values["load_text"] = render("load.md", values) if load else ""
    templates = _FILES | (_DRIVERS if known["registers"] else {}) | (_LOADING if load else {})
    for file, template in templates.items():
        if file.startswith("test_") and known["registers"]:
            template = "test_registers.py"
        texts[file.replace("NAME", name)] = render(template, values)
    if image.params.external:
        texts[f"{name}_with_sdram.v"] = with_sdram(image.params, known)
    contents = {file: text.encode() for file, text in texts.items()}
    contents |= {f"{name}_load.bin": load} if load else {}
    late = {f"{name}_load.h", f"{name}_load.bin", f"{name}_with_sdram.v"}
    for file in late - contents.keys():
        (Path(folder) / file).unlink(missing_ok=True)  # of an earlier network
    for file, content in contents.items():
        write_atomic(Path(folder) / file, content)
    return [*machine, *(Path(folder) / file for file in contents)]


def _load_bytes(image: Image) -> bytes | None:
    """Bytes that load the image; None if a memory has more words than they can address."""
    try:
        return load_bytes(image)
    except ContractError:
        return None


def render(template: str, values: dict[str, object]) -> str:
    """Text of a template of this package with ``values`` filled in; every one must be there."""
    text = (_TEMPLATES / f"{template}.tmpl").read_text()
    return _Template(text).substitute(values)


def _values(
    image: Image, known: dict, recording: Recording, hex_files: list[str]
) -> dict[str, object]:
    """Values of all templates."""
    kind = {"streams": "plain"}.get(known["interface"], known["interface"])
    values = {
        **names(known),
        **sizes(image, known, recording),
        **readme_values(image, known, hex_files),
        **header_values(image, known),
        **memory_values(image.params, known["name"]),
        "hex_files": "\n".join(
            f"      - {file}: {{file_type: user, copyto: {file}}}" for file in hex_files
        ),
    }
    values["runner"] = render("runner.py", values)
    values["drive"] = render(f"connect_{kind}.py", values)
    if known["registers"]:
        values["registers_state"] = render("tb_registers_state.v", values)
        values["registers_main"] = render("tb_registers_main.v", values)
    values["connection"] = render(f"tb_{kind}.v", values)
    values["protocol"] = render(f"protocol_{kind}.md", values).rstrip()
    header = values | coding_values(known) if known["coding"] else None
    values["c_coding"] = render("coding.h", header) if header else ""
    values["timing"] = render(f"timing_{kind}.txt", values).rstrip()
    return values
