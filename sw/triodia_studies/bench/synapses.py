"""Training along the synapses beside dense matrices: CPU time of a time step and of an update.

``python -m triodia_studies.bench.synapses`` prints a JSON line for each size and density: forward
and backward through 20 steps of a batch of 32, and an update by AdamW with clipped gradients and a
running mean of the weights. Both ways run in turns; the best of three counts.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.train.model import SpikingModel

__all__ = ["main", "row"]

_INPUTS, _CLASSES, _ROUNDS = 20, 10, 3
CASES = [(n, d) for n in (500, 1000, 2000, 4096) for d in (0.02, 0.06, 0.1, 0.2, 0.3)]


class _Run:
    """One of the two ways, with what an update needs."""

    def __init__(self, x: Tensor, neurons: int, density: float, sparse: bool) -> None:
        net = with_inputs(new_network(neurons, 0, density=density), x.numpy(), _CLASSES)
        self.x, self.lengths = x, torch.full((len(x),), x.shape[1])
        self.model, self.synapses = SpikingModel(net, sparse=sparse), net.synapses
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=0.0)
        self.mean = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
        )

    def gradient(self) -> None:
        self.optimiser.zero_grad()
        self.model(self.x, self.lengths).v_out.mean((1, 2)).sum().backward()

    def update(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.mean.update_parameters(self.model)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of CPU, and on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)


def row(neurons: int, density: float, *, batch: int = 32, steps: int = 20) -> dict:
    """Milliseconds of a time step and of an update, dense and sparse."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((batch, steps, _INPUTS))).float()
    runs = {name: _Run(x, neurons, density, name == "sparse") for name in ("dense", "sparse")}
    best: dict[str, tuple[float, float]] = {}
    for _ in range(_ROUNDS + 1):  # the first warms up
        for name, run in runs.items():
            for part in ("gradient", "update"):
                key = f"{name}_{part}"
                best[key] = min(best.get(key, (np.inf, 0.0)), _timed(getattr(run, part)))
    per = {"gradient": steps, "update": 1}
    found = {f"{k}_ms": round(best[k][0] / per[k.split("_")[1]], 3) for k in sorted(best)}
    wall = {f"{k}_ms_clock": round(best[f"{k}_gradient"][1] / steps, 3) for k in runs}
    shape = {"neurons": neurons, "density": density, "synapses": runs["dense"].synapses}
    return shape | {"threads": torch.get_num_threads()} | found | wall


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--neurons", type=int, nargs="*")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    for neurons, density in CASES:
        if not asked.neurons or neurons in asked.neurons:
            print(json.dumps(row(neurons, density)), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"peak_gibibytes": round(peak, 2)}))


if __name__ == "__main__":
    main()
