"""Gap-coded rows: how the synapses of a source lie in the memory of a PE."""

import numpy as np

from .params import MachineParams

__all__ = ["gap_coded", "segment_words"]


def gap_coded(segment: list[tuple[int, int]], gap_bits: int) -> list[tuple[int, int]]:
    """``(gap, weight)`` words of a row segment of ``(target, weight)``, targets ascending.

    Each target lies ``gap + 1`` slots after the previous one, the first at slot ``gap``. Where a
    gap does not fit ``gap_bits``, fillers of weight 0 go in between.
    """
    words, previous, most = [], -1, (1 << gap_bits) - 1
    for target, weight in segment:
        gap = target - previous - 1
        words += [(most, 0)] * (gap >> gap_bits)
        words.append((gap & most, weight))
        previous = target
    return words


def segment_words(p: MachineParams, row_start: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Words of each row in each PE, fillers too, ``(rows, lanes)``.

    ``slots`` is the slot of the target of each synapse, in the order of ``row_start``.
    """
    rows = np.repeat(np.arange(row_start.size - 1), np.diff(row_start))
    lanes, places = slots // p.slots, slots % p.slots
    order = np.lexsort((places, lanes, rows))
    rows, lanes, places = rows[order], lanes[order], places[order]
    first = np.ones(rows.size, bool)
    first[1:] = (np.diff(rows) != 0) | (np.diff(lanes) != 0)
    gaps = places.copy()
    gaps[1:] -= np.where(first[1:], 0, places[:-1] + 1)
    words = np.zeros((row_start.size - 1, p.lanes), np.int64)
    np.add.at(words, (rows, lanes), 1 + (gaps >> p.gap_width))
    return words
