"""Placement by the PEs that a network was pruned for (step H of LNP)."""

from dataclasses import replace

import numpy as np

from triodia_hw.compile.family import Family
from triodia_hw.compile.placement import loads
from triodia_hw.compile.storage import fit_storage
from triodia_hw.machine.image import Image

from ..network.network import Network

__all__ = ["as_planned", "busiest", "layers_of"]


def as_planned(
    image: Image, lane: np.ndarray, recording: np.ndarray, *, family: Family, tight: bool
) -> Image:
    """``image`` with neuron ``i`` in PE ``lane[i]``, if that makes its recorded steps shorter.

    Readouts, which ``lane`` ``(recurrent neurons,)`` does not name, fill the emptiest PEs. The
    image stays as it is if a PE would be too full, or if the machine's own placement is as good.
    ``recording`` is ``(steps, inputs + neurons)`` events.
    """
    p = image.params
    used = np.bincount(lane, minlength=p.lanes)
    if used.size > p.lanes or used.max() > p.slots:
        return image
    whole = list(lane)
    for _ in range(p.neurons - len(lane)):
        whole.append(int(used.argmin()))
        used[whole[-1]] += 1
    slot, next_slot = np.empty(p.neurons, np.int64), np.zeros(p.lanes, int)
    load = loads(p, image.row_start, image.target, recording)
    for neuron in np.argsort(-load.mean(axis=0), kind="stable"):
        k = whole[neuron]
        slot[neuron], next_slot[k] = k * p.slots + next_slot[k], next_slot[k] + 1
    storage = {"tight": tight, "family": family, "activity": recording}
    params = fit_storage(p, image.row_start, slot[image.target], **storage)
    planned = replace(image, params=params, slot=slot)
    return planned if busiest(planned, recording) < busiest(image, recording) else image


def layers_of(net: Network) -> list[int]:
    """Sizes of the network's runs of neurons: layers or imported populations, then readouts."""
    ends = {0, net.neurons, *np.cumsum(net.layers).tolist()}
    imported = [step["populations"] for step in net.provenance if "populations" in step]
    for population in imported[-1] if imported else ():
        ends |= {population["first"], population["first"] + population["neurons"]}
    cuts = sorted(end for end in ends if end <= net.neurons)
    return [*np.diff(cuts).tolist(), net.readouts]


def busiest(image: Image, recording: np.ndarray) -> float:
    """Words that the busiest PE walks in a step, mean over the recorded steps."""
    waits = image.params.waits
    words = image.segment_words().reshape(len(waits), recording.shape[1], -1)
    walked = np.zeros((len(recording), image.params.lanes))
    for wait, rows in zip(waits, words, strict=True):
        walked[wait:] += recording[: max(len(recording) - wait, 0)] @ rows
    return float(walked.max(axis=1).mean())
