"""Inputs and readouts of a network before it is trained for a task."""

import math
from dataclasses import replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.head import Head
from ..network.network import Network
from ..network.random import random_mask
from ..prune.hardware import even_places
from ..tasks.catalog import Task, TaskData
from ..tasks.events import EventSamples
from .settings import Settings

__all__ = ["attach", "attach_to"]


def attach(net: Network, task: Task, data: TaskData, seed: int, s: Settings) -> Network:
    """Give ``net`` random input and readout weights and the input scaling for ``task``."""
    return attach_to(net, task.name, task.inputs, task.classes, data, seed, s)


def attach_to(
    net: Network, name: str, inputs: int, classes: int, data: TaskData, seed: int, s: Settings
) -> Network:
    """The same for a task that has but a ``name`` and numbers of ``inputs`` and ``classes``.

    Inputs reach the first layer of a layered network, and readouts see the last. Each layer after
    the first adds a step without input to every sample, so that its last steps count.
    """
    rng = np.random.default_rng([seed, 1])
    mean, std, strength = _scaling(data, s)
    first, last = _layer(net, 0), _layer(net, net.depth - 1)
    mask_in = np.zeros((net.neurons, inputs), bool)
    mask_in[first] = random_mask((len(first), inputs), s.input_density, rng)
    if net.lane is not None:
        mask_in[first] = _even(mask_in[first], net.lane[first], rng)
    w_in = rng.standard_normal(mask_in.shape) * mask_in
    w_in *= s.input_gain / math.sqrt(s.input_density * inputs) / strength
    mask_out = np.zeros((classes, net.neurons), bool)
    mask_out[:, last] = True
    w_out = np.zeros(mask_out.shape)
    w_out[:, last] = rng.standard_normal((classes, len(last))) / math.sqrt(len(last))
    head = Head(
        task=name,
        w_in=w_in,
        mask_in=mask_in,
        w_out=w_out,
        mask_out=mask_out,
        tau_out=np.full(classes, s.tau_out),
        bias_out=np.zeros(classes),
        input_mean=mean,
        input_std=std,
        input_clip=s.input_clip,
        input_tail=net.depth - 1,
    )
    return replace(net, head=head, bias=net.bias + _spread(net, seed, s))


def _scaling(data: TaskData, s: Settings) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and std ``(inputs,)`` that scale inputs, and the root mean square of scaled ones.

    Event counts keep their mean, so that silence stays silence and costs the machine nothing. All
    channels share one scale: by the root mean square, but so that two events in a step are within
    the clip.
    """
    if isinstance(data.x_train, EventSamples):
        total = sum(float((counts**2.0).sum()) for counts in data.x_train.counts())
        size = math.sqrt(total / (data.len_train.sum() * data.x_train.inputs))
        unit = max(size, 2 / s.input_clip)
        inputs = data.x_train.inputs
        return np.zeros(inputs), np.full(inputs, unit), max(size, 1e-3) / unit
    valid = np.arange(data.x_train.shape[1]) < data.len_train[:, None]
    seen = data.x_train[valid]  # (all valid steps, inputs)
    std = seen.std(axis=0)
    # A constant channel, a dark pixel, stays 0.
    return seen.mean(axis=0), np.where(std > 1e-6, std, 1.0), 1.0


def _layer(net: Network, number: int) -> np.ndarray:
    """Neurons of a layer."""
    found = np.arange(net.neurons) if net.layer is None else np.flatnonzero(net.layer == number)
    if not found.size:
        raise TriodiaError(
            f"Layer {number} of the network has no neurons left; prune fewer neurons (`--nodes`)."
        )
    return found


def _spread(net: Network, seed: int, s: Settings) -> np.ndarray:
    """Biases ``(N,)`` that hold silent neurons between ``-bias_spread`` and as much of threshold.

    With few inputs, neurons would else differ in little more than the sign and size of a weight.
    """
    level = np.random.default_rng([seed, 13]).uniform(-1, 1, net.neurons)
    return s.bias_spread * level * net.threshold * (1 - np.exp(-1 / net.tau_mem))


def _even(mask: np.ndarray, lane: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many places in every column, even over the PEs that the neurons are meant for."""
    load, anywhere = np.zeros(int(lane.max()) + 1), np.ones(len(mask), bool)
    columns = [
        even_places(anywhere, rng.random(len(mask)), int(n), lane, load) for n in mask.sum(0)
    ]
    return np.stack(columns, axis=1)
