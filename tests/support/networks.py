"""Random networks spread over the machine's parameter space."""

from dataclasses import replace

import numpy as np

from triodia_hw.compile.build import build_image
from triodia_hw.machine.image import Image
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.rows import segment_words, stored_segments


def random_image(
    seed: int,
    *,
    neurons: int = 12,
    readouts: int = 2,
    inputs: int = 3,
    density: float = 0.4,
    full_scale: bool = False,
    storage: dict | None = None,
    **params,
) -> Image:
    """Random network that spikes; ``full_scale`` puts all weights at the ends of their range.

    ``storage``: gap_bits and rows_per_pointer to use instead of the cheapest storage.
    """
    rng = np.random.default_rng(seed)
    if params.get("external"):  # words of 16 bits
        params = {"gap_bits": 16 - params.get("weight_bits", 8)} | params
    p = MachineParams(inputs=inputs, neurons=neurons, **params)
    limit = 1 << (p.weight_bits - 1)
    shape = (neurons, inputs + neurons)
    shape = (len(p.waits), *shape) if p.delays else shape
    weights = rng.integers(-limit, limit, shape)
    if full_scale:
        weights = np.where(weights < 0, -limit, limit - 1)
    weights *= rng.random(shape) < density
    if p.shared_rows:
        weights = repeated(weights, rng)
    spiking = np.arange(neurons) < neurons - readouts
    high = p.state_range[1]
    typical = max(1, min(high, (limit << p.fraction_bits) // 2))
    k, rest, bias = 1 << p.leak_bits, 1 << p.refractory_bits, 1 << max(p.bias_bits - 1, 0)
    n = NeuronParams(
        threshold=rng.integers(1, typical + 1, neurons),
        beta=rng.integers(k // 2, k + 1, neurons),
        alpha=rng.integers(0, k + 1, neurons),
        reset_value=rng.integers(-typical, typical, neurons),
        refractory=rng.integers(0, rest, neurons),
        bias=rng.integers(-bias, bias, neurons) if p.bias_bits else np.zeros(neurons, np.int64),
        spiking=spiking,
        readout=~spiking,
        rho=rng.integers(k // 2, k + 1, neurons) if p.adaptive else None,
        jump=rng.integers(0, typical + 1, neurons) if p.adaptive else None,
    )
    return stored(build_image(p, n, weights), **storage or {})


def repeated(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each source's weights are those of one of three sources, moved along the neurons."""
    found, neurons = np.zeros_like(weights), weights.shape[-2]
    for source in range(weights.shape[-1]):
        by = int(rng.integers(-neurons // 3, neurons // 3 + 1))
        like = weights[..., int(rng.integers(3))]
        kept = slice(max(0, -by), neurons - max(0, by))
        found[..., slice(max(0, by), neurons + min(0, by)), source] = like[..., kept]
    return found


def stored(image: Image, **storage) -> Image:
    """``image`` stored with other gap or pointer widths, and the words that takes."""
    if not storage:
        return image
    p = replace(image.params, **storage)
    slots = image.slot[image.target]
    words = segment_words(p, image.row_start, slots)
    kept = stored_segments(p, image.row_start, slots, image.weight)
    synapse_words = max(1, int((words * kept).sum(axis=0).max()))
    row_words = max(1, int(words.max()))
    p = replace(p, synapse_words=synapse_words, row_words=row_words)
    return replace(image, params=p)


def random_events(image: Image, steps: int, seed: int, rate: float = 0.6):
    """Input events of each step: ``[[(channel, payload), ...], ...]``."""
    rng = np.random.default_rng(seed)
    p = image.params
    limit = p.greatest_payload
    run = []
    for _ in range(steps):
        channels = np.flatnonzero(rng.random(p.inputs) < rate)
        payloads = rng.integers(-limit, limit, channels.size) if p.graded else channels * 0 + 1
        run.append(list(zip(channels.tolist(), payloads.tolist(), strict=True)))
    return run
