"""Time the same network in software on this computer, one sample at a time."""

import time
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch import Tensor

from triodia_hw.machine.image import Image
from triodia_hw.machine.reference import Reference
from triodia_sim.scoreboard import Sequence

from ..network.network import Network
from ..tasks.catalog import TaskData
from ..train.delays import arriving_late, delayed_sum
from ..train.model import SpikingModel

__all__ = ["peer_times"]

_ROUNDS = 5


def peer_times(net: Network, image: Image, data: TaskData, sequences: list[Sequence]) -> list[dict]:
    """Time several ways to run the network: ``name``, ``us_per_sample``, ``spikes_per_sample``.

    A network with delays is run by the first and the last only: the others have none.
    ``sequences`` are test samples, evenly spread, as the machine gets them; the others get the same
    samples as floats. One thread, no training; median of five rounds after a warm-up. Spikes per
    sample show that all compute about the same, up to rounding.
    """
    chosen = np.linspace(0, len(data.x_test) - 1, len(sequences)).astype(int)
    x, lengths = net.model_inputs(data.x_test[chosen], data.len_test[chosen])
    samples = [row[: int(n)] for row, n in zip(torch.tensor(x), lengths, strict=True)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            ways = {"torch, dense matrix": _torch(net, sparse=False)}
            if not net.delays:
                ways["torch, sparse matrix"] = _torch(net, sparse=True)
                ways["snntorch, RLeaky"] = _snntorch(net)
            rows = [_timed(name, way, samples) for name, way in ways.items()]
    finally:
        torch.set_num_threads(threads)
    return [*rows, _timed("integer reference, numpy", _reference(image), sequences)]


def _timed(name: str, run: Callable[[object], int], samples: list) -> dict:
    spikes, seconds = [run(sample) for sample in samples], []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for sample in samples:
            run(sample)
        seconds.append((time.perf_counter() - start) / len(samples))
    return {
        "name": name,
        "us_per_sample": round(1e6 * median(seconds), 1),
        "spikes_per_sample": sum(spikes) / len(samples),
    }


def _torch(net: Network, *, sparse: bool) -> Callable[[Tensor], int]:
    """Our own model's step; the recurrent matrix as CSR with ``sparse``, which takes no delays."""
    model = SpikingModel(net)
    c, longest = model.constants(), max(net.delays, default=0)
    to_inputs, *to_others = c["late"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support")
        rows = c["w_rec"].T.contiguous().to_sparse_csr() if sparse else None

    def run(x: Tensor) -> int:
        state, count = model.initial(1), 0
        drive = x @ c["w_in"] + (delayed_sum(x[None], to_inputs)[0] if to_inputs else 0)
        past = []
        for now in drive:
            if rows is not None:
                now = now + (rows @ state.spikes[0])
                state = model.step(now[None], state, {**c, "w_rec": _NONE}, state.spikes)
            else:
                sent = state.spikes
                late = tuple(arriving_late(past, weights) for weights in to_others)
                past = [sent, *past][:longest]
                state = model.step(now[None], state, c, sent, late)
            count += int(state.spikes.sum())
        return count

    return run


class _Nothing:
    """As the recurrent matrix of a step whose drive has its part already."""

    def __rmatmul__(self, other: Tensor) -> float:
        return 0.0


_NONE = _Nothing()


def _snntorch(net: Network) -> Callable[[Tensor], int]:
    """snnTorch's recurrent leaky neuron, with the network's weights, decays and thresholds."""
    import snntorch

    layer = snntorch.RLeaky(
        beta=torch.tensor(np.exp(-1 / net.tau_mem), dtype=torch.float32),
        linear_features=net.neurons,
        threshold=torch.tensor(net.threshold, dtype=torch.float32),
        reset_mechanism="subtract" if net.reset == "subtract" else "zero",
        reset_delay=False,
    )
    layer.recurrent.weight.copy_(torch.tensor(net.w_rec))
    layer.recurrent.bias.copy_(torch.tensor(net.bias))
    head = net.trained()
    w_in, w_out = torch.tensor(head.w_in).T, torch.tensor(head.w_out).T
    beta_out = torch.tensor(np.exp(-1 / head.tau_out), dtype=torch.float32)

    def run(x: Tensor) -> int:
        spikes, v = torch.zeros(1, net.neurons), torch.zeros(1, net.neurons)
        out, count = torch.zeros(1, head.readouts), 0
        for now in x @ w_in:
            out = beta_out * out + spikes @ w_out
            spikes, v = layer(now[None], spikes, v)
            count += int(spikes.sum())
        return count

    return run


def _reference(image: Image) -> Callable[[Sequence], int]:
    def run(sequence: Sequence) -> int:
        reference = Reference(image)
        return sum(len(reference.step(events).spikes) for events in sequence)

    return run
