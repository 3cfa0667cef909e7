"""Bit layouts of memory and stream words: one list of fields each, lowest bits first.

Software packs with :func:`pack`, the gateware builds its structs from the same lists.
"""

from collections.abc import Mapping

from .contract import MachineParams, bits_for

__all__ = [
    "INPUT_KINDS",
    "OUTPUT_KINDS",
    "Fields",
    "input_fields",
    "neuron_fields",
    "output_fields",
    "pack",
    "pointer_fields",
    "row_depth",
    "state_fields",
    "synapse_fields",
    "unpack",
    "width_of",
]

# (name, width, signed); a field of width 0 is not there
Fields = list[tuple[str, int, bool]]

INPUT_KINDS = {"event": 0, "end": 1}
OUTPUT_KINDS = {"spike": 0, "readout": 1, "end": 2}

_BLOCK = 512  # depth of the widest block-RAM shape; memories that are patched come in multiples


def _present(fields: Fields) -> Fields:
    return [field for field in fields if field[1]]


def row_depth(words: int) -> int:
    """Depth of a content memory that holds ``words``: whole blocks of 512."""
    return -(-max(words, 1) // _BLOCK) * _BLOCK


def pointer_fields(p: MachineParams) -> Fields:
    """Where the segment of a source's row starts in this PE, and its length."""
    return [
        ("start", bits_for(p.synapse_words), False),
        ("length", bits_for(p.slots + 1), False),
    ]


def synapse_fields(p: MachineParams) -> Fields:
    """Target slot within the PE, and weight."""
    return [("weight", p.weight_bits, True), ("target", bits_for(p.slots), False)]


def neuron_fields(p: MachineParams) -> Fields:
    """Constant parameters of a neuron."""
    return _present([
        ("threshold", p.state_bits, True),
        ("beta", p.leak_bits + 1, False),
        ("alpha", p.leak_bits + 1 if p.synaptic else 0, False),
        ("reset_value", p.state_bits if p.reset == "value" else 0, True),
        ("refractory", p.refractory_bits, False),
        ("bias", p.bias_bits, True),
        ("spiking", 1, False),
        ("readout", 1, False),
    ])


def state_fields(p: MachineParams) -> Fields:
    """State of a neuron between steps."""
    return _present([
        ("v", p.state_bits, True),
        ("u", p.state_bits if p.synaptic else 0, True),
        ("r", p.refractory_bits, False),
    ])


def input_fields(p: MachineParams) -> Fields:
    """Input stream word; ``kind`` is one of :data:`INPUT_KINDS`."""
    return [
        ("kind", 1, False),
        ("last", 1, False),
        ("source", bits_for(p.inputs), False),
        ("payload", p.payload_bits, p.graded),
    ]


def output_fields(p: MachineParams) -> Fields:
    """Output stream word; ``kind`` is one of :data:`OUTPUT_KINDS`, ``source`` a source number."""
    return [
        ("kind", 2, False),
        ("last", 1, False),
        ("source", bits_for(p.sources), False),
        ("value", p.state_bits, True),
    ]


def width_of(fields: Fields) -> int:
    """Total bits of a word."""
    return sum(width for _, width, _ in fields)


def pack(fields: Fields, values: Mapping[str, int]) -> int:
    """Word with ``values`` in its fields; a value out of range is an error, never cut."""
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
