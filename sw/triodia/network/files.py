"""Network files: safetensors with one JSON header, written whole or not at all."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from .head import Head
from .network import Network

__all__ = ["load_network", "save_network"]

_FORMAT, _SCHEMA = "triodia-network", 1
_NO_CHECK = "0" * 64  # what stands for the check sum while it is computed
_PLAIN = ("reset", "task", "input_clip", "provenance")  # all other values are arrays
_HEAD = tuple(f.name for f in fields(Head))
_NEWER = {
    "fires": "at",
    "input_tail": 0,
}  # what files without these values mean


def save_network(net: Network, path: str | Path) -> None:
    """Write ``net`` with a check sum of the whole file; equal networks give equal bytes."""
    values = _values(net)
    header = {name: values.get(name) for name in _PLAIN}
    newer = {name: values.get(name, old) for name, old in _NEWER.items()}
    header |= {name: value for name, value in newer.items() if value != _NEWER[name]}
    header |= {"format": _FORMAT, "schema": _SCHEMA, "check": _NO_CHECK}
    try:
        text = json.dumps(header, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise TriodiaError(f"provenance must be plain JSON values: {error}") from error
    # One key only: safetensors writes several in an order that differs from run to run.
    content = save(_arrays(values), metadata={"triodia": text})
    check = hashlib.sha256(content).hexdigest()
    write_atomic(path, content.replace(_NO_CHECK.encode(), check.encode(), 1))


def load_network(path: str | Path) -> Network:
    """Read a network that ``save_network`` wrote; files of before the check sum have none.

    Raises
    ------
    TriodiaError
        If the file is missing, damaged, of another kind, or from a newer version.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TriodiaError(f"{path} must be a network file that can be read: {error}") from error
    header = _header(path, content)
    if header.get("format") != _FORMAT:
        raise TriodiaError(f"{path} must be a {_FORMAT} file, not {header.get('format')!r}")
    if header.get("schema") != _SCHEMA:
        raise TriodiaError(
            f"{path} has schema {header.get('schema')!r} and this version reads {_SCHEMA};"
            " update triodia or write the file again"
        )
    try:
        _verify(header, content)
        arrays = load(content)
        newer = {name: header.get(name, old) for name, old in _NEWER.items()}
        return _network(arrays | {name: header[name] for name in _PLAIN} | newer)
    except (SafetensorError, KeyError, TypeError, ValueError, TriodiaError) as error:
        raise TriodiaError(f"{path} is damaged: {error}; write it again") from error


def _verify(header: dict, content: bytes) -> None:
    """Raise ValueError unless ``content`` is as it was written."""
    unknown = header.keys() - {"format", "schema", "check", *_PLAIN, *_NEWER}
    if unknown:  # a bit of "check" itself among them
        raise ValueError(f"{min(unknown)!r} in its header is not known")
    if "check" in header:
        blank = content.replace(str(header["check"]).encode(), _NO_CHECK.encode(), 1)
        if hashlib.sha256(blank).hexdigest() != header["check"]:
            raise ValueError("its contents do not match its check sum")


def _values(net: Network) -> dict[str, object]:
    """Fields of a network and of its head, side by side as the file has them."""
    values = {f.name: getattr(net, f.name) for f in fields(net) if f.name != "head"}
    return values | ({} if net.head is None else {name: getattr(net.head, name) for name in _HEAD})


def _network(values: dict[str, object]) -> Network:
    given = {name: values.pop(name) for name in _HEAD if name in values}
    if given["task"] is not None:
        return Network(**values, head=Head(**given))
    if given != {"task": None, "input_clip": None, "input_tail": 0}:
        raise TriodiaError("it has input or readout weights and no task")
    return Network(**values)


def _arrays(values: dict[str, object]) -> dict[str, np.ndarray]:
    named = {n: value for n, value in values.items() if n not in (*_PLAIN, *_NEWER)}
    return {name: np.ascontiguousarray(a) for name, a in named.items() if a is not None}


def _header(path: Path, content: bytes) -> dict:
    """The JSON header of a safetensors file, read by its published layout."""
    try:
        size = int.from_bytes(content[:8], "little")
        if len(content) < 8 or size > len(content) - 8:
            raise ValueError("it ends before its header does")
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
        header = json.loads(metadata.get("triodia", "{}"))
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise TriodiaError(f"{path} is damaged or not a network file: {error}") from error
    if not isinstance(header, dict):
        raise TriodiaError(f"{path} is damaged or not a network file: its header is not an object")
    return header
