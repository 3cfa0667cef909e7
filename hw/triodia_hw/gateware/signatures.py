"""Signatures of the connections between units that are no plain streams."""

from amaranth import *
from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import accumulator_width, memory_shapes
from ..machine.params import MachineParams, bits_for
from ..machine.words import MEMORY_NUMBERS, read_bits
from .shapes import synapse_layout

__all__ = ["LOAD", "Flow", "LoadPort", "SumPort", "SynapsePort", "bytes_of"]


LOAD = ("lane", "memory", "address", "data")  # members of a LoadPort


class Flow(wiring.Signature):
    """Payloads that are taken at once, and a receiver that says in time when it has no room.

    ``valid`` is high for one cycle per payload and does not wait. While ``room`` is low, the
    receiver still takes what is on its way; how much that is, each unit's docstring says.
    """

    def __init__(self, shape: ShapeLike) -> None:
        super().__init__({"valid": Out(1), "payload": Out(shape), "room": In(1)})


class SynapsePort(wiring.Signature):
    """Synapses and ends of steps on their way to the accumulator, which always takes them.

    ``valid``: ``payload`` is a synapse. ``end``: the end of a step (``last`` of its sequence), or
    with ``read`` the end of no step, where ``what`` says what it reads. Never both in one cycle.
    """

    def __init__(self, p: MachineParams) -> None:
        flags = {name: Out(1) for name in ("valid", "end", "last", "read")}
        super().__init__(flags | {"what": Out(read_bits(p)), "payload": Out(synapse_layout(p))})


class SumPort(wiring.Signature):
    """The accumulator as the sweep sees it.

    ``end`` with ``last``, ``read`` and ``what``: all synapses of the step are in. ``sum`` is the
    sum at ``addr`` of two cycles ago. ``clear`` sets the sum at ``clear_addr`` to zero,
    ``clear_all`` in both banks.
    """

    def __init__(self, p: MachineParams) -> None:
        addr = bits_for(p.slots)
        super().__init__({
            "end": Out(1),
            "last": Out(1),
            "read": Out(1),
            "what": Out(read_bits(p)),
            "addr": In(addr),
            "sum": Out(signed(accumulator_width(p))),
            "clear": In(1),
            "clear_addr": In(addr),
            "clear_all": In(1),
        })


class LoadPort(wiring.Signature):
    """Writes to content memories: ``memory`` has one bit for each of them, at most one set.

    A word is in the uppermost bytes of ``data`` that it takes.
    """

    def __init__(self, p: MachineParams) -> None:
        shapes = [s for s in memory_shapes(p) if s.content]
        super().__init__({
            "lane": Out(8),
            "memory": Out(len(MEMORY_NUMBERS)),
            "address": Out(max((s.depth - 1).bit_length() for s in shapes)),
            "data": Out(8 * max(bytes_of(s.width) for s in shapes)),
        })


def bytes_of(width: int) -> int:
    """Bytes of a loaded word."""
    return -(-width // 8)
