"""Sparse graphs that take no notice of weights: rivals of pruning by a score.

Masks are ``(N, N)`` bool ``[target, source]`` with an exact number of synapses and no neuron that
drives itself.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network

__all__ = ["GRAPHS", "barabasi_albert", "erdos_renyi", "geohub", "regraphed"]

_READOUTS = 3  # neurons of GeoHub that start as hubs; its authors take the dimension of the data


def _exact(mask: np.ndarray, synapses: int, rng: np.random.Generator) -> np.ndarray:
    """``mask`` with synapses dropped or added at random until there are ``synapses``."""
    mask = mask & ~np.eye(len(mask), dtype=bool)
    surplus = int(mask.sum()) - synapses
    places = np.flatnonzero(mask if surplus > 0 else ~mask & ~np.eye(len(mask), dtype=bool))
    mask.flat[rng.permutation(places)[: abs(surplus)]] = surplus < 0
    return mask


def erdos_renyi(neurons: int, synapses: int, rng: np.random.Generator) -> np.ndarray:
    """Every graph of so many synapses is equally likely (Erdős & Rényi 1959)."""
    return _exact(np.zeros((neurons, neurons), bool), synapses, rng)


def barabasi_albert(neurons: int, synapses: int, rng: np.random.Generator) -> np.ndarray:
    """Growth with preferential attachment (Barabási & Albert 1999), each edge in both directions.

    Starts from a complete graph of ``m + 1`` neurons; each further neuron joins ``m`` others, drawn
    in proportion to their degree. ``m`` is the least by which there are enough synapses.
    """
    m = next((m for m in range(1, neurons) if m * (2 * neurons - m - 1) >= synapses), neurons - 1)
    joined = np.zeros((neurons, neurons), bool)
    joined[: m + 1, : m + 1] = True
    np.fill_diagonal(joined, False)
    for new in range(m + 1, neurons):
        degree = joined[:new].sum(axis=1)
        others = rng.choice(new, m, replace=False, p=degree / degree.sum())
        joined[new, others] = joined[others, new] = True
    return _exact(joined, synapses, rng)


def geohub(neurons: int, synapses: int, rng: np.random.Generator) -> np.ndarray:
    """GeoHub: few hubs that many neurons drive, and clustering (Hemmer et al., ICML 2024).

    Starts from a complete graph of the readouts. With ``k`` half of the mean degree, each neuron
    sends ``k`` synapses, to targets drawn in proportion to their in-degree + 0.05 (+ ``k`` for a
    readout), then receives ``k``, from sources in proportion to both degrees + ``k / 2`` + 0.1.
    """
    mask = np.zeros((neurons, neurons), bool)
    mask[:_READOUTS, :_READOUTS] = True
    half = max(1, round(synapses / neurons / 2))
    readout = np.arange(neurons) < _READOUTS
    for sending in (True, False):
        for i in range(neurons):
            into, out = mask.sum(axis=1), mask.sum(axis=0)
            chance = into + 0.05 + half * readout if sending else into + out + 0.1 + half / 2
            taken = mask[:, i] if sending else mask[i]
            chance = np.where(taken | (np.arange(neurons) == i), 0.0, chance)
            count = min(half, int((chance > 0).sum()))
            if not count:
                continue
            others = rng.choice(neurons, count, replace=False, p=chance / chance.sum())
            mask[(others, i) if sending else (i, others)] = True
    return _exact(mask, synapses, rng)


GRAPHS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "erdos-renyi": erdos_renyi,
    "barabasi-albert": barabasi_albert,
    "geohub": geohub,
}


def regraphed(net: Network, kind: str, synapses: int, seed: int) -> Network:
    """``net`` on a new graph of ``synapses``, one of ``GRAPHS``.

    Synapses that the network has keep their weight. New ones draw ``|w|`` from the weights there
    are, with the sign of their source.
    """
    most = net.neurons * (net.neurons - 1)
    if not 1 <= synapses <= most or not net.synapses:
        raise TriodiaError(f"a new graph must have 1 to {most} synapses, not {synapses}")
    rng = np.random.default_rng([seed, 14])
    mask = GRAPHS[kind](net.neurons, synapses, rng)
    drawn = rng.choice(np.abs(net.w_rec[net.mask_rec]), mask.shape) * net.sign
    return replace(net, w_rec=np.where(net.mask_rec, net.w_rec, drawn) * mask, mask_rec=mask)
