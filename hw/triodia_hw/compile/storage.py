"""Synapse storage: gap-coded rows, pointer groups, and the cheapest block RAM shapes."""

from dataclasses import replace

import numpy as np

from ..errors import ContractError
from ..machine.params import MachineParams, bits_for
from ..machine.rows import segment_words, stored_segments
from ..machine.words import pointer_fields, row_depth, synapse_fields, width_of
from .family import ECP5, Family
from .sdram import WORD_BITS

__all__ = [
    "block_count",
    "columns",
    "fit_storage",
    "native_bits",
    "stored_bits",
]


_FILLED = 1.05  # most words that are walked, by the least there are


def columns(width: int, depth: int, family: Family = ECP5) -> tuple[int, ...]:
    """Split words into block RAM columns: widths with the fewest blocks, then fewest bits.

    Lowest bits first. On an ECP5, 9 + 4 bits of 4,096 words take 3 blocks; one column of 13 would
    take 4.
    """
    best: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]  # blocks, bits, widths
    for w in range(1, width + 1):
        choices = []
        for shape, words in family.shapes:
            blocks, bits, parts = best[max(0, w - shape)]
            choices.append((blocks - (-depth // words), bits + shape, (min(shape, w), *parts)))
        best.append(min(choices))
    return best[width][2]


def block_count(width: int, depth: int, family: Family = ECP5) -> int:
    """Block RAMs that hold ``depth`` words of ``width`` bits, in :func:`columns`."""
    return sum(
        min(-(-part // w) * -(-depth // d) for w, d in family.shapes)
        for part in columns(width, depth, family)
    )


def native_bits(width: int, depth: int, family: Family = ECP5) -> int:
    """Bits that a word of ``width`` takes in the native widths of its columns."""
    shapes = sorted(w for w, _ in family.shapes)
    return sum(
        min(w for w in shapes if w >= min(part, shapes[-1]))
        for part in columns(width, depth, family)
    )


def fit_storage(
    p: MachineParams,
    row_start: np.ndarray,
    slots: np.ndarray,
    *,
    tight: bool = False,
    family: Family = ECP5,
    activity: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> MachineParams:
    """``p`` with the synapse storage that takes the fewest block RAMs of ``family``.

    Fillers take cycles, so only storages are considered in which the busiest PE walks at most 5 %
    more words than in the best; ties go to the fewest words. ``activity`` counts how often each
    source sends an event, ``(steps, inputs + neurons)``; default: all equal. With ``tight`` every
    storage is considered, and ties go to the fewest bits. ``weight``, ``(synapses,)``, is needed
    where rows are shared. Sets ``gap_bits``, ``synapse_words``, ``row_words`` and
    ``rows_per_pointer``.
    """
    choices, sources, refused = [], row_start.size - 1, None
    groups = (1, 2, 4, 8) if p.delays else (1, 2, 4)  # delays make many rows, most of them short
    groups = (1,) if p.shared_rows else groups
    kept = stored_segments(p, row_start, slots, weight)
    rate = np.ones(sources) if activity is None else np.tile(activity.mean(axis=0), len(p.waits))
    most = bits_for(p.slots)
    if p.external:  # the words of the SDRAM take no more
        most = min(most, WORD_BITS - p.weight_bits)
    for gap_bits in range(1, most + 1):
        words = segment_words(replace(p, gap_bits=gap_bits), row_start, slots)
        for group in groups:
            try:
                q = replace(
                    p,
                    gap_bits=gap_bits,
                    synapse_words=max(1, int((words * kept).sum(axis=0).max())),
                    row_words=max(1, int(words.max())),
                    rows_per_pointer=group,
                )
            except ContractError as error:  # so many fillers that no machine holds them
                refused = error
                continue
            memories = [(width_of(pointer_fields(q)), row_depth(q.pointer_words))]
            if not p.external:
                memories.append((width_of(synapse_fields(q)), row_depth(q.synapse_words)))
            blocks = sum(block_count(*memory, family) for memory in memories)
            count, bits = float((rate @ words).max()), stored_bits(q, words * kept, family)
            order = (bits, count) if tight else (count, group)
            choices.append((count, (blocks, *order, gap_bits, group), q))
    if not choices:
        raise refused
    most = max(c[0] for c in choices) if tight else _FILLED * min(c[0] for c in choices)
    return min((c for c in choices if c[0] <= most), key=lambda c: c[1])[-1]


def stored_bits(p: MachineParams, words: np.ndarray, family: Family = ECP5) -> int:
    """Bits of all synapse words, ``words`` of each row and PE, and pointer words, native widths."""
    synapse = native_bits(width_of(synapse_fields(p)), row_depth(p.synapse_words), family)
    pointer = native_bits(width_of(pointer_fields(p)), row_depth(p.pointer_words), family)
    return int(words.sum()) * synapse + p.lanes * p.pointer_words * pointer
