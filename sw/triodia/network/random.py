"""Random recurrent networks: dense or thinned, heterogeneous, balanced; one layer or several."""

from collections.abc import Sequence

import numpy as np

from triodia_hw.errors import TriodiaError

from ..ranges import check_finite
from .draws import balanced_weights, random_mask
from .layers import Layers, layer_mask, layer_weights
from .network import Network
from .recurrent import LONGEST

__all__ = ["JUMP", "TAU_ADAPT", "balanced_weights", "new_network", "random_mask"]

TAU_ADAPT, JUMP = 40.0, 0.3  # time constant in steps, and rise per spike in thresholds
_MOST = 1 << 16  # neurons; a dense matrix of them takes 32 GiB


def new_network(
    neurons: int | None = None,
    seed: int = 0,
    *,
    density: float | Sequence[float] = 1.0,
    ei_ratio: float = 0.8,
    tau_mean: float | Sequence[float] = 8.0,
    tau_shape: float = 3.0,
    tau_syn_mean: float | Sequence[float] | None = None,
    refractory: int | Sequence[int] = 0,
    adaptive: float | Sequence[float] = 0.0,
    tau_adapt: float | Sequence[float] = TAU_ADAPT,
    jump: float | Sequence[float] = JUMP,
    max_delay: int = 0,
    gain: float = 1.0,
    reset: str = "subtract",
    layers: Sequence[int] | None = None,
    recurrent: Sequence[bool] | None = None,
    skips: Sequence[tuple[int, int]] = (),
) -> Network:
    """Random heterogeneous network, no self connections, thresholds 1, no bias.

    ``tau_mem`` (and ``tau_syn``) are gamma-distributed with shape ``tau_shape`` and the given mean,
    at least one step. A fraction ``ei_ratio`` of the neurons is excitatory (Dale's law at the
    start); inhibitory weights are larger so that excitation and inhibition balance. ``gain`` is the
    standard deviation of a neuron's summed weights, that is about the spectral radius of ``w_rec``.

    A fraction ``adaptive`` of the neurons raise their threshold by ``jump`` thresholds with each
    spike; the rise decays with the time constant ``tau_adapt``, in steps. Which neurons adapt
    changes nothing else that is drawn. Each recurrent synapse waits a whole number of steps, drawn
    evenly from 0 to ``max_delay``, at most 63; nothing else depends on that either.

    With ``layers``, the neurons of each, the network has several populations: each feeds the next,
    those of ``recurrent`` are joined among themselves (by default all), and ``skips`` join further
    pairs (:class:`~.layers.Layers`). Density, time constants, refractory steps and adaptation may
    then be lists with one value per layer.

    Raises
    ------
    TriodiaError
        If a value is out of range, or both or neither of ``neurons`` and ``layers`` are given.
    """
    plan = _plan(neurons, layers, recurrent, skips)
    drawn = {"density": density, "ei_ratio": ei_ratio, "gain": gain, "tau_mean": tau_mean}
    drawn |= {"tau_shape": tau_shape, "tau_syn_mean": tau_syn_mean}
    each = {name: plan.each(value, name) for name, value in drawn.items()}
    each["refractory"] = plan.each(refractory, "refractory")
    raises = {"adaptive": adaptive, "tau_adapt": tau_adapt, "jump": jump}
    each |= {name: plan.each(value, name) for name, value in raises.items()}
    _check(each)
    rng = np.random.default_rng(seed)
    graph = layer_mask(plan, each["density"], rng)
    sign = np.concatenate([_signs(size, ei_ratio, rng) for size in plan.sizes])
    weights, mask = layer_weights(plan, graph, sign, gain, rng)

    def gamma(means: list[float]) -> np.ndarray:
        return np.maximum(1.0, rng.gamma(tau_shape, np.repeat(means, plan.sizes) / tau_shape))

    net = Network(
        w_rec=weights,
        mask_rec=mask,
        tau_mem=gamma(each["tau_mean"]),
        tau_syn=None if tau_syn_mean is None else gamma(each["tau_syn_mean"]),
        threshold=np.ones(len(sign)),
        refractory=np.repeat(each["refractory"], plan.sizes),
        bias=np.zeros(len(sign)),
        sign=sign,
        layer=None if layers is None else plan.layer,
        reset=reset,
        delay_rec=_delays(mask, max_delay, seed),
        **_adaptation(plan, each, seed),
    )
    drawn |= raises if net.adaptive else {}
    drawn |= {"max_delay": max_delay} if max_delay else {}
    drawn |= {} if layers is None else plan.record()
    drawn = {name: [*v] if isinstance(v, Sequence) else v for name, v in drawn.items()}
    return net.with_provenance(command="new", neurons=net.neurons, seed=seed, **drawn)


