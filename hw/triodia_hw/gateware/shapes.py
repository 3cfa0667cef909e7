"""Payload layouts of the streams inside the machine."""

from amaranth import Shape, signed, unsigned
from amaranth.lib import data

from ..machine.params import MachineParams, bits_for
from ..machine.words import Fields, payload_bits, pointer_fields, read_bits

__all__ = [
    "payload_shape",
    "record_layout",
    "row_layout",
    "struct",
    "synapse_layout",
    "token_layout",
]


def struct(fields: Fields) -> data.StructLayout:
    """Struct of a list of fields; the same bits as :func:`triodia_hw.machine.words.pack`."""
    return data.StructLayout({
        name: signed(width) if is_signed else unsigned(width) for name, width, is_signed in fields
    })


def payload_shape(p: MachineParams) -> Shape:
    """Payload inside the machine: wide enough for a spike and for any graded input."""
    return signed(payload_bits(p)) if p.graded else unsigned(0)


def token_layout(p: MachineParams) -> data.StructLayout:
    """Bus token: an event, or the end of a step (``last`` of its sequence).

    The ``source`` of an event that has waited ``waits[k]`` steps is ``k * sources`` higher: the
    number of its row.

    With ``end`` and ``read`` it ends no step but asks for the word of every neuron's state that
    the low bits of ``source`` name (:data:`triodia_hw.machine.words.READ_KINDS`).
    """
    return data.StructLayout({
        "end": 1,
        "last": 1,
        "read": 1,
        "source": max(read_bits(p), bits_for(p.rows)),
        "payload": payload_shape(p),
    })


def row_layout(p: MachineParams) -> data.StructLayout:
    """A row segment to walk; ``single`` says that one cycle does it (one word, or an end).

    An end that reads state has what it reads in the low bits of ``start``. ``base``, where rows are
    shared: the slot before the first target.
    """
    fields = {name: width for name, width, _ in pointer_fields(p)}
    base = {"base": fields["base"]} if p.shared_rows else {}
    return data.StructLayout({
        "end": 1,
        "last": 1,
        "read": 1,
        "single": 1,
        "start": max(read_bits(p), fields["start"]),
        "length": fields["length_0"],
        **base,
        "payload": payload_shape(p),
    })


def synapse_layout(p: MachineParams) -> data.StructLayout:
    """A synapse on its way to the accumulator.

    ``some``: whether either half of the weight is not 0; both are 0 in a filler.
    """
    return data.StructLayout({
        "some": 2,
        "target": bits_for(p.slots),
        "weight": Shape(p.weight_bits, True),
        "payload": payload_shape(p),
    })


def record_layout(p: MachineParams) -> data.StructLayout:
    """What a sweep emits: a spike, a readout ``value`` (else 0), or the end of the step.

    ``last``: the step was the last of its sequence, so its spikes are not delivered.
    """
    return data.StructLayout({
        "end": 1,
        "last": 1,
        "readout": 1,
        "source": bits_for(p.sources),
        "value": signed(p.state_bits),
    })
