"""Memories of a machine, and their contents, word by word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..machine.fields import present
from ..machine.image import Image
from ..machine.params import MachineParams, bits_for
from ..machine.rows import gap_coded
from ..machine.words import (
    READ_KINDS,
    Fields,
    neuron_fields,
    pack,
    payload_bits,
    pointer_fields,
    row_depth,
    state_fields,
    synapse_fields,
    width_of,
)
from .family import ECP5, Family
from .storage import columns

__all__ = [
    "MemoryShape",
    "accumulator_width",
    "contents",
    "memory_shapes",
    "read_words",
    "wheel_shapes",
]


@dataclass(frozen=True)
class MemoryShape:
    """One memory of a PE: its fields and depth.

    ``content`` memories come from the image and never change; the others are working state.
    ``outside``: it is an SDRAM, not a memory of the chip.
    """

    name: str
    fields: Fields
    depth: int
    content: bool
    outside: bool = False

    @property
    def width(self) -> int:
        """Bits of a word."""
        return width_of(self.fields)

    def columns(self, family: Family = ECP5) -> tuple[int, ...]:
        """Widths of the block RAM columns of a content memory, lowest bits first."""
        return columns(self.width, self.depth, family)

    def cut(
        self, words: Mapping[str, list[int]], family: Family = ECP5
    ) -> Iterator[tuple[int, list[int]]]:
        """Width and words of each column of this memory, of the ``words`` by memory name.

        Nothing if it is no content memory of the chip.
        """
        offset = 0
        for width in self.columns(family) if self.content and not self.outside else ():
            mask = (1 << width) - 1
            yield width, [(word >> offset) & mask for word in words[self.name]]
            offset += width


def accumulator_width(p: MachineParams) -> int:
    """Bits of an accumulator word; spike-only machines shift by ``fraction_bits`` afterwards."""
    return max(2, p.accumulator_bits - (0 if p.graded else p.fraction_bits))


def memory_shapes(p: MachineParams) -> list[MemoryShape]:
    """Memories of each PE; queues, which are small, are not listed."""
    neurons = row_depth(p.slots + len(read_words(p)))
    sums: Fields = [("sum", accumulator_width(p), True)]
    return [
        MemoryShape("pointers", pointer_fields(p), row_depth(p.pointer_words), True),
        MemoryShape("synapses", synapse_fields(p), row_depth(p.synapse_words), True, p.external),
        MemoryShape("neurons", neuron_fields(p), neurons, True),
        MemoryShape("state", state_fields(p), p.slots, False),
        MemoryShape("sums_0", sums, p.slots, False),
        MemoryShape("sums_1", sums, p.slots, False),
    ]


def wheel_shapes(p: MachineParams) -> list[MemoryShape]:
    """Memories of the wheel, which a machine has once: none without delays.

    ``wheel`` keeps the events of the longest delay's steps and of the present one, ``lists`` where
    those of each step lie.
    """
    if not p.delays:
        return []
    lists = p.delays[-1] + 1
    depth = lists * p.wheel_events
    event: Fields = [("source", bits_for(p.sources), False), ("payload", payload_bits(p), True)]
    place: Fields = [
        ("start", bits_for(depth), False),
        ("count", bits_for(p.wheel_events + 1), False),
    ]
    return [
        MemoryShape("wheel", present(event), depth, False),
        MemoryShape("lists", place, lists, False),
    ]


def read_words(p: MachineParams) -> list[int]:
    """Read words, which follow the neurons' parameters: an update with them shows v, u, r or b.

    The k-th is for the read of number k (``READ_KINDS``; the one of the counters is not used). No
    leak for ``v`` or ``u``, where one of them is read; full leak for all else. The machine supplies
    ``r`` and ``b`` itself.
    """
    whole, fields = 1 << p.leak_bits, neuron_fields(p)
    leaks = {"v": {"beta": whole}, "u": {"alpha": whole}}
    shown = {name: 0 for name, *_ in fields} | {"readout": 1}
    names = {name for name, *_ in fields}
    return [
        pack(fields, shown | {k: v for k, v in leaks.get(kind, {}).items() if k in names})
        for kind in [*READ_KINDS][: 5 if p.adaptive else 3]
    ]


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
    neuron_words += read_words(p)
    words = {"pointers": pointers, "synapses": synapses, "neurons": neuron_words}
    return {
        s.name: words[s.name] + [0] * (s.depth - len(words[s.name])) for s in shapes if s.content
    }


def _rows(image: Image, lane: int) -> tuple[list[int], list[int]]:
    """Pointer and synapse words of one PE; rows in order of hardware row number."""
    p, fields = image.params, synapse_fields(image.params)
    lengths, starts, bases, words = [0] * p.rows, [0] * p.rows, [0] * p.rows, []
    seen: dict[tuple[int, ...], int] = {}  # where the words of shared rows lie
    sources = [*range(p.inputs), *image.source_of_neuron().tolist()]
    numbers = [k * p.sources + source for k in range(len(p.waits)) for source in sources]
    address = {hardware: row for row, hardware in enumerate(numbers)}
    for hardware in range(p.rows):
        starts[hardware] = len(words)
        if hardware in address:
            here = address[hardware]
            row = slice(image.row_start[here], image.row_start[here + 1])
            slots = image.slot[image.target[row]]
            here = slots // p.slots == lane
            pairs = zip(slots[here] % p.slots, image.weight[row][here], strict=True)
            segment = sorted((int(t), int(w)) for t, w in pairs)
            if p.shared_rows and segment:
                begin = segment[0][0]
                bases[hardware] = (begin - 1) % (1 << bits_for(p.slots))
                segment = [(target - begin, weight) for target, weight in segment]
            coded = gap_coded(segment, p.gap_width)
            row = [pack(fields, {"gap": gap, "weight": weight}) for gap, weight in coded]
            lengths[hardware] = len(row)
            if p.shared_rows and row:
                starts[hardware] = seen.setdefault(tuple(row), len(words))
            words += row if starts[hardware] == len(words) else []
    return _pointers(p, starts, lengths, bases), words


def _pointers(
    p: MachineParams, starts: list[int], lengths: list[int], bases: list[int]
) -> list[int]:
    words, group = [], p.rows_per_pointer
    for first in range(0, p.rows, group):
        rows = lengths[first : first + group]
        rows += [0] * (group - len(rows))
        values = {f"length_{k}": length for k, length in enumerate(rows)}
        # A group of empty rows may lie after the last word, beyond the range of `start`.
        values["start"] = starts[first] if any(rows) else 0
        values |= {"base": bases[first]} if p.shared_rows else {}
        words.append(pack(pointer_fields(p), values))
    return words
