"""Random recurrent networks: dense or thinned, heterogeneous, balanced."""

import numpy as np

from triodia_hw.errors import TriodiaError

from ..ranges import check_finite
from .network import Network

__all__ = ["balanced_weights", "new_network", "random_mask"]

_MOST = 1 << 16  # neurons; a dense matrix of them takes 32 GiB


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
    """Weights on ``mask`` with the ``sign`` of their source, such that the two signs balance.

    ``|N(0, 1)|``, inhibition larger by the ratio of the populations; then all are scaled so that
    ``gain`` is the root mean square, over neurons, of a neuron's summed squares.
    """
    excitatory = int((sign > 0).sum())
    scale = np.where(sign > 0, 1.0, excitatory / (len(sign) - excitatory))
    weights = np.abs(rng.standard_normal(mask.shape)) * (sign * scale) * mask
    return weights * (gain / np.sqrt(max((weights**2).sum() / len(sign), 1e-12)))


def new_network(
    neurons: int,
    seed: int,
    *,
    density: float = 1.0,
    ei_ratio: float = 0.8,
    tau_mean: float = 8.0,
    tau_shape: float = 3.0,
    tau_syn_mean: float | None = None,
    refractory: int = 0,
    gain: float = 1.0,
    reset: str = "subtract",
) -> Network:
    """Random heterogeneous recurrent network, no self connections, thresholds 1, no bias.

    ``tau_mem`` (and ``tau_syn``) are gamma-distributed with shape ``tau_shape`` and the given mean,
    at least one step. A fraction ``ei_ratio`` of the neurons is excitatory (Dale's law at the
    start); inhibitory weights are larger so that excitation and inhibition balance. ``gain`` is the
    standard deviation of a neuron's summed weights, that is about the spectral radius of ``w_rec``.
    """
    if not 2 <= neurons <= _MOST:
        raise TriodiaError(f"neurons must be in 2..{_MOST}, not {neurons!r}")
    drawn = {"density": density, "ei_ratio": ei_ratio, "gain": gain, "tau_mean": tau_mean}
    drawn |= {"tau_shape": tau_shape, "tau_syn_mean": tau_syn_mean}
    check_finite(drawn)
    if not 0 < ei_ratio < 1:
        raise TriodiaError(f"ei_ratio must be between 0 and 1, not {ei_ratio!r}")
    if min(tau_mean, tau_shape, tau_mean if tau_syn_mean is None else tau_syn_mean) <= 0:
        raise TriodiaError("tau_mean, tau_shape and tau_syn_mean must be above 0")
    rng = np.random.default_rng(seed)
    mask = random_mask((neurons, neurons), density, rng) & ~np.eye(neurons, dtype=bool)
    excitatory = min(max(1, round(ei_ratio * neurons)), neurons - 1)
    sign = rng.permutation(np.where(np.arange(neurons) < excitatory, 1, -1))

    def gamma(mean: float) -> np.ndarray:
        return np.maximum(1.0, rng.gamma(tau_shape, mean / tau_shape, neurons))

    net = Network(
        w_rec=balanced_weights(mask, sign, gain, rng),
        mask_rec=mask,
        tau_mem=gamma(tau_mean),
        tau_syn=None if tau_syn_mean is None else gamma(tau_syn_mean),
        threshold=np.ones(neurons),
        refractory=np.full(neurons, refractory),
        bias=np.zeros(neurons),
        sign=sign,
        reset=reset,
    )
    return net.with_provenance(command="new", neurons=neurons, seed=seed, **drawn)
