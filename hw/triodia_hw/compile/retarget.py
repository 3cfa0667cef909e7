"""Fit a network into a larger machine, or say why it does not fit."""

from dataclasses import fields, replace

import numpy as np

from ..errors import ContractError
from ..machine.coding import InputCoding
from ..machine.image import Image, accumulator_bound
from ..machine.neuron import NeuronParams
from ..machine.params import MachineParams
from ..machine.words import pointer_fields, row_depth
from .contents import memory_shapes
from .family import ECP5, Family
from .placement import in_runs, place
from .storage import block_count

__all__ = ["fit_capacity", "whole_blocks"]

# Parameters that give integers their meaning must be equal; the others only large enough.
_ALIKE = ("payload_bits", "fraction_bits", "leak_bits", "state_bits")
_ALIKE += ("synaptic", "adaptive", "reset", "fires", "external", "shared_rows")


def fit_capacity(
    image: Image, params: MachineParams, *, activity: np.ndarray | None = None
) -> Image:
    """``image`` as a network of a machine of ``params``: same spikes, same readouts.

    Input j and neuron i keep their numbers. Spare inputs never have an event, and are 0 in a sample
    (mean 0, standard deviation 1 in the input coding); spare neurons never spike and are not
    readouts. ``activity`` is for the placer, over the sources of ``image``. An image that already
    has these parameters is returned unchanged.

    Raises
    ------
    ContractError
        Naming the parameter, what the network needs and what the machine has.
    """
    p = image.params
    if p == params:
        return image
    for name in _ALIKE:
        if getattr(p, name) != getattr(params, name):
            raise ContractError(
                f"{name} must be {getattr(params, name)} for this machine, "
                f"not {getattr(p, name)}; quantize the network for it"
            )
    for name, need in _needs(image).items():
        if need > getattr(params, name):
            raise ContractError(
                f"{name} must be at most {getattr(params, name)} for this machine, "
                f"not {need}; prune further or build a larger machine"
            )
    _check_delays(p, params)
    row_start = _rows(image, params)
    slot = _slots(image, params, row_start, _activity(activity, p, params))
    bound = accumulator_bound(params, row_start, image.target, image.weight)
    if bound > (1 << (params.accumulator_bits - 1)) - 1:
        raise ContractError(
            f"accumulator_bits must hold the worst-case sum {bound}, "
            f"not {params.accumulator_bits}; build a machine with wider sums"
        )
    return replace(
        image,
        params=params,
        neurons=_neurons(image.neurons, params.neurons),
        row_start=row_start,
        slot=slot,
        coding=image.coding and _coding(image.coding, params.inputs),
    )


def _slots(
    image: Image, params: MachineParams, row_start: np.ndarray, activity: np.ndarray | None
) -> np.ndarray:
    """Slots in the machine of ``params``. Rows that share words must stay where they are alike."""
    p = image.params
    if not params.shared_rows:
        return place(params, row_start, image.target, activity)
    if p.lanes != params.lanes:
        return in_runs(params, (p.neurons, params.neurons - p.neurons))
    slot = image.slot // p.slots * params.slots + image.slot % p.slots
    free = np.setdiff1d(np.arange(params.lanes * params.slots), slot)
    return np.concatenate([slot, free[: params.neurons - p.neurons]])


def _check_delays(p: MachineParams, params: MachineParams) -> None:
    """Refuse a network with a delay that the machine does not have."""
    missing = sorted(set(p.delays) - set(params.delays))
    if missing:
        needs, has = (", ".join(map(str, steps)) or "none" for steps in (missing, params.delays))
        raise ContractError(
            f"delays must be among those of this machine ({has}), not {needs}; build a machine "
            f"with delays {', '.join(str(d) for d in sorted({*p.delays, *params.delays}))}"
        )


def whole_blocks(p: MachineParams, family: Family = ECP5) -> MachineParams:
    """``p`` with spare room wherever it costs no block RAM and no wider pointer.

    Synapse words and row lengths grow, sums get an even width, and biases a multiple of 4 bits.
    Networks of similar size then share one machine, and one build serves them all.
    """
    most = min(p.state_bits, -(-p.bias_bits // 4) * 4)
    for change in (
        {"bias_bits": most},
        {"accumulator_bits": min(40, p.accumulator_bits + p.accumulator_bits % 2)},
        {"row_words": (1 << pointer_fields(p)[1][1]) - 1},
    ):
        p = _free(p, change, family) or p
    words = row_depth(p.synapse_words)
    while more := _free(p, {"synapse_words": words}, family):
        p, words = more, words + row_depth(1)
    return p


def _free(p: MachineParams, change: dict, family: Family) -> MachineParams | None:
    """``p`` with ``change``, unless it needs wider pointers or more block RAMs."""
    try:
        q = replace(p, **change)
    except ContractError:  # out of range
        return None
    same = pointer_fields(q) == pointer_fields(p) and _blocks(q, family) == _blocks(p, family)
    return q if same else None


def _blocks(p: MachineParams, family: Family) -> int:
    return sum(block_count(s.width, s.depth, family) for s in memory_shapes(p) if not s.outside)


def _needs(image: Image) -> dict[str, int]:
    """Smallest parameters that hold the image: fields as wide as their values need."""
    p, n = image.params, image.neurons
    return {
        "inputs": p.inputs,
        "neurons": p.neurons,
        "weight_bits": _signed_bits(image.weight),
        "bias_bits": _signed_bits(n.bias),
        "refractory_bits": int(n.refractory.max()).bit_length(),
    }


def _signed_bits(values: np.ndarray) -> int:
    """Bits of the narrowest signed field that holds ``values``; 0 if all are 0."""
    if not values.any():
        return 0
    return 1 + max(int(values.max()), ~int(values.min()), 0).bit_length()


def _rows(image: Image, params: MachineParams) -> np.ndarray:
    """Row starts, with empty rows for spare inputs, neurons and delays."""
    p = image.params
    lengths = np.diff(image.row_start).reshape(len(p.waits), -1)
    more = np.zeros((len(params.waits), params.inputs + params.neurons), np.int64)
    for group, wait in zip(lengths, p.waits, strict=True):
        spread = more[params.waits.index(wait)]
        spread[: p.inputs] = group[: p.inputs]
        spread[params.inputs : params.inputs + p.neurons] = group[p.inputs :]
    return np.concatenate([[0], np.cumsum(more)])


def _neurons(neurons: NeuronParams, count: int) -> NeuronParams:
    """Parameters of ``count`` neurons; the added ones never spike."""
    still = {"threshold": 1}
    padded = {}
    for field in fields(NeuronParams):
        values = getattr(neurons, field.name)
        rest = np.full(count - values.size, still.get(field.name, 0), values.dtype)
        padded[field.name] = np.concatenate([values, rest])
    return NeuronParams(**padded)


def _coding(coding: InputCoding, inputs: int) -> InputCoding:
    """``coding`` of so many inputs; the added ones are 0 where a sample is."""
    more = inputs - coding.inputs
    return replace(
        coding,
        mean=np.pad(coding.mean, (0, more)),
        std=np.pad(coding.std, (0, more), constant_values=1),
    )


def _activity(
    activity: np.ndarray | None, p: MachineParams, params: MachineParams
) -> np.ndarray | None:
    if activity is None:
        return None
    more = np.zeros((len(activity), params.inputs + params.neurons), activity.dtype)
    more[:, : p.inputs] = activity[:, : p.inputs]
    more[:, params.inputs : params.inputs + p.neurons] = activity[:, p.inputs :]
    return more
