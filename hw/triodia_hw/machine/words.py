"""Bit layouts of memory and stream words: one list of fields each, lowest bits first.

Software packs with :func:`pack`, the gateware builds its structs from the same lists.
"""

from .fields import Fields, pack, unpack, width_of
from .neuron import NEURON
from .params import MachineParams, bits_for

__all__ = [
    "COUNTERS",
    "INPUT_KINDS",
    "MEMORY_NUMBERS",
    "OUTPUT_KINDS",
    "READ_KINDS",
    "Fields",
    "input_fields",
    "neuron_fields",
    "output_fields",
    "pack",
    "payload_bits",
    "pointer_fields",
    "read_bits",
    "readable",
    "row_depth",
    "state_fields",
    "synapse_fields",
    "unpack",
    "width_of",
]

INPUT_KINDS = {"event": 0, "end": 1, "load": 2, "read": 3}
OUTPUT_KINDS = {"spike": 0, "readout": 1, "end": 2, "count": 3}

# Source of a "read" word: which word of every neuron's state, or the counters. Only an adaptive
# machine knows the last.
READ_KINDS = {"v": 0, "u": 1, "r": 2, "counters": 3, "b": 4}

# Number of each content memory in a load block.
MEMORY_NUMBERS = {"pointers": 0, "synapses": 1, "neurons": 2}

# name: what it counts since reset, modulo 2**32
COUNTERS = {
    "cycles": "clock cycles",
    "events": "events broadcast to the PEs",
    "operations": "synaptic operations",
    "bus_stalls": "cycles in which a token waited for a PE with a full queue",
    "output_stalls": "cycles in which an output word waited for its receiver",
}

_BLOCK = 256  # depth of the widest shape of the smallest block RAM; contents come in multiples


def read_bits(p: MachineParams) -> int:
    """Lowest bits of the source of a "read" that count."""
    return 3 if p.adaptive else 2


def readable(p: MachineParams) -> tuple[str, ...]:
    """Words of a neuron's state that a "read" can ask for."""
    return ("v", "u", "r", "b") if p.adaptive else ("v", "u", "r")


def payload_bits(p: MachineParams) -> int:
    """Bits of a payload inside the machine: a spike or any graded input; 0 if all are spikes."""
    return max(p.payload_bits, p.fraction_bits + 2) if p.graded else 0


def row_depth(words: int) -> int:
    """Depth of a content memory that holds ``words``: whole blocks of 256."""
    return -(-max(words, 1) // _BLOCK) * _BLOCK


def pointer_fields(p: MachineParams) -> Fields:
    """Pointer word: start of the segments of a group of rows in this PE, and each length.

    Rows of a group follow each other in order of their sources. Where rows are shared, a group is
    one row, and ``base`` the slot before its first target, modulo its range.
    """
    length = bits_for(min(p.row_words, p.slots) + 1)
    rows = [(f"length_{k}", length, False) for k in range(p.rows_per_pointer)]
    base = [("base", bits_for(p.slots), False)] if p.shared_rows else []
    return [("start", bits_for(p.synapse_words), False), *rows, *base]


def synapse_fields(p: MachineParams) -> Fields:
    """Synapse word: weight, and slots skipped since the previous target of the row.

    A word of weight 0 is a filler: it only skips ``gap + 1`` slots.
    """
    return [("weight", p.weight_bits, True), ("gap", p.gap_width, False)]


def neuron_fields(p: MachineParams) -> Fields:
    """Constant parameters of a neuron."""
    return NEURON.parameters(p)


def state_fields(p: MachineParams) -> Fields:
    """State of a neuron between steps."""
    return NEURON.state(p)


def input_fields(p: MachineParams) -> Fields:
    """Input stream word; ``kind`` is one of :data:`INPUT_KINDS`.

    ``source`` holds at least a byte, so that a "load" can carry one.
    """
    return [
        ("kind", 2, False),
        ("last", 1, False),
        ("source", max(8, bits_for(p.inputs)), False),
        ("payload", p.payload_bits, p.graded),
    ]


def output_fields(p: MachineParams) -> Fields:
    """Output stream word; ``kind`` is one of :data:`OUTPUT_KINDS`.

    ``source`` is a source number, or counts the words of a report of counters: at least 4 bits.
    """
    return [
        ("kind", 2, False),
        ("last", 1, False),
        ("source", max(4, bits_for(p.sources)), False),
        ("value", max(16, p.state_bits), True),
    ]
