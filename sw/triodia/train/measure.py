"""Accuracy, activity and synaptic operations of a trained network."""

import numpy as np
import torch
from torch import Tensor

from ..network.network import Network
from ..tasks.events import EventSamples
from ..tasks.samples import TaskData
from .device import find_device
from .model import SpikingModel

__all__ = ["EventInputs", "batches", "evaluate", "tensors"]

_BATCH = 2000  # samples evaluated at once: a trace of all of a large task would fill the memory
_VALUES = 1 << 25  # most values of a trace, or of its inputs, at once


class EventInputs:
    """Scaled inputs of event samples, made dense for the samples that are asked for."""

    def __init__(
        self, net: Network, x: EventSamples, lengths: np.ndarray, place: torch.device
    ) -> None:
        self.net, self.x, self.lengths, self.place = net, x, lengths, place
        self.shape = (len(x), x.steps + net.trained().input_tail, x.inputs)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Inputs ``(chosen, steps, channels)`` of the samples ``index``."""
        chosen = index.cpu().numpy()
        scaled, _ = self.net.model_inputs(self.x[chosen], self.lengths[chosen])
        return torch.tensor(scaled).to(self.place)


def batches(net: Network, x: Tensor | EventInputs) -> tuple[Tensor, ...]:
    """Indices of the samples of ``x``, as many at once as the memory is meant to hold."""
    _, steps, inputs = x.shape
    size = min(_BATCH, max(1, _VALUES // (steps * max(inputs, net.neurons))))
    return torch.arange(x.shape[0]).split(size)


def tensors(
    net: Network, data: TaskData, split: str, place: torch.device
) -> tuple[Tensor | EventInputs, Tensor, Tensor]:
    """Samples of ``split`` as the model of ``net`` runs them, their lengths and classes."""
    x, lengths, y = (getattr(data, f"{part}_{split}") for part in ("x", "len", "y"))
    if isinstance(x, EventSamples):
        ends = torch.tensor(lengths + net.trained().input_tail).to(place)
        return EventInputs(net, x, lengths, place), ends, torch.tensor(y).to(place)
    return tuple(torch.tensor(a).to(place) for a in (*net.model_inputs(x, lengths), y))


def evaluate(
    net: Network, data: TaskData, *, split: str = "test", device: str = "cpu"
) -> dict[str, float]:
    """Accuracy, rate and synaptic operations of a trained network on a split.

    ``rate`` is spikes per recurrent neuron and valid step. ``sops_*`` are synaptic operations per
    sample: stored synapses reached by the events (nonzero inputs, spikes of all steps but the
    last) of a sample.
    """
    place = find_device(device)
    x, lengths, y = tensors(net, data, split, place)
    model = SpikingModel(net).to(place)
    with torch.no_grad():
        found = [_counted(model, x[k], lengths[k], y[k]) for k in batches(net, x)]
    correct, fired, sent, events = (np.sum(part, axis=0) for part in zip(*found, strict=True))
    sops = {
        "sops_in": float(events / len(y) @ net.trained().mask_in.sum(0)),
        "sops_rec": float(sent / len(y) @ net.mask_rec.sum(0)),
        "sops_out": float(sent / len(y) @ net.trained().mask_out.sum(0)),
    }
    rate = float(fired) / (lengths.sum().item() * net.neurons)
    samples = {"samples": len(y), "steps": lengths.double().mean().item()}
    scores = {"accuracy": float(correct) / len(y), "rate": rate}
    return scores | sops | {"sops": sum(sops.values())} | samples


def _counted(model: SpikingModel, x: Tensor, lengths: Tensor, y: Tensor) -> tuple:
    """Sums over a batch: right answers, spikes, spikes that arrive by neuron, events by input."""
    trace = model(x, lengths)
    correct = (trace.v_out.sum(1).argmax(1) == y).sum()
    step = torch.arange(x.shape[1], device=x.device)
    arriving = (step < lengths[:, None] - 1)[..., None]
    valid = (step < lengths[:, None])[..., None]
    sums = (
        correct,
        trace.spikes.double().sum(),
        (trace.spikes * arriving).sum((0, 1)),
        ((x != 0) & valid).sum((0, 1)),
    )
    return tuple(part.double().cpu().numpy() for part in sums)
