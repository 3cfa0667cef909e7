"""Memory contents of a machine, word by word, and what they cost in block RAM."""

from dataclasses import dataclass

from .contract import MachineParams
from .image import Image
from .layout import (
    Fields,
    neuron_fields,
    pack,
    pointer_fields,
    row_depth,
    state_fields,
    synapse_fields,
    width_of,
)

__all__ = [
    "MemoryShape",
    "contents",
    "ebr_blocks",
    "ecp5_blocks",
    "ecp5_multipliers",
    "memory_shapes",
]

# Word width and depth of the shapes of an 18-Kbit ECP5 block RAM (Lattice FPGA-TN-02204).
_EBR_SHAPES = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))


@dataclass(frozen=True)
class MemoryShape:
    """One memory of a PE: its fields, depth, and whether block RAM holds it.

    ``content`` memories come from the image and never change; the others are working state.
    """

    name: str
    fields: Fields
    depth: int
    block: bool
    content: bool

    @property
    def width(self) -> int:
        """Bits of a word."""
        return width_of(self.fields)


def accumulator_width(p: MachineParams) -> int:
    """Bits of an accumulator word; spike-only machines shift by ``fraction_bits`` afterwards."""
    return max(2, p.accumulator_bits - (0 if p.graded else p.fraction_bits))


def memory_shapes(p: MachineParams, *, block: bool = True) -> list[MemoryShape]:
    """Memories of each PE (queues, which are small and distributed, are not listed).

    ``block``: working memories are in block RAM, else in distributed RAM. Contents always are in
    block RAM, where a finished bitstream can be patched.
    """
    sums: Fields = [("sum", accumulator_width(p), True)]
    return [
        MemoryShape("pointers", pointer_fields(p), row_depth(p.sources), True, True),
        MemoryShape("synapses", synapse_fields(p), row_depth(p.synapse_words), True, True),
        MemoryShape("neurons", neuron_fields(p), row_depth(p.slots), True, True),
        MemoryShape("state", state_fields(p), p.slots, block, False),
        MemoryShape("sums_0", sums, p.slots, block, False),
        MemoryShape("sums_1", sums, p.slots, block, False),
    ]


def ebr_blocks(width: int, depth: int) -> int:
    """Fewest 18-Kbit blocks that hold ``depth`` words of ``width`` bits."""
    return min(-(-width // w) * -(-depth // d) for w, d in _EBR_SHAPES)


def ecp5_blocks(p: MachineParams, *, block: bool = True) -> int:
    """Block RAMs (EBR) the whole machine takes on an ECP5; ``block`` as in memory_shapes."""
    each = sum(ebr_blocks(s.width, s.depth) for s in memory_shapes(p, block=block) if s.block)
    return p.lanes * each


def ecp5_multipliers(p: MachineParams) -> int:
    """18 x 18 bit multipliers the whole machine takes on an ECP5."""

    def blocks(a: int, b: int) -> int:
        return -(-a // 18) * -(-b // 18)  # of signed factors of a and b bits

    leak = blocks(p.state_bits, p.leak_bits + 2)
    payload = blocks(p.weight_bits, max(p.payload_bits, p.fraction_bits + 2)) if p.graded else 0
    return p.lanes * (leak * (2 if p.synaptic else 1) + payload)


def contents(image: Image) -> list[dict[str, list[int]]]:
    """Words of the content memories of each PE, by memory name, padded to full depth."""
    p = image.params
    return [_lane_contents(image, lane, memory_shapes(p)) for lane in range(p.lanes)]


def _lane_contents(image: Image, lane: int, shapes: list[MemoryShape]) -> dict[str, list[int]]:
    p = image.params
    pointers, synapses = _rows(image, lane)
    neuron_words = [0] * p.slots  # an empty slot neither spikes nor is read out
    for i in range(p.neurons):
        if image.slot[i] // p.slots == lane:
            values = {name: int(getattr(image.neurons, name)[i]) for name, *_ in neuron_fields(p)}
            neuron_words[image.slot[i] % p.slots] = pack(neuron_fields(p), values)
    words = {"pointers": pointers, "synapses": synapses, "neurons": neuron_words}
    return {
        s.name: words[s.name] + [0] * (s.depth - len(words[s.name])) for s in shapes if s.content
    }


def _rows(image: Image, lane: int) -> tuple[list[int], list[int]]:
    """Pointer and synapse words of one PE; rows in order of hardware source number."""
    p, fields = image.params, synapse_fields(image.params)
    pointers, synapses = [0] * p.sources, []
    sources = [*range(p.inputs), *image.source_of_neuron().tolist()]
    for source, address in sorted(enumerate(sources), key=lambda pair: pair[1]):
        row = slice(image.row_start[source], image.row_start[source + 1])
        slots = image.slot[image.target[row]]
        here = slots // p.slots == lane
        segment = zip(slots[here] % p.slots, image.weight[row][here], strict=True)
        words = [pack(fields, {"target": t, "weight": w}) for t, w in segment]
        if words:
            values = {"start": len(synapses), "length": len(words)}
            pointers[address] = pack(pointer_fields(p), values)
        synapses += words
    return pointers, synapses
