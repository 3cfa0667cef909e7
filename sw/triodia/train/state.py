"""What a run of the model holds and records."""

from typing import NamedTuple

from torch import Tensor

__all__ = ["State", "Trace"]


class State(NamedTuple):
    """State of a batch after a step."""

    v: Tensor  # (B, N) membrane potential
    u: Tensor  # (B, N) synaptic current
    rest: Tensor  # (B, N) refractory steps left
    spikes: Tensor  # (B, N) 0 or 1
    v_out: Tensor  # (B, O) readout potential
    u_out: Tensor  # (B, O) readout current
    b: Tensor  # (B, N) rise of the threshold


class Trace(NamedTuple):
    """What a run recorded; padded steps are 0 in ``spikes`` and ``v_out``."""

    spikes: Tensor  # (B, T, N)
    v: Tensor  # (B, T, N)
    v_out: Tensor  # (B, T, O)
