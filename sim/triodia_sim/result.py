"""What a co-simulation found, whichever way it ran."""

from dataclasses import asdict, dataclass, field

from .scoreboard import Divergence, Sequence

__all__ = ["CosimResult", "exact_sequences"]

_EXACT = 400  # steps whose cycles are predicted, at most


@dataclass(frozen=True)
class CosimResult:
    """What a co-simulation compared and found.

    ``cycles`` are clock cycles from the start to the end of the last step, counted at the ports;
    ``counters`` the machine's own counters then; ``ends`` the cycle in which each step ended.
    ``exercise``: steps and words compared after the samples; ``mismatches`` counts those too.
    ``seen``, if it was recorded, is what the hardware put out in each step: ``spikes``, the
    neurons that spiked, and ``readouts``, a value by neuron.
    """

    simulator: str
    steps: int
    spikes: int
    words: int
    operations: int
    mismatches: int
    cycles: int
    cycles_per_step: float
    counters: dict[str, int]
    ends: list[int]
    first: Divergence | None
    waveform: str | None
    exercise: dict[str, int] = field(default_factory=dict)
    seen: list[dict] | None = None

    def as_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)


def exact_sequences(sequences: list[Sequence]) -> list[Sequence]:
    """The first sequences, of about 400 steps: the cycle model is no faster than a simulation."""
    some = 0
    while some < len(sequences) and sum(map(len, sequences[:some])) < _EXACT:
        some += 1
    return sequences[:some]
