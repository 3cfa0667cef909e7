"""Random graphs and balanced weights, for networks and for their parts."""

import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = ["balanced_weights", "random_mask"]


def random_mask(shape: tuple[int, int], density: float, rng: np.random.Generator) -> np.ndarray:
    """Bool ``shape`` with ``round(density * rows)`` (at least 1) places in every column."""
    if not 0 < density <= 1:
        raise TriodiaError(f"density must be above 0 and at most 1, not {density!r}")
    places = max(1, round(density * shape[0]))
    rank = rng.random(shape).argsort(axis=0).argsort(axis=0)
    return rank < places


def balanced_weights(
    mask: np.ndarray, sign: np.ndarray, gain: float, rng: np.random.Generator
) -> np.ndarray:
    """Weights on ``mask`` ``(targets, sources)`` with the ``sign`` of their source, balanced.

    ``|N(0, 1)|``, inhibition larger by the ratio of the populations; then all are scaled so that
    ``gain`` is the root mean square, over targets, of a neuron's summed squares.
    """
    excitatory = int((sign > 0).sum())
    scale = np.where(sign > 0, 1.0, excitatory / (len(sign) - excitatory))
    weights = np.abs(rng.standard_normal(mask.shape)) * (sign * scale) * mask
    return weights * (gain / np.sqrt(max((weights**2).sum() / len(mask), 1e-12)))
