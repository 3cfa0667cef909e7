"""Inputs and readouts for a network from arrays alone."""

import numpy as np

from ..network.network import Network
from ..tasks.own import OWN_TASK
from ..tasks.recipe import recipe_for
from ..tasks.samples import TaskData, from_parts
from ..train.attach import attach_to
from ..train.settings import Settings

__all__ = ["with_inputs"]


def with_inputs(
    net: Network, x: np.ndarray, classes: int, *, seed: int = 0, lengths: np.ndarray | None = None
) -> Network:
    """``net`` with random inputs and readouts for samples ``x`` ``(samples, steps, inputs)``.

    The input scaling is that of ``x``; ``lengths`` ``(samples,)`` are its valid steps, by default
    all. Settings are those of ``triodia train --data``.
    """
    x = np.asarray(x, np.float32)
    lengths = np.full(len(x), x.shape[1]) if lengths is None else np.asarray(lengths)
    part = (x, lengths, np.zeros(len(x), np.int64))
    data: TaskData = from_parts(part, part)
    recipe = Settings(**recipe_for(data))
    return attach_to(net, OWN_TASK, x.shape[2], classes, data, seed, recipe)
