"""Exactness: the grid that a neuron's weights, threshold and bias already lie on."""

import numpy as np

__all__ = ["common_unit", "exact_scale"]

_ROUNDING = 2.0**-22  # relative; values are float32, and the unit comes from one of them
_SURE = 0.2  # a multiple whose rounding may be larger than this cannot be told from another


def exact_scale(
    weights: np.ndarray, fine: np.ndarray, *, least: int, greatest: int, parts: int, room: float
) -> float | None:
    """Integer units per unit of weight by which a neuron loses nothing, or None.

    ``weights`` ``(synapses,)`` become integers in ``least..greatest``; ``fine`` values (threshold,
    bias, jump) become multiples of ``1 / parts`` of a unit, at most ``room`` units. Of all such
    scales the largest: the potential of a leaky neuron is rounded least by it.
    """
    weights = weights[weights != 0]
    if not weights.size:
        return None
    unit = common_unit(weights, max(-least, greatest))
    if unit is None:
        return None
    whole, finest = np.rint(weights / unit), fine / unit * parts
    if not _integers(finest) or whole.min() < least or whole.max() > greatest:
        return None
    stretch = min(greatest / max(whole.max(), 1), least / min(whole.min(), -1))
    stretch = min(stretch, room * unit / max(np.abs(fine).max(), unit))
    return max(1, int(stretch + 1e-9)) / unit if stretch >= 1 else None


def common_unit(values: np.ndarray, most: int) -> float | None:
    """The largest unit of which all ``values`` (not 0) are multiples of at most ``most``; or None.

    Multiples may be off by what float32 rounds.
    """
    smallest, largest = np.abs(values).min(), np.abs(values).max()
    for multiple in range(1, int(most * smallest / largest + 0.5) + 1):
        unit = smallest / multiple
        if _integers(values[:4] / unit) and _integers(values / unit):
            whole = np.rint(values / unit)
            return float(values @ whole / (whole @ whole))  # of the least squared error
    return None


def _integers(values: np.ndarray) -> bool:
    """Whether ``values`` are integers, but for the rounding of float32."""
    slack = np.maximum(np.abs(values) * _ROUNDING, 1e-6)
    return bool(np.all(np.abs(values - np.rint(values)) <= slack) and slack.max() <= _SURE)
