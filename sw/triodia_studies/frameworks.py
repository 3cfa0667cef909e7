"""The same classifier in snnTorch and in norse, trained for as many updates as ours.

128 recurrent neurons, all synapses, each framework's own neuron and surrogate gradient with its
defaults, leaky readouts, mean readout over the steps, Adam. Nothing is tuned for a data set.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from triodia.tasks.recipe import recipe_for
from triodia.tasks.samples import TaskData
from triodia.train.settings import Settings

__all__ = ["FRAMEWORKS", "Scores", "updates"]

_NEURONS, _RATE, _BETA = 128, 0.005, 0.9


class Scores(NamedTuple):
    """Accuracy on training and test samples, and CPU seconds of an epoch."""

    train: float
    test: float
    seconds: float


class SnnTorch(nn.Module):
    """snnTorch's RLeaky with an all-to-all recurrent layer, and a Leaky readout without reset."""

    def __init__(self, inputs: int, classes: int) -> None:
        import snntorch

        super().__init__()
        self.given, self.out = nn.Linear(inputs, _NEURONS), nn.Linear(_NEURONS, classes)
        self.hidden = snntorch.RLeaky(beta=_BETA, linear_features=_NEURONS)
        self.readout = snntorch.Leaky(beta=_BETA, reset_mechanism="none")

    def forward(self, x: Tensor) -> Tensor:
        """Mean readout of each class, ``(batch, classes)``, of ``(batch, steps, inputs)``."""
        spikes, v = self.hidden.init_rleaky()
        out, total = self.readout.init_leaky(), 0.0
        for now in self.given(x).unbind(1):
            spikes, v = self.hidden(now, spikes, v)
            _, out = self.readout(self.out(spikes), out)
            total = total + out
        return total / x.shape[1]


class Norse(nn.Module):
    """norse's LIFRecurrentCell, and its leaky integrator as readout."""

    def __init__(self, inputs: int, classes: int) -> None:
        from norse.torch import LIFRecurrentCell, LILinearCell

        super().__init__()
        self.hidden = LIFRecurrentCell(inputs, _NEURONS)
        self.readout = LILinearCell(_NEURONS, classes)

    def forward(self, x: Tensor) -> Tensor:
        """As :meth:`SnnTorch.forward`."""
        state = out_state = None
        total = 0.0
        for now in x.unbind(1):
            spikes, state = self.hidden(now, state)
            out, out_state = self.readout(spikes, out_state)
            total = total + out
        return total / x.shape[1]


def updates(data: TaskData, own: bool) -> tuple[int, int]:
    """Epochs and batch of our training: the recipe of a user's ``own`` samples, else defaults."""
    how = recipe_for(data) if own else {}
    return how.get("epochs", Settings.epochs), how.get("batch", Settings.batch)


def _trained(module: Callable[[int, int], nn.Module]) -> Callable[[TaskData, int, bool], Scores]:
    """Training and testing of a module that ``module(inputs, classes)`` makes."""

    def classify(data: TaskData, seed: int, own: bool) -> Scores:
        torch.manual_seed(seed)
        epochs, batch = updates(data, own)
        mean, std = data.x_train.mean((0, 1)), data.x_train.std((0, 1)) + 1e-6
        x = [torch.tensor((p - mean) / std).float() for p in (data.x_train, data.x_test)]
        y = [torch.tensor(part) for part in (data.y_train, data.y_test)]
        model = module(x[0].shape[2], data.classes)
        optimiser = torch.optim.Adam(model.parameters(), lr=_RATE)
        start = time.process_time()
        for _ in range(epochs):
            for index in torch.randperm(len(y[0])).split(batch):
                optimiser.zero_grad()
                nn.functional.cross_entropy(model(x[0][index]), y[0][index]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
        seconds = (time.process_time() - start) / epochs
        with torch.no_grad():
            right = [
                (model(a).argmax(1) == b).double().mean().item() for a, b in zip(x, y, strict=True)
            ]
        return Scores(*right, round(seconds, 3))

    return classify


FRAMEWORKS: dict[str, Callable[[TaskData, int, bool], Scores]] = {
    "snnTorch": _trained(SnnTorch),
    "norse": _trained(Norse),
}
