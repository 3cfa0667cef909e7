"""Input words that load a network into a running machine."""

import struct

from ..errors import ContractError
from ..machine.image import Image
from ..machine.words import INPUT_KINDS, MEMORY_NUMBERS
from .contents import MemoryShape, contents, memory_shapes, read_words
from .sdram import UNIT

__all__ = ["block_header", "block_unit", "load_bytes", "load_words"]

_MOST = 1 << 15  # words of a block; its header counts them in 16 bits
_REACH = 1 << 16  # words that a header can address


def load_bytes(image: Image) -> bytes:
    """Load blocks for all content memories of ``image``, PE by PE.

    A block: lane, memory, address (2 bytes), words (2 bytes), then the words; all lowest byte
    first, each word in as many bytes as its memory's width takes. Addresses in an SDRAM count
    units of 256 words. The machine must have the
    parameters of ``image``; :func:`.retarget.fit_capacity` gives an image others.

    Raises
    ------
    ContractError
        If a memory has more words than a block can address.
    """
    p = image.params
    used = {"pointers": p.pointer_words, "neurons": p.slots + len(read_words(p))}
    shapes = [shape for shape in memory_shapes(p) if shape.content]
    blocks = []
    for lane, words in enumerate(contents(image)):
        synapses = int(image.words_per_lane()[lane])
        for shape in shapes:
            count = (used | {"synapses": synapses})[shape.name]
            blocks += _blocks(lane, shape, words[shape.name][:count])
    return b"".join(blocks)


def _blocks(lane: int, shape: MemoryShape, words: list[int]) -> list[bytes]:
    if len(words) > _REACH * block_unit(shape):
        raise ContractError(
            f"{shape.name} of a PE must be at most {_REACH} words to be loaded, not {len(words)}"
        )
    blocks = []
    for first in range(0, len(words), _MOST):
        some = words[first : first + _MOST]
        blocks.append(block_header(lane, shape, first, len(some)))
        blocks += [word.to_bytes(-(-shape.width // 8), "little") for word in some]
    return blocks


def block_unit(shape: MemoryShape) -> int:
    """Words that the address of a block counts."""
    return UNIT if shape.outside else 1


def block_header(lane: int, shape: MemoryShape, first: int, count: int) -> bytes:
    """Header of a block of ``count`` words; ``first`` is a multiple of :func:`block_unit`."""
    address = first // block_unit(shape)
    return struct.pack("<BBHH", lane, MEMORY_NUMBERS[shape.name], address, count)


def load_words(image: Image) -> list[dict[str, int]]:
    """Input words that load ``image``, fields by name: one byte each, the last marked.

    Send them between steps. After them the machine is as after reset.
    """
    data = load_bytes(image)
    return [
        {"kind": INPUT_KINDS["load"], "last": int(k == len(data) - 1), "source": byte, "payload": 0}
        for k, byte in enumerate(data)
    ]
