"""The network that every command reads and writes: plain arrays, checked on construction."""

from dataclasses import dataclass, fields, replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..ranges import check_finite

__all__ = ["Network", "balanced_weights", "new_network", "random_mask"]

_MOST = 1 << 16  # neurons; a dense matrix of them takes 32 GiB
_DTYPES = {"mask_rec": bool, "mask_in": bool, "mask_out": bool, "sign": np.int8}
_DTYPES |= {"refractory": np.int32, "cluster": np.int32, "lane": np.int32}
_BY_NEURON = ("tau_mem", "tau_syn", "threshold", "refractory", "bias", "sign", "cluster", "lane")
_TASK = ("w_in", "mask_in", "w_out", "mask_out", "tau_out", "bias_out", "input_mean", "input_std")


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Recurrent network of heterogeneous leaky integrate-and-fire neurons, and its task part.

    Time constants are in time steps, potentials in the units of ``threshold``; weights are
    ``[target, source]``. Arrays are stored as read-only float32 copies (masks bool, ``sign`` int8,
    ``refractory`` int32).

    Parameters
    ----------
    w_rec, mask_rec : ``(N, N)`` weights and the fixed graph; weights are 0 off the graph.
    tau_mem : ``(N,)``, above 0; the potential decays by ``exp(-1 / tau_mem)`` a step.
    tau_syn : ``(N,)``, above 0, or None for no synaptic current.
    threshold : ``(N,)``, above 0; a neuron spikes at ``v >= threshold``.
    refractory : ``(N,)`` steps, at least 0, for which ``v`` is held after a spike.
    bias : ``(N,)`` added each step.
    sign : ``(N,)`` +1 or -1: excitatory or inhibitory population a source was drawn from.
    cluster : ``(N,)`` at least 0, the population a time constant was drawn for, or None for one.
    lane : ``(N,)`` at least 0, the PE that pruning meant a neuron for, or None (any will do).
    reset : "subtract" the threshold on a spike, or "zero".
    task : name of the task, None before training, as are all fields below.
    w_in, mask_in : ``(N, I)``.
    w_out, mask_out : ``(O, N)``.
    tau_out, bias_out : ``(O,)`` readouts: leaky integrators that never spike.
    tau_syn_out : ``(O,)`` their synaptic currents, or None (always, but for imported networks).
    input_mean, input_std : ``(I,)`` of the training set, to standardise inputs with.
    input_clip : standardised inputs are clipped to ``+-input_clip``.
    provenance : one dict a step: command, parameters, seed, version, what it measured.

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
    lane: np.ndarray | None = None
    reset: str = "subtract"
    task: str | None = None
    w_in: np.ndarray | None = None
    mask_in: np.ndarray | None = None
    w_out: np.ndarray | None = None
    mask_out: np.ndarray | None = None
    tau_out: np.ndarray | None = None
    bias_out: np.ndarray | None = None
    tau_syn_out: np.ndarray | None = None
    input_mean: np.ndarray | None = None
    input_std: np.ndarray | None = None
    input_clip: float | None = None
    provenance: tuple[dict, ...] = ()

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.type in (np.ndarray, np.ndarray | None) and value is not None:
                object.__setattr__(self, f.name, _frozen(f.name, value))
        object.__setattr__(self, "provenance", tuple(self.provenance))
        self._check_recurrent()
        if self.task is not None:
            self._check_task()
        elif any(getattr(self, name) is not None for name in (*_TASK, "tau_syn_out", "input_clip")):
            raise TriodiaError("task must be named when there are input or readout weights")

    def _check_recurrent(self) -> None:
        if self.w_rec.ndim != 2 or not self.w_rec.size:
            raise TriodiaError(f"w_rec must be a square matrix, not {self.w_rec.shape}")
        n = self.w_rec.shape[0]
        self._check_shapes({"w_rec": (n, n), "mask_rec": (n, n)})
        given = (name for name in _BY_NEURON if getattr(self, name) is not None)
        self._check_shapes(dict.fromkeys(given, (n,)))
        _check_positive(self, "tau_mem", "tau_syn", "threshold")
        if np.any(self.refractory < 0):
            raise TriodiaError(f"refractory must be 0 or more, not {self.refractory.min()}")
        for name in ("cluster", "lane"):
            value = getattr(self, name)
            if value is not None and np.any(value < 0):
                raise TriodiaError(f"{name} must be 0 or more, not {value.min()}")
        if not np.all(np.abs(self.sign) == 1):
            raise TriodiaError("sign must be +1 or -1 for every neuron")
        if self.reset not in ("subtract", "zero"):
            raise TriodiaError(f"reset must be 'subtract' or 'zero', not {self.reset!r}")
        _check_mask(self.w_rec, self.mask_rec, "w_rec")

    def _check_task(self) -> None:
        for name in (*_TASK, "input_clip"):
            if getattr(self, name) is None:
                raise TriodiaError(f"{name} must be given when the task is named")
        if self.w_in.ndim != 2 or self.w_out.ndim != 2 or not self.w_in.size or not self.w_out.size:
            raise TriodiaError(
                "w_in and w_out must be matrices with at least one input and readout"
            )
        n, i, o = self.neurons, self.w_in.shape[1], self.w_out.shape[0]
        self._check_shapes({"w_in": (n, i), "mask_in": (n, i), "w_out": (o, n), "mask_out": (o, n)})
        self._check_shapes({"tau_out": (o,), "bias_out": (o,)})
        self._check_shapes({"input_mean": (i,), "input_std": (i,)})
        if self.tau_syn_out is not None:
            self._check_shapes({"tau_syn_out": (o,)})
        _check_positive(self, "tau_out", "tau_syn_out", "input_std")
        if not 0 < self.input_clip < np.inf:
            raise TriodiaError(f"input_clip must be above 0, not {self.input_clip!r}")
        _check_mask(self.w_in, self.mask_in, "w_in")
        _check_mask(self.w_out, self.mask_out, "w_out")

    def _check_shapes(self, shapes: dict[str, tuple[int, ...]]) -> None:
        for name, shape in shapes.items():
            got = getattr(self, name).shape
            if got != shape:
                raise TriodiaError(f"{name} must have shape {shape}, not {got}")

    @property
    def neurons(self) -> int:
        """Recurrent neurons."""
        return self.w_rec.shape[0]

    @property
    def synapses(self) -> int:
        """Recurrent synapses of the graph, whatever their weight."""
        return int(self.mask_rec.sum())

    @property
    def inputs(self) -> int:
        """Input channels; 0 before training."""
        return 0 if self.w_in is None else self.w_in.shape[1]

    @property
    def readouts(self) -> int:
        """Readout neurons; 0 before training."""
        return 0 if self.w_out is None else self.w_out.shape[0]

    def counts(self) -> dict[str, int]:
        """Neurons, synapses, and the same with input and readout counted."""
        s_in = 0 if self.mask_in is None else int(self.mask_in.sum())
        s_out = 0 if self.mask_out is None else int(self.mask_out.sum())
        return {
            "neurons": self.neurons,
            "inputs": self.inputs,
            "readouts": self.readouts,
            "synapses": self.synapses,
            "synapses_in": s_in,
            "synapses_out": s_out,
            "synapses_total": self.synapses + s_in + s_out,
        }

    def scale_input(self, x: np.ndarray) -> np.ndarray:
        """Standardise ``(..., I)`` by the training set's mean and std, then clip; float32."""
        if self.task is None:
            raise TriodiaError("the network must be trained before it can take inputs; run train")
        if x.shape[-1] != self.inputs:
            raise TriodiaError(f"inputs must have {self.inputs} channels, not {x.shape[-1]}")
        scaled = (np.asarray(x, np.float32) - self.input_mean) / self.input_std
        return np.clip(scaled, -self.input_clip, self.input_clip).astype(np.float32)

    def subnetwork(self, keep: np.ndarray) -> "Network":
        """The network of the neurons ``keep`` (distinct indices), in that order."""
        keep = np.asarray(keep, np.int64)
        inside = keep.ndim == 1 and keep.size and np.all((keep >= 0) & (keep < self.neurons))
        if not inside or np.unique(keep).size != keep.size:
            raise TriodiaError(f"keep must be distinct neurons in 0..{self.neurons - 1}")
        part = {name: getattr(self, name)[np.ix_(keep, keep)] for name in ("w_rec", "mask_rec")}
        for name in (*_BY_NEURON, "w_in", "mask_in"):
            value = getattr(self, name)
            part[name] = None if value is None else value[keep]
        for name in ("w_out", "mask_out"):
            value = getattr(self, name)
            part[name] = None if value is None else value[:, keep]
        return replace(self, **part)

    def with_provenance(self, **step: object) -> "Network":
        """The same network with one more step (JSON values) in its history."""
        return replace(self, provenance=(*self.provenance, step))


def _frozen(name: str, value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # refused below
        array = np.array(value, _DTYPES.get(name, np.float32))  # always a copy: ours to freeze
    if array.dtype == np.float32 and not np.all(np.isfinite(array)):
        raise TriodiaError(f"{name} must be finite everywhere; it holds NaN or infinity")
    array.setflags(write=False)
    return array


def _check_positive(net: Network, *names: str) -> None:
    for name in names:
        value = getattr(net, name)
        if value is not None and np.any(value <= 0):
            raise TriodiaError(f"{name} must be above 0 everywhere, not {value.min()}")


def _check_mask(weights: np.ndarray, mask: np.ndarray, name: str) -> None:
    if np.any(weights[~mask]):
        raise TriodiaError(f"{name} must be 0 outside its mask")


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
