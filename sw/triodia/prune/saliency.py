"""Scores of synapses from a batch of samples: SNIP, GraSP and activity; the highest stay.

And iterative magnitude pruning, which trains on them.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.catalog import Task, TaskData
from ..train.attach import attach
from ..train.loop import settings_for, train
from ..train.model import SpikingModel
from .sampling import highest

__all__ = ["SALIENCIES", "flow_score", "iterative_magnitude", "saliency"]

SALIENCIES = ("snip", "grasp", "activity")
_BATCH = 256  # samples that a score sees
_ROUNDS = 5


def _ready(net: Network, task: Task, data: TaskData, seed: int) -> Network:
    """``net`` with inputs and readouts of the task: its own, or those training would start from."""
    if net.task == task.name:
        return net
    return attach(net, task, data, seed, settings_for(task, {}))


def saliency(kind: str, net: Network, task: Task, data: TaskData, seed: int) -> np.ndarray:
    """Score of every synapse on 256 training samples, ``(N, N)``.

    "snip": ``|w dL/dw|`` (Lee et al. 2019, arXiv 1810.02340, eq. 6). "grasp": ``w (H g)``, ``g``
    and ``H`` being gradient and Hessian of the loss; cutting the lowest lowers the flow of
    gradients least (Wang et al. 2020, arXiv 2002.07376, eq. 8). Gradients pass spikes by the
    surrogate derivative. "activity": ``|w|`` times the spikes that its source sends a step, the
    input that a synapse carries.
    """
    if kind not in SALIENCIES:
        raise TriodiaError(f"saliency must be one of {', '.join(SALIENCIES)}, not {kind!r}")
    model = SpikingModel(
        _ready(net, task, data, seed), slope=settings_for(task, {}).slope, sparse=False
    )
    model.written_out = False  # its written-out gradient cannot be differentiated again
    chosen = np.random.default_rng([seed, 15]).permutation(len(data.y_train))[:_BATCH]
    given = model.net.model_inputs(data.x_train[chosen], data.len_train[chosen])
    x, lengths, y = (torch.tensor(a) for a in (*given, data.y_train[chosen]))
    trace = model(x, lengths)
    if kind == "activity":
        rates = trace.spikes.detach().sum((0, 1)) / lengths.sum()
        return (model.w_rec.abs() * rates).detach().numpy().astype(np.float64)
    logits = trace.v_out.sum(1) / lengths[:, None]
    loss = torch.nn.functional.cross_entropy(logits, y)
    if kind == "grasp":
        return flow_score(loss, model.w_rec)
    (gradient,) = torch.autograd.grad(loss, model.w_rec)
    return (model.w_rec * gradient).abs().detach().numpy().astype(np.float64)


def flow_score(loss: Tensor, w: Tensor) -> np.ndarray:
    """``w (H g)`` of a scalar ``loss``, of the shape of ``w``."""
    (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
    product = torch.autograd.grad((gradient * gradient.detach()).sum(), w)[0]
    return (w * product).detach().numpy().astype(np.float64)


def iterative_magnitude(
    net: Network,
    keep: float,
    task: Task,
    data: TaskData,
    seed: int,
    *,
    rounds: int = _ROUNDS,
    group: np.ndarray | None = None,
    **options: object,
) -> Network:
    """Keep the fraction ``keep`` of the synapses by iterative magnitude pruning.

    Each of ``rounds`` trains, keeps the largest ``|w|`` up to ``keep^(k / rounds)``, and rewinds
    the rest to their values before training (Frankle & Carbin 2019, arXiv 1803.03635). Training
    the result with the same seed starts from the same inputs and readouts. ``group``: as in
    :func:`~.sampling.highest`. ``options`` are those of training.
    """
    mask = net.mask_rec
    for k in range(1, rounds + 1):
        now = replace(net, w_rec=net.w_rec * mask, mask_rec=mask)
        known = net.task == task.name
        trained, _ = train(now, task, data=data, seed=seed, keep=known, **options)
        size = np.where(mask, np.abs(trained.w_rec), -1.0)
        mask = np.zeros_like(mask)
        mask[net.mask_rec] = highest(size[net.mask_rec], keep ** (k / rounds), group)
    return replace(net, w_rec=net.w_rec * mask, mask_rec=mask)
