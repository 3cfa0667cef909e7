"""The integer contract: what one time step of the machine computes. Plain Python and numpy.

``docs/contract.md`` says the same in prose, with a worked example. The reference
(:mod:`triodia_hw.reference`) and the gateware (:mod:`triodia_hw.gateware`) both follow this
module; neither is tuned to the other.
"""

from dataclasses import dataclass, fields

import numpy as np

__all__ = [
    "ContractError",
    "MachineParams",
    "NeuronParams",
    "State",
    "bits_for",
    "decay",
    "saturate",
    "update",
]


class ContractError(ValueError):
    """Parameters, an image or an event that the machine cannot represent."""


def bits_for(count: int) -> int:
    """Bits of an unsigned field that holds ``0 .. count - 1``; at least 1."""
    return max(1, (count - 1).bit_length())


# name: (least, greatest) value of each integer parameter
_RANGES = {
    "inputs": (1, 1 << 14),
    "neurons": (1, 1 << 14),
    "lanes": (1, 32),
    "weight_bits": (2, 16),
    "payload_bits": (1, 12),
    "fraction_bits": (0, 10),
    "state_bits": (4, 24),
    "leak_bits": (1, 16),
    "accumulator_bits": (2, 40),
    "bias_bits": (0, 24),
    "refractory_bits": (0, 8),
    "synapse_words": (1, 1 << 20),
    "gap_bits": (1, 14),
    "row_words": (1, 1 << 14),
    "rows_per_pointer": (1, 8),
}


