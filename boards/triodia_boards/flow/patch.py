"""Find memory contents in a routed design by their placeholders, exchange and read them back.

One bit of 256 consecutive words is a slice of 256 bits at a regular stride in some block RAM.
Random placeholder contents make each slice unique. A family's :class:`Format` says where slices
can lie.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import ToolError

__all__ = ["SLICE", "Format", "Memory", "PatchError", "patch", "read_back"]

SLICE = 256

# (name, width, placeholder words, words to insert)
Memory = tuple[str, int, list[int], list[int]]


class PatchError(ToolError):
    """The routed design does not hold the placeholders it was built with."""


@dataclass(frozen=True)
class Format:
    """Encoding of block RAM contents in a textual configuration.

    Parameters
    ----------
    section : regular expression of a block with three groups: heading, name, values.
    bits : converts values to an array of bits (uint8).
    text : converts an array of bits to values; the second argument is the text they replace.
    places : positions at which a slice can lie among these bits, ``(places, SLICE)``.
    """

    section: re.Pattern
    bits: Callable[[str], np.ndarray]
    text: Callable[[np.ndarray, str], str]
    places: np.ndarray


def _columns(words: list[int], width: int) -> np.ndarray:
    """Slices of a memory, ``(slices, SLICE)`` bits: for each run of words, each bit in turn."""
    data = np.array([list(word.to_bytes(-(-width // 8), "little")) for word in words], np.uint8)
    bits = np.unpackbits(data, axis=1, bitorder="little")[:, :width]
    return bits.reshape(-1, SLICE, width).transpose(0, 2, 1).reshape(-1, SLICE)


def _words(columns: np.ndarray, width: int) -> list[int]:
    bits = columns.reshape(-1, width, SLICE).transpose(0, 2, 1).reshape(-1, width)
    data = np.packbits(bits, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in data]


def _parse(config: str, form: Format) -> dict[str, np.ndarray]:
    return {section[2]: form.bits(section[3]) for section in form.section.finditer(config)}


def _locate(config: str, memories: list[Memory], form: Format) -> tuple[dict, dict]:
    """Find the blocks of the design and, for each placeholder slice, its block and bits."""
    blocks, found = _parse(config, form), {}
    wanted = {}
    for index, (_, width, marks, _) in enumerate(memories):
        for number, column in enumerate(_columns(marks, width)):
            if wanted.setdefault(column.tobytes(), (index, number)) != (index, number):
                raise PatchError("two placeholder slices are alike; change the placeholder seed")
    for name, bits in blocks.items():
        for places in form.places:
            key = wanted.get(bits[places].tobytes())
            if key is not None:
                found.setdefault(key, []).append((name, places))
    for key in wanted.values():
        if len(found.get(key, ())) != 1:
            raise PatchError(
                f"memory {memories[key[0]][0]} is in {len(found.get(key, ()))} places of the "
                "routed design instead of one; build it again"
            )
    return blocks, {key: places[0] for key, places in found.items()}


def patch(config: str, memories: list[Memory], form: Format) -> tuple[str, int]:
    """Replace the placeholders of ``memories``; return the configuration and the slice count.

    Raises
    ------
    PatchError
        Unless every slice of every placeholder is found exactly once.
    """
    blocks, found = _locate(config, memories, form)
    for index, (_, width, _, words) in enumerate(memories):
        for number, column in enumerate(_columns(words, width)):
            name, places = found[index, number]
            blocks[name][places] = column

    def replaced(section: re.Match) -> str:
        return section[1] + form.text(blocks[section[2]], section[3])

    return form.section.sub(replaced, config), len(found)


def read_back(routed: str, patched: str, memories: list[Memory], form: Format) -> list[list[int]]:
    """Words of each of ``memories`` in ``patched``, a configuration made from ``routed``.

    Raises
    ------
    PatchError
        If a placeholder is not in ``routed``, or its block not in ``patched``.
    """
    _, found = _locate(routed, memories, form)
    blocks = _parse(patched, form)
    lost = sorted({name for name, _ in found.values()} - set(blocks))
    if lost:
        raise PatchError(f"block RAM {lost[0]} is not in the patched design; build it again")
    result = []
    for index, (_, width, marks, _) in enumerate(memories):
        slices = len(marks) // SLICE * width
        columns = [blocks[found[index, k][0]][found[index, k][1]] for k in range(slices)]
        result.append(_words(np.array(columns), width))
    return result
