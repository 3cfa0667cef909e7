"""A network and its image on the same samples."""

from collections.abc import Callable

import numpy as np

from triodia_hw.machine.image import Image

from ..network.network import Network
from ..tasks.own import labelled
from ..tasks.samples import TaskData
from ..train.loop import evaluate
from .inference import evaluate_image

__all__ = ["compare_on"]


def compare_on(
    net: Network, image: Image, data: TaskData, progress: Callable[[int, int], None] | None = None
) -> dict:
    """Metrics of ``net`` and of its ``image`` on the held-out samples; None without labels.

    ``clipped`` is the fraction of all input values that lie outside the input range.
    """
    integer = evaluate_image(image, data, progress=progress)
    known = labelled(data)
    valid = np.arange(data.x_test.shape[1]) < data.len_test[:, None]
    z = net.trained().coding.standardise(data.x_test[valid])
    return {
        "metric_float": evaluate(net, data)["accuracy"] if known else None,
        "metric_integer": integer["metric"] if known else None,
        "samples": integer["samples"],
        "rate": integer["rate"],
        "sops_per_sample": integer["sops_per_sample"],
        "clipped": float((np.abs(z) > net.trained().input_clip).mean()),
    }
