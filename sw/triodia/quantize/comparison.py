"""A network and its image on the same samples."""

from collections.abc import Callable

import numpy as np
import torch

from triodia_hw.machine.image import Image
from triodia_hw.machine.trace import trace

from ..network.network import Network
from ..tasks.events import EventSamples
from ..tasks.own import labelled
from ..tasks.samples import TaskData
from ..train.measure import evaluate
from ..train.model import SpikingModel
from .inference import evaluate_image, input_events

__all__ = ["agreement", "compare_on"]


def compare_on(
    net: Network, image: Image, data: TaskData, progress: Callable[[int, int], None] | None = None
) -> dict:
    """Metrics of ``net`` and of its ``image`` on the held-out samples; None without labels.

    Beside them what :func:`agreement` says. ``clipped`` is the fraction of all input values that
    lie outside the input range.
    """
    integer = evaluate_image(image, data, progress=progress)
    known = labelled(data)
    return agreement(net, image, data) | {
        "metric_float": evaluate(net, data)["accuracy"] if known else None,
        "metric_integer": integer["metric"] if known else None,
        "samples": integer["samples"],
        "rate": integer["rate"],
        "sops_per_sample": integer["sops_per_sample"],
        "clipped": _clipped(net, data),
    }


def _clipped(net: Network, data: TaskData) -> float:
    """Fraction of all input values that lie outside the input range."""
    coding, valid = net.trained().coding, data.len_test
    if isinstance(data.x_test, EventSamples):
        most = coding.clip * coding.std.min()  # all channels share a scale
        beyond = sum(int((counts > most).sum()) for counts in data.x_test.counts())
        return beyond / (int(valid.sum()) * coding.inputs)
    z = coding.standardise(data.x_test[np.arange(data.x_test.shape[1]) < valid[:, None]])
    return float((np.abs(z) > coding.clip).mean())


def agreement(net: Network, image: Image, data: TaskData, *, limit: int = 50) -> dict:
    """How far the spikes of ``image`` are those of ``net``, on at most ``limit`` held-out samples.

    ``spikes_agree``: of all spikes in either, the share that are in both, in the same step; 1.0 if
    none spikes. ``worst_neuron``, ``worst_agrees``: the neuron of the least share, and that share.
    """
    chosen = np.linspace(0, len(data.x_test) - 1, min(limit, len(data.x_test))).astype(int)
    x, lengths = data.x_test[chosen], data.len_test[chosen]
    with torch.no_grad():
        model = SpikingModel(net)
        inputs = (torch.tensor(part) for part in net.model_inputs(x, lengths))
        real = model(*inputs).spikes.numpy() > 0
    both, either = np.zeros(net.neurons), np.zeros(net.neurons)
    for sample, sequence in zip(real, input_events(image, x, lengths), strict=True):
        step = sample[: len(sequence)]
        fired = trace(image, sequence).spikes[:, : net.neurons]
        both += (fired & step).sum(axis=0)
        either += (fired | step).sum(axis=0)
    shares = np.divide(both, either, out=np.ones(net.neurons), where=either > 0)
    return {
        "spikes_agree": float(both.sum() / either.sum()) if either.any() else 1.0,
        "worst_neuron": int(shares.argmin()),
        "worst_agrees": float(shares.min()),
    }
