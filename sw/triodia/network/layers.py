"""Layers: populations one after another in one recurrent graph, and what joins them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from triodia_hw.errors import TriodiaError

from .draws import balanced_weights, random_mask

__all__ = ["FEED_GAIN", "Layers", "layer_mask", "layer_weights"]

# Root of a neuron's summed squares of feed-forward weights, over that of recurrent ones. Sources
# spike in about one step of twenty, so their weights must be larger than those of real inputs for
# the same drive (docs/training.md has the rates).
FEED_GAIN = 3.0


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Sizes of layers, and which are joined; each layer feeds the next.

    Parameters
    ----------
    sizes : neurons of each layer, at least 2.
    recurrent : whether the neurons of a layer are joined among themselves, one value per layer.
    skips : pairs ``(source, target)`` of layers, numbered from 0, that are joined as well.

    Raises
    ------
    TriodiaError
        If a layer is too small, values and layers differ in number, or a skip does not go forward
        past a layer.
    """

    sizes: tuple[int, ...]
    recurrent: tuple[bool, ...]
    skips: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 2:
            sizes = ", ".join(map(str, self.sizes)) or "none"
            raise TriodiaError(f"Every layer must have at least 2 neurons, got {sizes}.")
        if len(self.recurrent) != len(self.sizes):
            raise TriodiaError(
                f"recurrent must have one value for each of the {len(self.sizes)} layers,"
                f" got {len(self.recurrent)}."
            )
        last = len(self.sizes) - 1
        for source, target in self.skips:
            if not 0 <= source < target <= last:
                raise TriodiaError(
                    f"A skip must go from a layer to a later one, numbered from 0 to {last};"
                    f" got {source}-{target}."
                )
            if target == source + 1:
                raise TriodiaError(
                    f"Layer {source} feeds layer {target} already; leave out the skip"
                    f" {source}-{target}."
                )

    @property
    def layer(self) -> np.ndarray:
        """The layer of each neuron, ``(N,)``."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def joined(self) -> list[tuple[int, int]]:
        """Pairs ``(source, target)`` of joined layers: feed-forward, skips, then recurrent."""
        forward = [*pairwise(range(len(self.sizes))), *sorted(set(self.skips))]
        return forward + [(k, k) for k, inside in enumerate(self.recurrent) if inside]

    def record(self) -> dict[str, list]:
        """The same as JSON values."""
        pairs = [[*pair] for pair in self.skips]
        return {"layers": [*self.sizes], "recurrent": [*self.recurrent], "skips": pairs}

    def each(self, value: object, name: str) -> list:
        """``value`` for each layer: a list of as many, or one for all.

        Raises
        ------
        TriodiaError
            If there are not as many values as layers.
        """
        if value is None or not isinstance(value, Sequence | np.ndarray):
            return [value] * len(self.sizes)
        if len(value) == 1:
            return [*value] * len(self.sizes)
        if len(value) != len(self.sizes):
            raise TriodiaError(
                f"{name} must have one value, or one for each of the {len(self.sizes)} layers,"
                f" got {len(value)}."
            )
        return [*value]


def layer_mask(
    layers: Layers, density: Sequence[float], rng: np.random.Generator
) -> dict[tuple[int, int], np.ndarray]:
    """The graph by joined layers ``(source, target)``: bool ``(targets, sources)`` each.

    ``density`` of a layer is that of all synapses into it. No neuron is joined to itself.
    """
    blocks = {}
    for source, target in layers.joined:
        shape = layers.sizes[target], layers.sizes[source]
        mask = random_mask(shape, density[target], rng)
        blocks[source, target] = mask & ~np.eye(*shape, dtype=bool) if source == target else mask
    return blocks


def layer_weights(
    layers: Layers,
    blocks: dict[tuple[int, int], np.ndarray],
    sign: np.ndarray,
    gain: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and graph of the whole network, ``(N, N)``, from the graph by blocks.

    Every block is balanced by itself. Recurrent blocks have ``gain``. The feed-forward blocks and
    skips into a layer together have ``FEED_GAIN * gain``.
    """
    where = [np.flatnonzero(layers.layer == k) for k in range(len(layers.sizes))]
    total = sum(layers.sizes)
    weights, whole = np.zeros((total, total)), np.zeros((total, total), bool)
    for (source, target), mask in blocks.items():
        feeding = sum(t == target and s != t for s, t in blocks)
        strength = gain if source == target else FEED_GAIN * gain / np.sqrt(feeding)
        place = np.ix_(where[target], where[source])
        weights[place] = balanced_weights(mask, sign[where[source]], strength, rng)
        whole[place] = mask
    return weights, whole
