"""The recurrent part of a network: leaky integrate-and-fire neurons and their graph."""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = [
    "LONGEST",
    "Recurrent",
    "check_delays",
    "check_mask",
    "check_positive",
    "check_shapes",
    "freeze_arrays",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recurrent:
    """Recurrent network of heterogeneous leaky integrate-and-fire neurons.

    Time constants are in time steps, potentials in the units of ``threshold``; weights are
    ``[target, source]``. Arrays are stored as read-only float32 copies (masks bool, ``sign`` int8,
    ``refractory``, ``cluster`` and ``layer`` int32).

    Parameters
    ----------
    w_rec, mask_rec : ``(N, N)`` weights and the fixed graph; weights are 0 off the graph.
    tau_mem : ``(N,)``, above 0; the potential decays by ``exp(-1 / tau_mem)`` per step.
    tau_syn : ``(N,)``, above 0, or None for no synaptic current.
    threshold : ``(N,)``, above 0.
    refractory : ``(N,)`` steps, at least 0, for which ``v`` is held after a spike.
    bias : ``(N,)`` added in each step.
    sign : ``(N,)`` +1 or -1: the excitatory or inhibitory population a source was drawn from.
    cluster : ``(N,)`` at least 0, the population a time constant was drawn for, or None for one.
    layer : ``(N,)`` at least 0, the layer of each neuron, or None for one layer. Inputs reach the
        first layer, readouts see the last.
    tau_adapt, jump : ``(N,)``, or both None for no adaptation. Each spike raises the neuron's
        threshold by ``jump``, at least 0; the rise decays by ``exp(-1 / tau_adapt)`` per step
        (ALIF, Bellec et al. 2018, arXiv 1803.09574).
    delay_rec : ``(N, N)`` whole steps in 0..63 that spikes wait at each synapse, beyond the step
        that every spike takes; or None for no delays. Off the graph it has no meaning.
    reset : "subtract" the threshold on a spike (not its rise), or "zero".
    fires : "at" the threshold (``v >= threshold``), or "above" it (``v > threshold``).

    Raises
    ------
    TriodiaError
        If a shape or value is out of range.
    """

    w_rec: np.ndarray
    mask_rec: np.ndarray
    tau_mem: np.ndarray
    threshold: np.ndarray
    refractory: np.ndarray
    bias: np.ndarray
    sign: np.ndarray
    tau_syn: np.ndarray | None = None
    cluster: np.ndarray | None = None
    layer: np.ndarray | None = None
    tau_adapt: np.ndarray | None = None
    jump: np.ndarray | None = None
    delay_rec: np.ndarray | None = None
    reset: str = "subtract"
    fires: str = "at"

    BY_NEURON: ClassVar[tuple[str, ...]] = (
        *("tau_mem", "tau_syn", "threshold", "refractory", "bias", "sign", "cluster", "layer"),
        *("tau_adapt", "jump"),
    )

    def __post_init__(self) -> None:
        freeze_arrays(self)
        if self.w_rec.ndim != 2 or not self.w_rec.size:
            raise TriodiaError(f"w_rec must be a square matrix, not {self.w_rec.shape}")
        n = self.w_rec.shape[0]
        check_shapes(self, w_rec=(n, n), mask_rec=(n, n), **dict.fromkeys(self.BY_NEURON, (n,)))
        check_delays(self, delay_rec=(n, n))
        check_positive(self, "tau_mem", "tau_syn", "threshold", "tau_adapt")
        if (self.tau_adapt is None) != (self.jump is None):
            raise TriodiaError("tau_adapt and jump must both be given, or neither")
        for name in ("refractory", "cluster", "layer", "jump"):
            value = getattr(self, name)
            if value is not None and np.any(value < 0):
                raise TriodiaError(f"{name} must be 0 or more, not {value.min()}")
        if not np.all(np.abs(self.sign) == 1):
            raise TriodiaError("sign must be +1 or -1 for every neuron")
        if self.reset not in ("subtract", "zero"):
            raise TriodiaError(f"reset must be 'subtract' or 'zero', not {self.reset!r}")
        if self.fires not in ("at", "above"):
            raise TriodiaError(f"fires must be 'at' or 'above', not {self.fires!r}")
        check_mask(self.w_rec, self.mask_rec, "w_rec")

    @property
    def neurons(self) -> int:
        """Recurrent neurons."""
        return self.w_rec.shape[0]

    @property
    def adaptive(self) -> bool:
        """Whether any neuron's spikes raise its threshold."""
        return self.jump is not None and bool(self.jump.any())

    @property
    def synapses(self) -> int:
        """Recurrent synapses of the graph, whatever their weight."""
        return int(self.mask_rec.sum())

    @property
    def depth(self) -> int:
        """Layers; 1 for a network without."""
        return 1 if self.layer is None else int(self.layer.max()) + 1

    @property
    def layers(self) -> tuple[int, ...]:
        """Neurons of each layer."""
        if self.layer is None:
            return (self.neurons,)
        return tuple(np.bincount(self.layer).tolist())

    def blocks(self) -> np.ndarray:
        """Number of the pair of layers that each place of the graph joins, ``(N, N)`` from 0."""
        layer = np.zeros(self.neurons, np.int64) if self.layer is None else self.layer
        return layer[:, None] * self.depth + layer

    def places(self) -> np.ndarray:
        """Where the graph may have synapses, ``(N, N)`` bool: between layers that are joined.

        No neuron is joined to itself.
        """
        blocks, apart = self.blocks(), ~np.eye(self.neurons, dtype=bool)
        if self.depth == 1:
            return apart
        return np.isin(blocks, np.unique(blocks[self.mask_rec])) & apart


_DTYPES = {"mask_rec": bool, "mask_in": bool, "mask_out": bool, "sign": np.int8}
_DTYPES |= dict.fromkeys(("refractory", "cluster", "layer", "lane"), np.int32)
_DTYPES |= dict.fromkeys(("delay_rec", "delay_in", "delay_out"), np.int32)
LONGEST = 63  # steps that a synapse can wait


def freeze_arrays(part: object) -> None:
    """Replace each array field of a frozen dataclass by a checked read-only copy."""
    for f in fields(part):
        value = getattr(part, f.name)
        if f.type in (np.ndarray, np.ndarray | None) and value is not None:
            object.__setattr__(part, f.name, _frozen(f.name, value))


def _frozen(name: str, value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # refused below
        array = np.array(value, _DTYPES.get(name, np.float32))  # always a copy: ours to freeze
    if array.dtype == np.float32 and not np.all(np.isfinite(array)):
        raise TriodiaError(f"{name} must be finite everywhere; it holds NaN or infinity")
    array.setflags(write=False)
    return array


def check_shapes(part: object, **shapes: tuple[int, ...]) -> None:
    """Raise :class:`TriodiaError` unless each array that is not None has its shape."""
    for name, shape in shapes.items():
        value = getattr(part, name)
        if value is not None and value.shape != shape:
            raise TriodiaError(f"{name} must have shape {shape}, not {value.shape}")


def check_delays(part: object, **shapes: tuple[int, int]) -> None:
    """Raise :class:`TriodiaError` unless each matrix that is not None has whole steps in range."""
    check_shapes(part, **shapes)
    for name in shapes:
        delay = getattr(part, name)
        if delay is not None and delay.size and not 0 <= delay.min() <= delay.max() <= LONGEST:
            wrong = delay.min() if delay.min() < 0 else delay.max()
            raise TriodiaError(f"{name} must be in 0..{LONGEST} steps, not {wrong}")


def check_positive(part: object, *names: str) -> None:
    """Raise :class:`TriodiaError` unless each array that is not None is above 0."""
    for name in names:
        value = getattr(part, name)
        if value is not None and np.any(value <= 0):
            raise TriodiaError(f"{name} must be above 0 everywhere, not {value.min()}")


def check_mask(weights: np.ndarray, mask: np.ndarray, name: str) -> None:
    """Raise :class:`TriodiaError` if a weight outside its mask is not 0."""
    if np.any(weights[~mask]):
        raise TriodiaError(f"{name} must be 0 outside its mask")