def _plan(
    neurons: int | None,
    layers: Sequence[int] | None,
    recurrent: Sequence[bool] | None,
    skips: Sequence[tuple[int, int]],
) -> Layers:
    """The layers that were asked for; one if only their neurons were."""
    if (neurons is None) == (layers is None):
        both = "not both" if layers is not None else "got neither"
        raise TriodiaError(f"Pass either the number of neurons or the layers, {both}.")
    if layers is None and (recurrent is not None or skips):
        raise TriodiaError("recurrent and skips join layers; pass the layers too.")
    total = neurons if layers is None else sum(layers)
    if (layers is None and total < 2) or total > _MOST:
        raise TriodiaError(f"neurons must be in 2..{_MOST}, not {total!r}")
    sizes = (neurons,) if layers is None else tuple(map(int, layers))
    inside = (True,) * len(sizes) if recurrent is None else tuple(map(bool, recurrent))
    return Layers(sizes=sizes, recurrent=inside, skips=tuple(tuple(pair) for pair in skips))


def _check(each: dict[str, list]) -> None:
    """Raise :class:`TriodiaError` unless all values, one per layer, are in range."""
    for values in zip(*each.values(), strict=True):
        check_finite(dict(zip(each, values, strict=True)))
    if not all(0 < value < 1 for value in each["ei_ratio"]):
        raise TriodiaError(f"ei_ratio must be between 0 and 1, not {each['ei_ratio'][0]!r}")
    names = ("tau_mean", "tau_shape", "tau_syn_mean")
    if min(value for name in names for value in each[name] if value is not None) <= 0:
        raise TriodiaError("tau_mean, tau_shape and tau_syn_mean must be above 0")
    for name, least, most in (("adaptive", 0, 1), ("tau_adapt", 1, 1e6), ("jump", 0.001, 100)):
        wrong = [value for value in each[name] if not least <= value <= most]
        if wrong:
            raise TriodiaError(f"{name} must be between {least} and {most:g}, not {wrong[0]!r}")


def _adaptation(plan: Layers, each: dict[str, list], seed: int) -> dict[str, np.ndarray]:
    """``tau_adapt`` and ``jump`` of all neurons; nothing if none adapts."""
    if not any(each["adaptive"]):
        return {}
    rng = np.random.default_rng([seed, 23])  # one of its own: all else is drawn as without
    parts = []
    for size, share, jump in zip(plan.sizes, each["adaptive"], each["jump"], strict=True):
        count = max(round(share * size), share > 0)
        parts.append(jump * rng.permutation(np.arange(size) < count))
    return {"tau_adapt": np.repeat(each["tau_adapt"], plan.sizes), "jump": np.concatenate(parts)}


def _delays(mask: np.ndarray, most: int, seed: int) -> np.ndarray | None:
    """Steps that the synapses of ``mask`` wait; None if none does."""
    if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= LONGEST:
        raise TriodiaError(f"max_delay must be whole steps in 0..{LONGEST}, not {most!r}")
    rng = np.random.default_rng([seed, 29])  # one of its own: all else is drawn as without
    return rng.integers(0, most + 1, mask.shape) * mask if most else None


def _signs(neurons: int, ei_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """+1 for a fraction ``ei_ratio`` of the neurons and -1 for the others, in random order."""
    excitatory = min(max(1, round(ei_ratio * neurons)), neurons - 1)
    return rng.permutation(np.where(np.arange(neurons) < excitatory, 1, -1))
