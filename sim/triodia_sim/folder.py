"""Folders that `triodia verilog` wrote, as input of a co-simulation."""

import json
import re
import shutil
from pathlib import Path

from triodia_hw.errors import TriodiaError
from triodia_hw.export.rtlil import TOP

__all__ = ["check_exported", "copy_verilog", "machine_name", "starts_late"]

_HEADER = re.compile(r"// Triodia .*\n// Image (\w{64})\n")


def _digests(folder: Path) -> dict[str, str]:
    """Digest of the network of each exported machine in ``folder``, by the machine's name."""
    found = {}
    for file in sorted(folder.glob("*.v")):
        with file.open(errors="replace") as lines:
            header = _HEADER.match(lines.read(500))
        if header:
            found[file.stem] = header[1]
    return found


def machine_name(folder: Path, digest: str = "") -> str:
    """Name of the machine whose Verilog is in ``folder``; of several, the one of ``digest``.

    Verilog without the header of an export, such as a netlist, must be called ``triodia.v``.
    """
    digests = _digests(folder)
    of_network = [name for name in digests if digests[name] == digest]
    return next(iter([*of_network, *digests]), TOP)


def check_exported(folder: Path, digest: str) -> None:
    """Check that ``folder`` has a machine of the network ``digest`` with plain streams.

    Raises
    ------
    TriodiaError
        If the folder has no exported Verilog, that of other networks only, or a bus interface.
    """
    digests = _digests(folder) if folder.is_dir() else {}
    if not digests:
        raise TriodiaError(f"{folder} has no Verilog that `triodia verilog` wrote.")
    if digest not in digests.values():
        raise TriodiaError(
            f"{folder} has the network {', '.join(d[:16] for d in digests.values())}, but the "
            f"image is {digest[:16]}. Export it again, or use the image it was made from."
        )
    name = machine_name(folder, digest)
    if not re.search(rf"^module {name}\([^)]*\bi_kind\b", _text(folder / f"{name}.v"), re.M):
        raise TriodiaError(
            f"{folder / name}.v has a bus interface; `cosim` needs plain streams. Leave out "
            "`--interface` when you export it."
        )


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def copy_verilog(source: Path, folder: Path) -> None:
    """Copy the Verilog and memory contents in ``source`` to ``folder``, as they are."""
    for file in source.iterdir():
        if file.suffix in (".v", ".hex") and file.parent.resolve() != folder.resolve():
            shutil.copy(file, folder)


def starts_late(folder: Path, name: str) -> bool:
    """Whether the machine ``name`` in an exported ``folder`` has an asynchronous reset.

    It is released by the clock, so that the machine starts some cycles later than others.

    Raises
    ------
    TriodiaError
        If the folder's facts are damaged.
    """
    facts = folder / f"{name}.json"
    try:
        return facts.exists() and not json.loads(facts.read_bytes())["reset"]["synchronous"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TriodiaError(f"{facts} is damaged: its reset cannot be read; export again.") from None
