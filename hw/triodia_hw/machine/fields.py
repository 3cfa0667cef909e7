"""Words as lists of fields, lowest bits first."""

from collections.abc import Mapping

__all__ = ["Fields", "pack", "present", "unpack", "width_of"]

# (name, width, signed); a field of width 0 is not there
Fields = list[tuple[str, int, bool]]


def present(fields: Fields) -> Fields:
    """The fields of a width above 0."""
    return [field for field in fields if field[1]]


def width_of(fields: Fields) -> int:
    """Total bits of a word."""
    return sum(width for _, width, _ in fields)


def pack(fields: Fields, values: Mapping[str, int]) -> int:
    """Pack ``values`` into a word; a value out of range raises ``OverflowError``."""
    word = offset = 0
    for name, width, signed in fields:
        value = int(values[name])
        low = -(1 << (width - 1)) if signed else 0
        if not low <= value < low + (1 << width):
            raise OverflowError(f"{name} = {value} does not fit in {width} bits")
        word |= (value & ((1 << width) - 1)) << offset
        offset += width
    return word


def unpack(fields: Fields, word: int) -> dict[str, int]:
    """Fields of a ``word``; the inverse of :func:`pack`."""
    values = {}
    for name, width, signed in fields:
        value = word & ((1 << width) - 1)
        word >>= width
        values[name] = value - (1 << width) if signed and value >> (width - 1) else value
    return values
