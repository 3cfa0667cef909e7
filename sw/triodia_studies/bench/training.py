"""CPU time of a time step in training, ours beside snnTorch's: forward and backward through 100
steps of a batch, without optimiser and augmentation, one thread.

``python -m triodia_studies.bench.training`` prints a JSON line per kind of neuron: 128 neurons, all
synapses, 12 inputs, 10 readouts. Each runs in turns with snnTorch's RLeaky, or RSynaptic where
there is a synaptic current. Those have neither refractory period nor adaptation, so ours does more
there. The limit are the recurrent matrix products, which both need.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.train.model import SpikingModel

__all__ = ["main"]

_NEURONS, _INPUTS, _CLASSES, _STEPS, _ROUNDS = 128, 12, 10, 100, 7
_KINDS = {
    "default": {},
    "reset to zero": {"reset": "zero"},
    "refractory period": {"refractory": 2},
    "synaptic current": {"tau_syn_mean": 4.0},
    "adaptive": {"adaptive": 0.5, "tau_adapt": 20.0, "jump": 0.2},
    "all of them": {
        "reset": "zero",
        "refractory": 2,
        "tau_syn_mean": 4.0,
        "adaptive": 0.5,
        "tau_adapt": 20.0,
        "jump": 0.2,
    },
}


def _ours(x: Tensor, options: dict) -> tuple[Callable[[], Tensor], nn.Module]:
    """The loss of a run, and its model."""
    net = with_inputs(new_network(_NEURONS, 0, density=1.0, **options), x.numpy(), _CLASSES)
    model = SpikingModel(net)
    lengths = torch.full((len(x),), x.shape[1])
    return lambda: model(x, lengths).v_out.mean((1, 2)).sum(), model


class _SnnTorch(nn.Module):
    def __init__(self, synaptic: bool) -> None:
        super().__init__()
        kind, rates = snntorch.RLeaky, {"beta": 0.9}
        if synaptic:
            kind, rates = snntorch.RSynaptic, {"alpha": 0.8, "beta": 0.9}
        self.given, self.out = nn.Linear(_INPUTS, _NEURONS), nn.Linear(_NEURONS, _CLASSES)
        self.hidden = kind(**rates, linear_features=_NEURONS, init_hidden=True)
        self.readout = snntorch.Leaky(beta=0.9, reset_mechanism="none")

    def forward(self, x: Tensor) -> Tensor:
        """Sum of all readouts over the steps, as ours."""
        self.hidden.reset_mem()
        out, total = self.readout.init_leaky(), 0.0
        for now in self.given(x).unbind(1):
            _, out = self.readout(self.out(self.hidden(now)), out)
            total = total + out.sum()
        return total


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _products(x: Tensor) -> Callable[[], None]:
    """The recurrent matrix products alone: there and back each step, and the weights' gradient."""
    w, s = torch.randn(_NEURONS, _NEURONS), torch.randn(_STEPS, len(x), _NEURONS)

    def run() -> None:
        for now in s:
            now @ w
            now @ w.T
        s.flatten(0, 1).T @ s.flatten(0, 1)

    return run


def row(kind: str, batch: int) -> dict:
    """Milliseconds a time step of both, best of the rounds, and their ratio."""
    torch.manual_seed(0)
    x = torch.tensor(np.random.default_rng(0).standard_normal((batch, _STEPS, _INPUTS))).float()
    theirs = _SnnTorch("tau_syn_mean" in _KINDS[kind])
    runs = {"ours": _ours(x, _KINDS[kind]), "snntorch": (lambda: theirs(x), theirs)}
    best = dict.fromkeys(runs, np.inf)
    for _ in range(_ROUNDS):
        for name, (loss, model) in runs.items():
            model.zero_grad()
            best[name] = min(best[name], _timed(lambda loss=loss: loss().backward()))
    best["products"] = min(_timed(_products(x)) for _ in range(_ROUNDS))
    found = {f"{name}_ms_a_step": round(1e3 * s / _STEPS, 3) for name, s in best.items()}
    ratio = round(best["snntorch"] / best["ours"], 1)
    return {"neuron": kind, "batch": batch} | found | {"over_snntorch": ratio}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, nargs="*", default=[27, 128])
    torch.set_num_threads(1)
    for batch in parser.parse_args().batch:
        for kind in _KINDS:
            print(json.dumps(row(kind, batch)), flush=True)


if __name__ == "__main__":
    main()
