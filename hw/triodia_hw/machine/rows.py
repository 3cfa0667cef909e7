"""Gap-coded rows: how the synapses of a source lie in the memory of a PE."""

from itertools import pairwise

import numpy as np

from .params import MachineParams

__all__ = ["gap_coded", "segment_words", "stored_segments"]


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
    """Words of each row in each PE, fillers too, ``(rows, lanes)``: what it takes to walk them.

    ``slots`` is the slot of the target of each synapse, in the order of ``row_start``.
    """
    rows, lanes, gaps, _, _ = _gaps(p, row_start, slots)
    words = np.zeros((row_start.size - 1, p.lanes), np.int64)
    np.add.at(words, (rows, lanes), 1 + (gaps >> p.gap_width))
    return words


def stored_segments(
    p: MachineParams, row_start: np.ndarray, slots: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Whether a PE stores the words of a row, ``(rows, lanes)`` bool.

    All of them, unless rows are shared: then the first of those that are alike. ``slots`` and
    ``weight`` of each synapse, in the order of ``row_start``.
    """
    if not p.shared_rows:
        return np.ones((row_start.size - 1, p.lanes), bool)
    rows, lanes, gaps, first, order = _gaps(p, row_start, slots)
    words = np.stack([gaps, weight[order]], axis=1)
    starts = np.flatnonzero(first)
    stored, seen = np.zeros((row_start.size - 1, p.lanes), bool), set()
    for begin, end in pairwise([*starts, rows.size]):
        key = int(lanes[begin]), words[begin:end].tobytes()
        stored[rows[begin], lanes[begin]] = key not in seen
        seen.add(key)
    return stored


def _gaps(
    p: MachineParams, row_start: np.ndarray, slots: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Row, PE and gap of each synapse by PEs' segments; whether it is a segment's first; the order.

    The first gap of a segment counts from slot 0, and is 0 where rows are shared.
    """
    rows = np.repeat(np.arange(row_start.size - 1), np.diff(row_start))
    lanes, places = slots // p.slots, slots % p.slots
    order = np.lexsort((places, lanes, rows))
    rows, lanes, places = rows[order], lanes[order], places[order]
    first = np.ones(rows.size, bool)
    first[1:] = (np.diff(rows) != 0) | (np.diff(lanes) != 0)
    gaps = places.copy()
    gaps[1:] -= np.where(first[1:], 0, places[:-1] + 1)
    if p.shared_rows:
        gaps[first] = 0
    return rows, lanes, gaps, first, order