@dataclass(frozen=True, kw_only=True)
class MachineParams:
    """Sizes, widths and modes of a machine; checks itself.

    Parameters
    ----------
    inputs, neurons : number of input channels and of neurons (readouts included).
    lanes : processing elements (PEs), 1 to 32.
    weight_bits : signed weight.
    payload_bits : 1 for spike inputs, else the width of a signed graded input.
    fraction_bits : ``f``; a spike carries payload ``2**f``, a graded input ``x`` is ``x / 2**f``.
    state_bits : signed membrane potential, synaptic current, threshold and reset value.
    leak_bits : ``k``; a leak coefficient ``c`` in ``0 .. 2**k`` multiplies by ``c / 2**k``.
    accumulator_bits : signed sum of ``weight * payload``; must hold the worst case of the network.
    synaptic : whether neurons have a synaptic current ``u`` with a leak of its own.
    reset : ``"subtract"`` (``v - threshold``) or ``"value"`` (a value of each neuron's own).
    bias_bits, refractory_bits : width of these fields; 0 leaves them out.
    synapse_words : synapse words that each PE stores.
    gap_bits : bits of the distance from one target of a row to the next; longer distances take
        filler words. More than a slot number has are never used.
    row_words : greatest number of words of one row in one PE.
    rows_per_pointer : rows that share a pointer word, a power of two.

    Raises
    ------
    ContractError
        Naming the parameter, its range and what was given.
    """

    inputs: int
    neurons: int
    lanes: int
    weight_bits: int = 8
    payload_bits: int = 8
    fraction_bits: int = 5
    state_bits: int = 18
    leak_bits: int = 10
    accumulator_bits: int = 24
    synaptic: bool = False
    reset: str = "subtract"
    bias_bits: int = 0
    refractory_bits: int = 0
    synapse_words: int = 512
    gap_bits: int = 14
    row_words: int = 1 << 14
    rows_per_pointer: int = 1

    def __post_init__(self) -> None:
        for name, (least, greatest) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ContractError(f"{name} must be an integer, not {value!r}")
            if not least <= value <= greatest:
                raise ContractError(f"{name} must be in {least}..{greatest}, not {value}")
        if not isinstance(self.synaptic, bool):
            raise ContractError(f"synaptic must be true or false, not {self.synaptic!r}")
        if self.reset not in ("subtract", "value"):
            raise ContractError(f'reset must be "subtract" or "value", not {self.reset!r}')
        if self.rows_per_pointer & (self.rows_per_pointer - 1):
            raise ContractError(
                f"rows_per_pointer must be a power of two, not {self.rows_per_pointer}"
            )
        if self.bias_bits > self.state_bits:
            raise ContractError(
                f"bias_bits must be at most state_bits ({self.state_bits}), not {self.bias_bits}"
            )
        if self.refractory_bits >= self.state_bits:  # read back as a membrane potential
            raise ContractError(
                f"refractory_bits must be less than state_bits ({self.state_bits}), "
                f"not {self.refractory_bits}"
            )

    @property
    def slots(self) -> int:
        """Neuron slots of each PE; the last ones may be empty."""
        return -(-self.neurons // self.lanes)

    @property
    def sources(self) -> int:
        """Event sources the hardware addresses: inputs, then every slot of every PE."""
        return self.inputs + self.lanes * self.slots

    @property
    def gap_width(self) -> int:
        """Bits of the gap field of a synapse word."""
        return min(self.gap_bits, bits_for(self.slots))

    @property
    def pointer_words(self) -> int:
        """Pointer words that each PE stores."""
        return -(-self.sources // self.rows_per_pointer)

    @property
    def graded(self) -> bool:
        """Whether inputs carry a signed payload."""
        return self.payload_bits > 1

    @property
    def one(self) -> int:
        """Payload of a spike."""
        return 1 << self.fraction_bits

    @property
    def greatest_payload(self) -> int:
        """Largest magnitude that an input payload can have."""
        return 1 << (self.payload_bits - 1) if self.graded else self.one

    @property
    def state_range(self) -> tuple[int, int]:
        """Least and greatest membrane potential."""
        return -(1 << (self.state_bits - 1)), (1 << (self.state_bits - 1)) - 1


def saturate(x: np.ndarray | int, bits: int) -> np.ndarray:
    """``x`` clipped to the range of a signed integer of ``bits`` bits."""
    return np.clip(x, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def decay(x: np.ndarray | int, c: np.ndarray | int, k: int) -> np.ndarray:
    """``x * c / 2**k`` rounded toward zero, so that a silent state reaches exactly 0.

    ``0 <= c <= 2**k``; ``c == 2**k`` is no leak. All integers, exact.
    """
    product = np.asarray(x, np.int64) * np.asarray(c, np.int64)
    return (product + np.where(product < 0, (1 << k) - 1, 0)) >> k


@dataclass(frozen=True, kw_only=True)
class NeuronParams:
    """Per-neuron integers, one array of length ``neurons`` each (int64; the flags bool).

    ``alpha`` counts only with ``synaptic``, ``reset_value`` only with reset ``"value"``,
    ``bias`` and ``refractory`` only where their widths are not 0. ``spiking`` neurons fire;
    ``readout`` neurons never do, and their ``v`` is an output of every step.
    """

    threshold: np.ndarray
    beta: np.ndarray
    alpha: np.ndarray
    reset_value: np.ndarray
    refractory: np.ndarray
    bias: np.ndarray
    spiking: np.ndarray
    readout: np.ndarray

    def check(self, p: MachineParams) -> None:
        """Raise :class:`ContractError` unless every value fits its field in ``p``."""
        low, high = p.state_range
        bias_limit = 1 << max(p.bias_bits - 1, 0)
        bounds = {
            "threshold": (1, high),
            "beta": (0, 1 << p.leak_bits),
            "alpha": (0, 1 << p.leak_bits),
            "reset_value": (low, high),
            "refractory": (0, (1 << p.refractory_bits) - 1),
            "bias": (-bias_limit, bias_limit - 1) if p.bias_bits else (0, 0),
        }
        for field in fields(self):
            values = getattr(self, field.name)
            if values.shape != (p.neurons,):
                raise ContractError(
                    f"{field.name} must have {p.neurons} values, not shape {values.shape}"
                )
            least, greatest = bounds.get(field.name, (0, 1))
            bad = np.flatnonzero((values < least) | (values > greatest))
            if bad.size:
                i = int(bad[0])
                raise ContractError(
                    f"{field.name} of neuron {i} must be in {least}..{greatest}, not {values[i]}"
                )
        both = np.flatnonzero(self.spiking & self.readout)
        if both.size:
            raise ContractError(f"neuron {int(both[0])} must not be both spiking and a readout")


@dataclass(frozen=True)
class State:
    """Membrane potential ``v``, synaptic current ``u`` and refractory steps left ``r``."""

    v: np.ndarray
    u: np.ndarray
    r: np.ndarray

    @classmethod
    def zero(cls, neurons: int) -> "State":
        """State of a machine after reset, and after the last step of a sequence."""
        return cls(*(np.zeros(neurons, np.int64) for _ in range(3)))


def update(
    p: MachineParams, n: NeuronParams, state: State, a: np.ndarray
) -> tuple[State, np.ndarray]:
    """Advance all neurons by one step; return the next state and who spiked (bool).

    ``a`` is the exact sum of ``weight * payload`` over the events of this step, ``(neurons,)``::

        u' = saturate(decay(u, alpha) + a)          with synaptic, else a
        if r > 0:  r' = r - 1, v' = v, no spike
        else:      v* = saturate(decay(v, beta) + u' + bias)
                   spike = spiking and v* >= threshold
                   v' = v* - threshold or reset_value on a spike, else v*
                   r' = refractory on a spike, else 0
    """
    u = saturate(decay(state.u, n.alpha, p.leak_bits) + a, p.state_bits) if p.synaptic else a
    candidate = saturate(decay(state.v, n.beta, p.leak_bits) + u + n.bias, p.state_bits)
    resting = state.r > 0
    spike = n.spiking & ~resting & (candidate >= n.threshold)
    after = candidate - n.threshold if p.reset == "subtract" else n.reset_value
    v = np.where(resting, state.v, np.where(spike, after, candidate))
    r = np.where(resting, state.r - 1, np.where(spike, n.refractory, 0))
    return State(v, u if p.synaptic else np.zeros_like(u), r), spike
