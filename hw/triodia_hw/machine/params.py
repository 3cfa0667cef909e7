"""Sizes, widths and modes of a machine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from ..errors import ContractError

__all__ = ["MachineParams", "bits_for"]


def bits_for(count: int) -> int:
    """Bits of an unsigned field that holds ``0 .. count - 1``; at least 1."""
    return max(1, (count - 1).bit_length())


_SDRAM_WORDS, _SDRAM_BITS = 1 << 24, 16  # words of an SDRAM, and bits of each

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

_LONGEST = 63  # steps that a synapse can wait


def _checked_delays(delays: Sequence[int]) -> tuple[int, ...]:
    """``delays`` as a tuple; raises :class:`ContractError` if a machine cannot have them."""
    if not isinstance(delays, list | tuple):
        raise ContractError(f"delays must be a list of steps, not {delays!r}")
    for delay in delays:
        if isinstance(delay, bool) or not isinstance(delay, int) or not 1 <= delay <= _LONGEST:
            raise ContractError(f"delays must be whole steps in 1..{_LONGEST}, not {delay!r}")
    if any(b <= a for a, b in pairwise(delays)):
        raise ContractError(f"delays must ascend, not {list(delays)}")
    return tuple(delays)


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
    synaptic : whether neurons have a synaptic current ``u`` with its own leak.
    fires : ``"at"`` (a neuron spikes at ``v >= threshold``) or ``"above"`` (``v > threshold``).
    adaptive : whether neurons have an adaptation ``b`` that raises their threshold (ALIF).
    delays : further steps, ascending in ``1 .. 63``, that a synapse can wait; every machine has
        synapses of delay 0.
    reset : ``"subtract"`` (``v - threshold``) or ``"value"`` (one reset value per neuron).
    bias_bits, refractory_bits : width of these fields; 0 leaves them out.
    synapse_words : synapse words that each PE stores.
    gap_bits : bits of the distance between targets of a row; longer distances take filler words.
        The gap field never has more bits than a slot number.
    row_words : greatest number of words of one row in one PE.
    rows_per_pointer : rows that share a pointer word, a power of two.
    external : whether synapse words lie in an SDRAM outside the chip; then with one PE only.
    shared_rows : whether rows of a PE that are alike, but for where their targets begin, share
        their words, as those of a convolution do; then with one row per pointer word, on the chip.

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
    adaptive: bool = False
    delays: tuple[int, ...] = ()
    reset: str = "subtract"
    fires: str = "at"
    bias_bits: int = 0
    refractory_bits: int = 0
    synapse_words: int = 512
    gap_bits: int = 14
    row_words: int = 1 << 14
    rows_per_pointer: int = 1
    external: bool = False
    shared_rows: bool = False

    def __post_init__(self) -> None:
        for name, (least, greatest) in _RANGES.items():
            value = getattr(self, name)
            if self.external and name == "synapse_words":
                greatest = _SDRAM_WORDS
                if isinstance(value, int) and value > greatest:
                    raise ContractError(
                        f"an SDRAM holds {greatest} synapse words and the network needs {value}; "
                        "prune further"
                    )
            if isinstance(value, bool) or not isinstance(value, int):
                raise ContractError(f"{name} must be an integer, not {value!r}")
            if not least <= value <= greatest:
                raise ContractError(f"{name} must be in {least}..{greatest}, not {value}")
        for name in ("synaptic", "adaptive", "external", "shared_rows"):
            if not isinstance(getattr(self, name), bool):
                value = getattr(self, name)
                raise ContractError(f"{name} must be true or false, not {value!r}")
        object.__setattr__(self, "delays", _checked_delays(self.delays))
        if self.reset not in ("subtract", "value"):
            raise ContractError(f'reset must be "subtract" or "value", not {self.reset!r}')
        if self.fires not in ("at", "above"):
            raise ContractError(f'fires must be "at" or "above", not {self.fires!r}')
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
        if self.external:
            self._check_external()
        if self.shared_rows and (self.external or self.rows_per_pointer > 1):
            raise ContractError(
                "shared_rows needs synapses on the chip and rows_per_pointer 1, not "
                f"external={self.external} and {self.rows_per_pointer}"
            )

    def _check_external(self) -> None:
        if self.lanes != 1:
            raise ContractError(
                f"lanes must be 1 with synapses in SDRAM, not {self.lanes}: the memory gives one "
                "synapse word per cycle, which one PE takes"
            )
        width = self.weight_bits + self.gap_width
        if width > _SDRAM_BITS:
            raise ContractError(
                f"synapse words must be at most {_SDRAM_BITS} bits in SDRAM, not {width} "
                f"({self.weight_bits} of weight and {self.gap_width} of gap); use fewer weight bits"
            )

    def record(self) -> dict[str, int | bool | str | list[int]]:
        """Parameters by name, as files hold them: some only where given.

        So a machine without adaptation, delays, SDRAM and shared rows has the files it had before.
        """
        late = ("adaptive", "delays", "external", "shared_rows")
        values = asdict(self) | {"delays": list(self.delays)}
        return {k: v for k, v in values.items() if v or k not in late}

    @property
    def waits(self) -> tuple[int, ...]:
        """Steps that an event waits on its way to each group of rows: 0, then ``delays``."""
        return (0, *self.delays)

    @property
    def rows(self) -> int:
        """Rows of synapses the hardware addresses: one per source, for each of ``waits``."""
        return len(self.waits) * self.sources

    @property
    def wheel_events(self) -> int:
        """Most events of a step that are kept for later steps: one from each source."""
        return self.inputs + self.neurons

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
        return -(-self.rows // self.rows_per_pointer)

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
