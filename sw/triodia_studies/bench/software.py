"""Steps per CPU second of the same network in software, one thread: the integer reference, plain
and compiled, snnTorch, torch with sparse weights, and numpy with scipy's.

``python -m triodia_studies.bench.software`` prints a JSON line per kind: 1,000 neurons, 5 % of
the synapses, 20 inputs of which a third send in a step.
"""

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse
import snntorch
import torch

from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.machine.events import EventList
from triodia_hw.machine.image import Image
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.trace import trace

__all__ = ["main"]

_NEURONS, _DENSITY, _INPUTS, _STEPS, _ROUNDS = 1000, 0.05, 20, 2000, 5
_DRIVE = 0.3  # of the inputs, for the activity of a trained network


def _samples() -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((_STEPS, _INPUTS)).astype(np.float32)
    return x * (rng.random(x.shape) < 1 / 3) * _DRIVE


def _plain(image: Image, events: EventList) -> Callable[[], int]:
    steps = events.lists()

    def run() -> int:
        reference = Reference(image)
        return sum(len(reference.step(step).spikes) for step in steps)

    return run


def _snntorch(net: object, x: np.ndarray) -> Callable[[], int]:
    layer = snntorch.RLeaky(
        beta=torch.tensor(np.exp(-1 / net.tau_mem)).float(),
        linear_features=_NEURONS,
        reset_delay=False,
    )
    with torch.no_grad():
        layer.recurrent.weight.copy_(torch.tensor(net.w_rec))
        layer.recurrent.bias.zero_()

    def run() -> int:
        drive = torch.tensor(x @ net.head.w_in.T)
        spikes, v = torch.zeros(1, _NEURONS), torch.zeros(1, _NEURONS)
        total = torch.zeros(())
        with torch.no_grad():
            for now in drive:
                spikes, v = layer(now[None], spikes, v)
                total += spikes.sum()
        return int(total)

    return run


def _sparse(net: object, x: np.ndarray) -> Callable[[], int]:
    w, beta = scipy.sparse.csr_array(net.w_rec), np.exp(-1 / net.tau_mem).astype(np.float32)

    def run() -> int:
        drive = x @ net.head.w_in.T
        s, v, total = np.zeros(_NEURONS, np.float32), np.zeros(_NEURONS, np.float32), 0
        for now in drive:
            v = beta * v + now + w @ s
            s = (v >= 1).astype(np.float32)
            v -= s
            total += int(s.sum())
        return total

    return run


def _torch_sparse(net: object, x: np.ndarray) -> Callable[[], int]:
    w = torch.tensor(net.w_rec).to_sparse_csr()
    beta = torch.tensor(np.exp(-1 / net.tau_mem)).float()

    def run() -> int:
        drive = torch.tensor(x @ net.head.w_in.T)
        s, v, total = torch.zeros(_NEURONS, 1), torch.zeros(_NEURONS), torch.zeros(())
        for now in drive:
            v = beta * v + now + (w @ s)[:, 0]
            s = (v >= 1).float()[:, None]
            v = v - s[:, 0]
            total += s.sum()
        return int(total)

    return run


def main() -> None:
    """Measure all in turns, and print the best CPU time of each."""
    torch.set_num_threads(1)
    x = _samples()
    net = with_inputs(new_network(_NEURONS, 0, density=_DENSITY), x[None] / _DRIVE, 4)
    net = replace(net, bias=np.zeros(_NEURONS))
    image = quantize(net, None, QuantizeOptions())
    events = image.coding.event_list(image.params, x)
    scaled = net.scale_input(x)
    warnings.filterwarnings("ignore", "Sparse CSR")  # torch says that it is new
    kinds = {
        "integer reference, plain": _plain(image, events),
        "integer reference, compiled": lambda: int(trace(image, events).spikes.sum()),
        "snnTorch RLeaky": _snntorch(net, scaled),
        "torch, sparse weights": _torch_sparse(net, scaled),
        "numpy and scipy": _sparse(net, scaled),
    }
    best, spikes = dict.fromkeys(kinds, np.inf), {}
    for _ in range(_ROUNDS):
        for name, run in kinds.items():
            start = time.process_time()
            spikes[name] = run()
            best[name] = min(best[name], time.process_time() - start)
    for name, seconds in best.items():
        row = {"software": name, "steps_per_second": round(_STEPS / seconds)}
        row |= {"over_snntorch": round(best["snnTorch RLeaky"] / seconds, 1)}
        print(json.dumps(row | {"spikes_per_step": round(spikes[name] / _STEPS, 1)}))


if __name__ == "__main__":
    main()
