"""From a weight matrix to a machine image: widths, placement and storage."""

from dataclasses import replace

import numpy as np

from ..errors import ContractError
from ..machine.coding import InputCoding
from ..machine.image import Image, accumulator_bound
from ..machine.neuron import NeuronParams
from ..machine.params import MachineParams
from .family import ECP5, Family
from .placement import place
from .storage import fit_storage

__all__ = ["build_image"]


def build_image(
    params: MachineParams,
    neurons: NeuronParams,
    weights: np.ndarray,
    *,
    activity: np.ndarray | None = None,
    tight: bool = False,
    family: Family = ECP5,
    coding: InputCoding | None = None,
    meta: dict | None = None,
) -> Image:
    """Image of a network; derives accumulator width, synapse words and placement.

    ``weights`` is ``(neurons, inputs + neurons)``, integers, 0 where there is no synapse; with
    ``params.delays`` one such matrix for each of ``params.waits``, ``(waits, neurons, sources)``;
    ``activity`` counts the events of each source in each step of a recording, for the placer
    (default: all equal); ``tight`` and ``family`` as in :func:`.storage.fit_storage`.
    ``accumulator_bits`` and the synapse storage in ``params`` are replaced by what is needed.
    """
    if not np.issubdtype(weights.dtype, np.integer):
        raise ContractError(f"weights must be integers, not {weights.dtype}")
    shape = (params.neurons, params.inputs + params.neurons)
    shape = (len(params.waits), *shape) if params.delays else shape
    if weights.shape != shape:
        raise ContractError(
            f"weights must be {' x '.join(str(size) for size in shape)}, not {weights.shape}"
        )
    rows = np.moveaxis(weights, -1, -2).reshape(-1, params.neurons)
    row, target = np.nonzero(rows)
    weight = rows[row, target].astype(np.int64)
    row_start = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int64)
    bound = accumulator_bound(params, row_start, target, weight)
    slot = place(params, row_start, target, activity)
    params = replace(params, accumulator_bits=max(2, bound.bit_length() + 1))
    return Image(
        params=fit_storage(
            params, row_start, slot[target], tight=tight, family=family, activity=activity
        ),
        neurons=neurons,
        row_start=row_start,
        target=target.astype(np.int64),
        weight=weight,
        slot=slot,
        coding=coding,
        meta=meta or {},
    )
