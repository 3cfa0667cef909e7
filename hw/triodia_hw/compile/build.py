"""From a weight matrix to a machine image: widths, placement and storage."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ContractError
from ..machine.coding import InputCoding
from ..machine.image import Image, accumulator_bound
from ..machine.neuron import NeuronParams
from ..machine.params import MachineParams
from ..machine.rows import segment_words, stored_segments
from ..machine.words import pointer_fields, synapse_fields, width_of
from .family import ECP5, Family
from .placement import in_runs, place
from .storage import fit_storage

__all__ = ["build_image", "stored_share"]

_MOST = 1 << 20  # synapse words of a PE; more only count


def build_image(
    params: MachineParams,
    neurons: NeuronParams,
    weights: np.ndarray,
    *,
    activity: np.ndarray | None = None,
    layers: Sequence[int] = (),
    tight: bool = False,
    family: Family = ECP5,
    coding: InputCoding | None = None,
    meta: dict | None = None,
) -> Image:
    """Image of a network; derives accumulator width, synapse words and placement.

    ``weights`` is ``(neurons, inputs + neurons)``, integers, 0 where there is no synapse; with
    ``params.delays`` one such matrix for each of ``params.waits``, ``(waits, neurons, sources)``;
    ``activity`` counts the events of each source in each step of a recording, for the placer
    (default: all equal). With ``params.shared_rows`` neurons are placed in runs of each of
    ``layers`` instead (:func:`.placement.in_runs`). ``tight`` and ``family`` as in
    :func:`.storage.fit_storage`. ``accumulator_bits`` and the synapse storage in ``params`` are
    replaced by what is needed.
    """
    if not np.issubdtype(weights.dtype, np.integer):
        raise ContractError(f"weights must be integers, not {weights.dtype}")
    shape = (params.neurons, params.inputs + params.neurons)
    shape = (len(params.waits), *shape) if params.delays else shape
    if weights.shape != shape:
        raise ContractError(
            f"weights must be {' x '.join(str(size) for size in shape)}, not {weights.shape}"
        )
    row_start, target, weight = _synapses(weights)
    bound = accumulator_bound(params, row_start, target, weight)
    if params.shared_rows:
        slot = in_runs(params, layers)
    else:
        slot = place(params, row_start, target, activity)
    params = replace(params, accumulator_bits=max(2, bound.bit_length() + 1))
    return Image(
        params=fit_storage(
            params,
            row_start,
            slot[target],
            tight=tight,
            family=family,
            activity=activity,
            weight=weight,
        ),
        neurons=neurons,
        row_start=row_start,
        target=target,
        weight=weight,
        slot=slot,
        coding=coding,
        meta=meta or {},
    )


def _synapses(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``row_start``, ``target`` and ``weight`` of an image."""
    rows = np.moveaxis(weights, -1, -2).reshape(-1, weights.shape[-2])
    row, target = np.nonzero(rows)
    row_start = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int64)
    return row_start, target.astype(np.int64), rows[row, target].astype(np.int64)


def stored_share(params: MachineParams, weights: np.ndarray, layers: Sequence[int] = ()) -> float:
    """Bits of pointers and synapses of the fullest PE if rows share words, by those if they do not.

    ``weights`` and ``layers`` as in :func:`build_image`. Without fillers and groups of rows.
    """
    p = replace(params, shared_rows=True, rows_per_pointer=1)
    row_start, target, weight = _synapses(weights)
    slots = in_runs(p, layers)[target]
    words = segment_words(p, row_start, slots)
    kept = stored_segments(p, row_start, slots, weight)
    own = _bits(replace(p, shared_rows=False), words)
    return _bits(p, words * kept) / own


def _bits(p: MachineParams, words: np.ndarray) -> int:
    """Bits of the pointers and of the ``words`` of each row and PE, ``(rows, lanes)``, of a PE."""
    count = max(1, int(words.sum(axis=0).max()))
    q = replace(p, synapse_words=min(count, _MOST))
    return count * width_of(synapse_fields(q)) + q.pointer_words * width_of(pointer_fields(q))
