"""Memory contents of a routed ECP5 design: found by placeholder, exchanged, and read back.

The textual configuration has one ``.bram_init`` section a block RAM: 2048 words of 9 bits. A block
of width ``w`` (1, 2, 4, 9, 18, 36) keeps logical bit ``b`` of word ``a`` at position ``a * w + b``
of its bits, where the widths 1, 2 and 4 use 8 bits of each 9. So each column of 512 words of a
memory is a slice of 512 bits at a regular stride, which random placeholder contents make unique.
The layout is that of Project Trellis' ecpbram.
"""

import re

import numpy as np

__all__ = ["Memory", "PatchError", "patch", "read_back"]

_SLICE = 512
_SECTION = re.compile(r"(\.bram_init (\d+)\n)((?:[0-9a-f ]+\n)+)")

# (name, width, placeholder words, words to put there)
Memory = tuple[str, int, list[int], list[int]]


class PatchError(RuntimeError):
    """The routed design does not hold the placeholders it was built with."""


def _columns(words: list[int], width: int) -> np.ndarray:
    """``(slices, 512)`` bits: of each 512 words in turn, each bit of the word."""
    data = np.array([list(word.to_bytes(-(-width // 8), "little")) for word in words], np.uint8)
    bits = np.unpackbits(data, axis=1, bitorder="little")[:, :width]
    return bits.reshape(-1, _SLICE, width).transpose(0, 2, 1).reshape(-1, _SLICE)


def _words(columns: np.ndarray, width: int) -> list[int]:
    bits = columns.reshape(-1, width, _SLICE).transpose(0, 2, 1).reshape(-1, width)
    data = np.packbits(bits, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in data]


def _views(block: np.ndarray) -> list[np.ndarray]:
    """All slices a block can hold, in every width: views of ``(2048, 9)`` bits, each (512,)."""
    views = []
    for width in (1, 2, 4, 9, 18, 36):
        bits = 9 if width > 4 else 8
        # Cutting off the ninth bits copies, so index the block's own flat bits instead.
        place = np.arange(2048 * bits)
        place = (place // bits) * 9 + place % bits
        places = place.reshape(-1, _SLICE, width).transpose(0, 2, 1).reshape(-1, _SLICE)
        views.extend(places)
    return views


_PLACES = np.array(_views(np.empty((2048, 9), np.uint8)))


def _parse(config: str) -> dict[str, np.ndarray]:
    blocks = {}
    for section in _SECTION.finditer(config):
        values = np.array([int(v, 16) for v in section[3].split()], np.uint16)
        blocks[section[2]] = ((values[:, None] >> np.arange(9)) & 1).astype(np.uint8).ravel()
    return blocks


def _locate(config: str, memories: list[Memory]) -> tuple[dict, dict]:
    """Blocks of the design, and where each placeholder slice is: key to (block, bit places)."""
    blocks, found = _parse(config), {}
    wanted = {}
    for index, (_, width, marks, _) in enumerate(memories):
        for number, column in enumerate(_columns(marks, width)):
            if wanted.setdefault(column.tobytes(), (index, number)) != (index, number):
                raise PatchError("two placeholder slices are alike; change the placeholder seed")
    for name, bits in blocks.items():
        for places in _PLACES:
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


def patch(config: str, memories: list[Memory]) -> tuple[str, int]:
    """Configuration with the placeholders of ``memories`` replaced; and how many slices.

    Raises
    ------
    PatchError
        Unless every 512-bit slice of every placeholder is found exactly once.
    """
    blocks, found = _locate(config, memories)
    for index, (_, width, _, words) in enumerate(memories):
        for number, column in enumerate(_columns(words, width)):
            name, places = found[index, number]
            blocks[name][places] = column

    def replaced(section: re.Match) -> str:
        values = blocks[section[2]].reshape(2048, 9) @ (1 << np.arange(9))
        rows = values.reshape(-1, len(section[3].split("\n", 1)[0].split()))
        lines = (" ".join(f"{v:03x}" for v in row) for row in rows.tolist())
        return section[1] + "\n".join(lines) + "\n"

    return _SECTION.sub(replaced, config), len(found)


def read_back(routed: str, patched: str, memories: list[Memory]) -> list[list[int]]:
    """Words of each of ``memories`` in ``patched``, a configuration made from ``routed``.

    Raises
    ------
    PatchError
        If a placeholder is not in ``routed``, or its block not in ``patched``.
    """
    _, found = _locate(routed, memories)
    blocks = _parse(patched)
    lost = sorted({name for name, _ in found.values()} - set(blocks), key=int)
    if lost:
        raise PatchError(f"block RAM {lost[0]} is not in the patched design; build it again")
    result = []
    for index, (_, width, marks, _) in enumerate(memories):
        slices = len(marks) // _SLICE * width
        columns = [blocks[found[index, k][0]][found[index, k][1]] for k in range(slices)]
        result.append(_words(np.array(columns), width))
    return result
