"""Signatures of the connections between units that are no plain streams."""

from amaranth import *
from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import accumulator_width, memory_shapes
from ..compile.sdram import ADDRESS_BITS, WORD_BITS
from ..machine.params import MachineParams, bits_for
from ..machine.words import MEMORY_NUMBERS, read_bits
from .shapes import synapse_layout

__all__ = [
    "LOAD",
    "Flow",
    "LoadPort",
    "SdramPins",
    "SdramPort",
    "SumPort",
    "SynapsePort",
    "bytes_of",
]


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


class SdramPort(wiring.Signature):
    """Bursts of reads, as the reader sees them; a burst stays within a page.

    ``valid``: a burst from ``address`` is wanted, its row may be opened. ``ready``: the burst
    begins, and its first word is asked for in this cycle. ``more`` is high in each of the cycles
    after it that asks for another word of it.
    """

    def __init__(self) -> None:
        flags = {"valid": Out(1), "more": Out(1), "ready": In(1)}
        super().__init__(flags | {"address": Out(ADDRESS_BITS)})


class SdramPins(wiring.Signature):
    """An SDRAM's lines; ``command`` is ras_n, cas_n, we_n, lowest bit first.

    Registers follow on both sides: outputs reach the chip a cycle later, and ``dq_i`` is what its
    data lines held in the cycle before.
    """

    def __init__(self) -> None:
        super().__init__({
            "cke": Out(1),
            "command": Out(3, init=0b111),
            "bank": Out(2),
            "address": Out(13),
            "dqm": Out(1, init=1),
            "dq_o": Out(WORD_BITS),
            "dq_oe": Out(1),
            "dq_i": In(WORD_BITS),
        })


def bytes_of(width: int) -> int:
    """Bytes of a loaded word."""
    return -(-width // 8)
