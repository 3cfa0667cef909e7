"""Layout of a network for the dense baseline, which stores and visits every weight.

The baseline has as many PEs as the event-driven machine, follows the same contract, and does the
least work possible without events. Its gateware is :mod:`.gateware.dense`.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ContractError
from ..machine.image import Image
from ..machine.params import MachineParams
from ..machine.words import neuron_fields, width_of
from .contents import contents
from .storage import block_count

__all__ = ["Dense", "dense"]

_FINISH = 13  # cycles from the last weight of a step to its end, less a PE each
_MOST_WORDS = 1 << 20  # that a machine's parameters can name
_STALL = 13  # the same for the neurons before: a neuron's weights, if there are fewer, wait


@dataclass(frozen=True)
class Dense:
    """A network laid out for the dense machine.

    Parameters
    ----------
    image : its neurons are assigned to PEs round-robin, spiking ones first.
    groups : slots of each PE that hold neurons that can spike: their weights are stored.
    """

    image: Image
    groups: int

    @property
    def visits(self) -> int:
        """Weights of a neuron: one for each input and for each place that can hold a spike."""
        p = self.image.params
        return p.inputs + p.lanes * self.groups

    @property
    def weight_words(self) -> int:
        """Weights that each PE stores and visits in a step."""
        return self.image.params.slots * self.visits

    def contents(self) -> list[dict[str, list[int]]]:
        """Words of the content memories of each PE: ``weights``, neuron after neuron, in the order
        inputs, slot 0 of each PE, slot 1 of each PE, …; and ``neurons``."""
        image, p = self.image, self.image.params
        own = np.zeros((p.lanes * p.slots, p.sources), np.int64)
        rows = np.repeat(np.arange(image.row_start.size - 1), np.diff(image.row_start))
        lane, slot = np.divmod(image.slot, p.slots)
        column = np.concatenate([np.arange(p.inputs), p.inputs + slot * p.lanes + lane])
        own[image.slot[image.target], column[rows]] = image.weight
        words = own[:, : self.visits] & ((1 << p.weight_bits) - 1)  # the others never spike
        words = words.reshape(p.lanes, -1).tolist()
        made = contents(image)
        return [
            {"weights": own, "neurons": lane["neurons"]}
            for own, lane in zip(words, made, strict=True)
        ]

    def step_cycles(self, events: np.ndarray) -> np.ndarray:
        """Cycles of each step with ``events`` input events; exact if no output word waits."""
        p = self.image.params
        wait = max(0, _STALL + p.lanes - self.visits)  # few weights: the update takes longer
        sweep = self.weight_words + (p.slots - 1) * wait + _FINISH + p.lanes
        return np.asarray(events) + 1 + sweep

    def blocks(self) -> int:
        """ECP5 block RAMs of weights and neurons; smaller memories are distributed RAM."""
        depths = {"weights": self.weight_words, "neurons": self.image.params.slots}
        counts = (block_count(width, depths[name]) for name, width in self.widths().items())
        return self.image.params.lanes * sum(counts)

    def widths(self) -> dict[str, int]:
        """Bits of a word of each content memory, by name."""
        p = self.image.params
        return {"weights": p.weight_bits, "neurons": width_of(neuron_fields(p))}


def dense(image: Image) -> Dense:
    """Lay out the network of ``image`` for a dense machine with the same number of PEs.

    Raises
    ------
    ContractError
        If the network has delays: the dense machine keeps no events.
    """
    p = image.params
    if p.delays:
        raise ContractError("the dense machine has no delays; compare a network without them")
    order = np.argsort(~image.neurons.spiking, kind="stable")
    slot = np.empty(p.neurons, np.int64)
    k = np.arange(p.neurons)
    slot[order] = k % p.lanes * p.slots + k // p.lanes
    groups = max(1, -(-int(image.neurons.spiking.sum()) // p.lanes))
    roomy = _roomy(p, image)
    return Dense(replace(image, params=roomy, slot=slot), groups)


def _roomy(p: MachineParams, image: Image) -> MachineParams:
    """``p`` with room for any placement of sparse rows, which the dense machine ignores."""
    words = max(1, min(image.synapses, _MOST_WORDS))
    room = {"gap_bits": 14, "synapse_words": words, "row_words": p.slots, "rows_per_pointer": 1}
    return replace(p, **room, external=False)
