"""Training without gradients: ridge readout on a frozen recurrent part, STDP of that part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.catalog import Task
from ..tasks.samples import TaskData
from .loop import Settings, attach
from .model import SpikingModel

__all__ = ["StdpSettings", "mean_traces", "ridge_readout", "stdp"]

_BATCH = 500


def mean_traces(net: Network, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What the readout of each neuron alone would average to over a sample, and the bias's part.

    ``(B, N + 1)``: mean over valid steps of the readout potential that a weight of 1 from a neuron
    (last: a bias of 1) gives. A readout is a linear map of these, its argmax the class. ``net``
    must be attached to a task; all its readouts have the first one's time constant.
    """
    n, tau = net.neurons, float(net.trained().tau_out[0])
    alone = net.with_head(
        w_out=np.eye(n),
        mask_out=np.ones((n, n), bool),
        tau_out=np.full(n, tau),
        bias_out=np.zeros(n),
        tau_syn_out=None,
    )
    model = SpikingModel(alone)
    parts = []
    with torch.no_grad():
        for index in np.split(np.arange(len(x)), range(_BATCH, len(x), _BATCH)):
            scaled, steps = map(torch.tensor, net.model_inputs(x[index], lengths[index]))
            parts.append((model(scaled, steps).v_out.sum(1) / steps[:, None]).numpy())
    decay, lengths = np.exp(-1 / tau), np.asarray(lengths) + net.trained().input_tail
    ramp = np.cumsum((1 - decay ** np.arange(1, lengths.max() + 1)) / (1 - decay))
    bias = ramp[np.asarray(lengths) - 1] / lengths
    return np.hstack([np.concatenate(parts), bias[:, None]]).astype(np.float64)


def ridge_readout(
    net: Network,
    task: Task,
    data: TaskData,
    *,
    seed: int = 0,
    penalties: Sequence[float] = (1e-3, 1e-2, 1e-1, 1.0, 10.0),
    settings: Settings | None = None,
) -> Network:
    """``net`` with random inputs for ``task`` and the ridge readout of its frozen recurrent part.

    Regression of one-hot classes on ``mean_traces``; the penalty, relative to the features' mean
    square, is the one with the best accuracy on a held-out fifth of the training samples. A
    network that is attached already keeps its inputs.
    """
    if net.head is None:
        net = attach(net, task, data, seed, settings or Settings())
    f = mean_traces(net, data.x_train, data.len_train)
    goal = np.eye(task.classes)[data.y_train]
    held = np.zeros(len(f), bool)
    held[np.random.default_rng([seed, 15]).permutation(len(f))[: len(f) // 5]] = True

    def fit(rows: np.ndarray, penalty: float) -> np.ndarray:
        gram = f[rows].T @ f[rows]
        size = penalty * max(np.trace(gram) / len(gram), 1e-12)
        return np.linalg.solve(gram + 1e-2 * size * np.eye(len(gram)), f[rows].T @ goal[rows])

    def score(penalty: float) -> float:
        return float(((f[held] @ fit(~held, penalty)).argmax(1) == data.y_train[held]).mean())

    w = fit(np.ones(len(f), bool), max(penalties, key=score)).T
    return net.with_head(w_out=w[:, :-1], bias_out=w[:, -1], tau_syn_out=None)


@dataclass(frozen=True, kw_only=True)
class StdpSettings:
    """Options of ``stdp``."""

    epochs: int = 1
    batch: int = 32
    rate: float = 0.02  # largest relative growth of a weight by one pairing
    tau: float = 8.0  # of both traces, steps
    depression: float = 1.05  # of what post before pre takes, over what pre before post gives
    bound: float = 4.0  # largest weight over the mean weight of the network

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 1 or self.rate <= 0 or self.tau <= 0:
            raise TriodiaError("epochs must be 0 or more, batch 1 or more, rate and tau above 0")


def stdp(net: Network, data: TaskData, s: StdpSettings | None = None, *, seed: int = 0) -> Network:
    """Recurrent weights by unsupervised pair-based STDP on training samples; graph, signs stay.

    With traces ``x <- exp(-1/tau) x + spike`` of each neuron, a batch's mean of
    ``x_pre post - depression x_post pre`` (Song, Miller & Abbott 2000) times ``rate |w|`` changes
    excitatory weights, which stay within 0 and ``bound`` times the mean weight; inhibition stays.
    After each batch, every neuron's summed excitatory input is put back to what it was (synaptic
    scaling), so that rates stay where they were. ``net`` must be attached to the task.
    """
    s = s or StdpSettings()
    weights, rng = net.w_rec.astype(np.float64), np.random.default_rng([seed, 16])
    excitatory = net.mask_rec & (net.w_rec > 0)
    if not excitatory.any():
        return net
    total = (weights * excitatory).sum(1, keepdims=True)
    most = s.bound * weights[excitatory].mean()
    for _ in range(s.epochs):
        for index in np.array_split(
            rng.permutation(len(data.y_train)), -(-len(data.y_train) // s.batch)
        ):
            spikes = _spikes(replace(net, w_rec=weights), data, index)
            change = s.rate * _pairings(spikes, s) / len(index)
            weights = np.where(excitatory, np.clip(weights * (1 + change), 0, most), weights)
            now = (weights * excitatory).sum(1, keepdims=True)
            factor = np.divide(total, now, out=np.ones_like(now), where=now > 0)
            weights = np.where(excitatory, weights * factor, weights)
    return replace(net, w_rec=weights)


def _spikes(net: Network, data: TaskData, index: np.ndarray) -> np.ndarray:
    x, lengths = net.model_inputs(data.x_train[index], data.len_train[index])
    with torch.no_grad():
        return SpikingModel(net)(torch.tensor(x), torch.tensor(lengths)).spikes.numpy()


def _pairings(spikes: np.ndarray, s: StdpSettings) -> np.ndarray:
    """``(N, N)`` sum over samples and steps of ``post pre_trace - depression post_trace pre``."""
    decay, trace = np.exp(-1 / s.tau), np.zeros(spikes[:, 0].shape)
    pairs = np.zeros((spikes.shape[2],) * 2)
    for t in range(spikes.shape[1]):
        now = spikes[:, t]
        pairs += now.T @ trace - s.depression * trace.T @ now
        trace = decay * trace + now
    return pairs
