"""Benchmark the bits per stored synapse against the entropy limit."""

from math import log2
from pathlib import Path

import numpy as np

from triodia.lab.stage import stage
from triodia_hw.compile.build import build_image
from triodia_hw.compile.storage import block_count, stored_bits
from triodia_hw.machine.image import Image
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import pointer_fields, row_depth, synapse_fields, width_of

__all__ = ["CASES", "plan", "random_image", "stored"]

_BLOCK_BITS = 18 * 1024

# Neurons, lanes, density, weight bits.
CASES = (
    (512, 8, 0.1, 8),
    (512, 8, 0.05, 8),
    (1024, 16, 0.1, 8),
    (1024, 16, 0.05, 8),
    (1024, 8, 0.05, 8),
    (512, 8, 0.1, 4),
    (512, 8, 0.1, 2),
)
_INPUTS = 16


def plan(seed: int) -> list[dict]:
    """Choices of :func:`stored`: every case with fewest cycles, and with fewest bits."""
    names = ("neurons", "lanes", "density", "weight_bits")
    cases = [dict(zip(names, case, strict=True)) for case in CASES]
    return [case | {"tight": tight, "seed": seed} for case in cases for tight in (False, True)]


@stage(label="storage", cost=3.0)
def stored(folder: Path, choices: dict) -> dict:
    """Bits for each synapse of a random network: ``neurons``, ``lanes``, ``density``,
    ``weight_bits``, ``tight`` (fewest bits, else fewest cycles), ``seed``."""
    return _row(**choices)


def _row(
    neurons: int, lanes: int, density: float, weight_bits: int, tight: bool, seed: int
) -> dict:
    image = random_image(neurons, lanes, density, weight_bits, tight, seed)
    p = image.params
    words = image.segment_words()
    sources = p.inputs + neurons
    real = image.synapses / (sources * neurons)
    limit = (-real * log2(real) - (1 - real) * log2(1 - real)) / real + weight_bits
    synapse, pointer = width_of(synapse_fields(p)), width_of(pointer_fields(p))
    spent = stored_bits(p, words)
    blocks = lanes * block_count(synapse, row_depth(p.synapse_words))
    blocks += lanes * block_count(pointer, row_depth(p.pointer_words))
    plain = (
        weight_bits
        + _bits(p.slots)
        + lanes * sources / image.synapses * (_bits(p.synapse_words) + _bits(p.slots + 1))
    )
    return {
        "neurons": neurons,
        "lanes": lanes,
        "density": density,
        "weight_bits": weight_bits,
        "tight": tight,
        "gap_bits": p.gap_width,
        "rows_per_pointer": p.rows_per_pointer,
        "fillers": float(words.sum() / image.synapses - 1),
        "bits": float(spent / image.synapses),
        "limit": limit,
        "over_limit": float(spent / image.synapses / limit),
        "block_bits": blocks * _BLOCK_BITS / image.synapses,
        "blocks": blocks,
        "plain_bits": plain,
        "bitmap_bits": weight_bits + 1 / real,
        "dense_bits": weight_bits / real,
    }


def _bits(count: int) -> int:
    return max(1, (count - 1).bit_length())


def random_image(
    neurons: int, lanes: int, density: float, weight_bits: int, tight: bool, seed: int
) -> Image:
    """A machine of 16 inputs whose every synapse exists with probability ``density``.

    Signs, thresholds and leaks are random too: synthesis drops bits that are always the same.
    """
    rng = np.random.default_rng(seed)
    limit = 1 << (weight_bits - 1)
    weights = rng.integers(1, limit, (neurons, _INPUTS + neurons)) if limit > 1 else 1
    weights = weights * (rng.random((neurons, _INPUTS + neurons)) < density)
    weights = weights * rng.choice((-1, 1), weights.shape)
    zero = np.zeros(neurons, np.int64)
    flags = np.ones(neurons, bool)
    p = MachineParams(inputs=_INPUTS, neurons=neurons, lanes=lanes, weight_bits=weight_bits)
    n = NeuronParams(
        threshold=rng.integers(1, 1 << p.state_bits - 1, neurons),
        beta=rng.integers(0, 1 << p.leak_bits, neurons),
        alpha=zero,
        reset_value=zero,
        refractory=zero,
        bias=zero,
        spiking=flags,
        readout=~flags,
    )
    return build_image(p, n, weights.astype(np.int64), tight=tight)
