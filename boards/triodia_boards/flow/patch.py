"""Memory contents of a routed design: found by placeholder, exchanged, and read back.

A column of 256 words of a memory is a slice of 256 bits at a regular stride in some block RAM,
which random placeholder contents make unique. Where slices can lie is the family's
(:class:`Format`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import ToolError

__all__ = ["SLICE", "Format", "Memory", "PatchError", "patch", "read_back"]

SLICE = 256

# (name, width, placeholder words, words to put there)
Memory = tuple[str, int, list[int], list[int]]


class PatchError(ToolError):
    """The routed design does not hold the placeholders it was built with."""


@dataclass(frozen=True)
class Format:
    """How a textual configuration shows the contents of block RAMs.

    Parameters
    ----------
    section : a block's heading, its name and its values, as three groups.
    bits : the values as an array of bits (uint8).
    text : the values of an array of bits; the second argument is what they replace.
    places : where a slice can lie among these bits, ``(places, SLICE)``.
    """

    section: re.Pattern
    bits: Callable[[str], np.ndarray]
    text: Callable[[np.ndarray, str], str]
    places: np.ndarray


def _columns(words: list[int], width: int) -> np.ndarray:
    """``(slices, 512)`` bits: of each 512 words in turn, each bit of the word."""
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
    """Blocks of the design, and where each placeholder slice is: key to (block, bit places)."""
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
    """Configuration with the placeholders of ``memories`` replaced; and how many slices.

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
