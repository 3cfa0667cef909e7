"""Training options for samples that nobody has tuned for: as many updates as it takes."""

import math

from .events import EventSamples
from .samples import TaskData

__all__ = ["SHD", "recipe_for"]

_UPDATES = 1200  # fewer leave small sets underfitted (docs/training.md)
_BATCH = 16
_EPOCHS = (10, 400)
# SHD and SSC: long, sparse series of 700 channels. Not tried on the recordings themselves.
SHD = {"epochs": 60, "batch": 64, "lr": 0.005, "noise": 0.0, "shift": 0.0, "warp": 0.1}
SHD |= {"dropout": 0.1, "input_gain": 1.0, "tau_out": 20.0, "target_rate": 0.1}
_REACH = 4  # inputs that reach a neuron, at least, as far as there are so many


def recipe_for(data: TaskData) -> dict:
    """Options of ``train.settings.Settings`` for the size and length of ``data``.

    Small sets get small batches and many epochs, so that every set gets about 1,200 updates. Inputs
    are strong and biases spread, so that neurons differ even where there is one input. Little is
    added to samples and nothing is silenced: what suits one kind of data harms another.
    """
    samples, steps, inputs = data.x_train.shape
    events = isinstance(data.x_train, EventSamples)  # noise would be an event in every channel
    batch = min(_BATCH, max(4, samples // 3)) if samples < 1000 else 64
    epochs = math.ceil(_UPDATES / math.ceil(samples / batch))
    return {
        "batch": batch,
        "epochs": min(max(epochs, _EPOCHS[0]), _EPOCHS[1]),
        "noise": 0.0 if events else 0.1,
        "shift": 0.0,
        "warp": 0.0,
        "dropout": 0.0,
        "input_gain": 2.0,
        "input_density": min(1.0, max(0.25, _REACH / inputs)),
        "bias_spread": 1.0,
        "tau_out": float(min(max(steps / 8, 8.0), 64.0)),
        "target_rate": 0.1,
    }
