"""Positions of block RAM contents in each family's textual configuration."""

import re

import numpy as np

from .patch import SLICE, Format

__all__ = ["FORMATS"]


def _ecp5_bits(values: str) -> np.ndarray:
    numbers = np.array([int(v, 16) for v in values.split()], np.uint16)
    return ((numbers[:, None] >> np.arange(9)) & 1).astype(np.uint8).ravel()


def _ecp5_text(bits: np.ndarray, old: str) -> str:
    numbers = bits.reshape(2048, 9) @ (1 << np.arange(9))
    rows = numbers.reshape(-1, len(old.split("\n", 1)[0].split()))
    return "".join(" ".join(f"{v:03x}" for v in row) + "\n" for row in rows.tolist())


def _ecp5_places() -> np.ndarray:
    """Slices in every width: word ``a`` has its bit ``b`` at ``a * width + b``.

    Widths of 1, 2 and 4 use 8 bits of each 9.
    """
    places = []
    for width in (1, 2, 4, 9, 18, 36):
        bits = 9 if width > 4 else 8
        place = np.arange(2048 * bits)
        place = (place // bits) * 9 + place % bits
        places.append(place.reshape(-1, SLICE, width).transpose(0, 2, 1).reshape(-1, SLICE))
    return np.concatenate(places)


def _ice40_bits(values: str) -> np.ndarray:
    lines = [int(line, 16).to_bytes(32, "little") for line in values.split()]
    return np.unpackbits(np.frombuffer(b"".join(lines), np.uint8), bitorder="little")


def _ice40_text(bits: np.ndarray, old: str) -> str:
    data = np.packbits(bits, bitorder="little").tobytes()
    lines = (data[k : k + 32] for k in range(0, len(data), 32))
    return "".join(f"{int.from_bytes(line, 'little'):064x}\n" for line in lines)


def _ice40_places() -> np.ndarray:
    """Slices in every width: word ``a`` has its bit ``b`` at ``a * width + b``.

    Each row of the block has 16 of these bits, which Yosys stores in bit-reversed order.
    """
    places = []
    for width in (2, 4, 8, 16):
        place = np.arange(16 * SLICE).reshape(-1, SLICE, width)
        places.append(place.transpose(0, 2, 1).reshape(-1, SLICE))
    place = np.concatenate(places)
    column = sum(((place >> k) & 1) << (3 - k) for k in range(4))
    return (place & ~15) | column


FORMATS = {
    # 2048 words of 9 bits a block, as Project Trellis' ecpbram reads them.
    "ecp5": Format(
        re.compile(r"(\.bram_init (\d+)\n)((?:[0-9a-f ]+\n)+)"),
        _ecp5_bits,
        _ecp5_text,
        _ecp5_places(),
    ),
    # 256 rows of 16 bits a block.
    "ice40": Format(
        re.compile(r"(\.ram_data (\d+ \d+)\n)((?:[0-9a-f]{64}\n){16})"),
        _ice40_bits,
        _ice40_text,
        _ice40_places(),
    ),
}
