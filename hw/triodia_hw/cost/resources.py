"""Hard blocks that a machine needs: block RAM, single-port RAM and multipliers."""

from ..compile.contents import memory_shapes, wheel_shapes
from ..compile.options import DEFAULT, Options
from ..compile.storage import block_count
from ..machine.neuron import NEURON
from ..machine.params import MachineParams, bits_for
from ..machine.words import (
    input_fields,
    output_fields,
    payload_bits,
    pointer_fields,
    read_bits,
    width_of,
)

__all__ = ["block_rams", "blocks_by_memory", "multipliers", "queue_widths", "single_port_rams"]

_QUEUE_DEPTH = 16
_LATER = [f"length_{k}" for k in range(1, 8)]  # of further rows of a pointer word
_SPRAM = (16, 1 << 14)  # width and depth of an iCE40 UltraPlus SPRAM


def block_rams(p: MachineParams, options: Options = DEFAULT) -> int:
    """Block RAMs of the whole machine, built with ``options``."""
    return sum(blocks_by_memory(p, options).values())


def blocks_by_memory(p: MachineParams, options: Options = DEFAULT) -> dict[str, int]:
    """Block RAMs of each memory and queue that uses any, over all PEs."""
    family, queues = options.blocks, queue_widths(p)
    blocks = {
        s.name: p.lanes * block_count(s.width, s.depth, family)
        for s in memory_shapes(p)
        if options.style(s.name) == "block" and not s.outside
    }
    if options.parity:
        deep = {s.name: s.depth for s in memory_shapes(p)}
        blocks["parity"] = p.lanes * sum(block_count(1, deep[name], family) for name in blocks)
    blocks |= _wheel_blocks(p, options)
    for name in options.queues:
        count = p.lanes if name in ("rows", "records") else 1
        blocks[name] = count * block_count(queues[name], _QUEUE_DEPTH, family)
    return blocks


def _wheel_blocks(p: MachineParams, options: Options) -> dict[str, int]:
    """Block RAMs of the memories that a machine with delays has once."""
    sizes = {s.name: (s.width, s.depth) for s in wheel_shapes(p)}
    if options.parity:
        sizes |= {f"{name}_parity": (1, depth) for name, (_, depth) in sizes.items()}
    if p.delays:
        sizes["replays"] = 1 + bits_for(p.rows) + payload_bits(p), _QUEUE_DEPTH
    return {
        name: block_count(*size, options.blocks)
        for name, size in sizes.items()
        if options.style(name.removesuffix("_parity")) == "block"
    }


def single_port_rams(p: MachineParams, options: Options) -> int:
    """Large single-port RAMs (iCE40 UltraPlus: SPRAM) of the whole machine."""
    width, depth = _SPRAM
    return p.lanes * sum(
        -(-s.width // width) * -(-s.depth // depth)
        for s in memory_shapes(p)
        if s.name in options.single_port and not s.outside
    )


def multipliers(p: MachineParams, bits: int = 18) -> int:
    """Signed multipliers of ``bits`` x ``bits`` of the whole machine."""

    def blocks(a: int, b: int) -> int:
        return -(-a // bits) * -(-b // bits)  # of signed factors of a and b bits

    leak = blocks(p.state_bits, p.leak_bits + 2)
    payload = blocks(p.weight_bits, payload_bits(p)) if p.graded else 0
    return p.lanes * (leak * NEURON.multipliers(p) + payload)


def queue_widths(p: MachineParams) -> dict[str, int]:
    """Stored bits per item of each queue (:data:`.gateware.options.QUEUES`).

    A returned spike has a constant payload and flags that are never set, which take no memory.
    """
    source, payload, asked = bits_for(p.sources), payload_bits(p), read_bits(p)
    start, length, *base = (width for name, width, _ in pointer_fields(p) if name not in _LATER)
    taken = sum(width for name, width, _ in input_fields(p) if name == "source")
    return {
        "rows": 4 + max(asked, start) + length + sum(base) + payload,
        "records": 3 + source + p.state_bits,
        "returns": 1 + max(asked, source),
        "inputs": 6 + taken + payload,
        "outputs": width_of(output_fields(p)),
    }
