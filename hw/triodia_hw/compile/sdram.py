"""The SDRAM that holds the synapses of a machine with ``external`` memory: geometry and timing.

One chip of 32 MB with 16 data lines, in four banks of 8,192 rows of 512 columns, such as the
MT48LC16M16A2 of the ULX3S. Of a chip of 64 MB, such as the AS4C32M16SB, half is used.
"""

from dataclasses import dataclass

from ..errors import ContractError

__all__ = [
    "ADDRESS_BITS",
    "BANK_BITS",
    "COLUMN_BITS",
    "PAGE",
    "SLOWEST_HZ",
    "SLOW_NS",
    "UNIT",
    "WORDS",
    "WORD_BITS",
    "SdramTiming",
]

COLUMN_BITS, BANK_BITS, ROW_BITS, WORD_BITS = 9, 2, 13, 16
ADDRESS_BITS = COLUMN_BITS + BANK_BITS + ROW_BITS
PAGE = 1 << COLUMN_BITS  # words of a row of a bank
WORDS = 1 << ADDRESS_BITS
UNIT = 256  # words that an address in a load block counts

# Least times in ns, the longer ones of Micron's MT48LC16M16A2 of grade -75 and Alliance's
# AS4C32M16SB of grade -7. From memory and public configurations, not from the data sheets.
SLOW_NS = {
    "activate_to_read": 21,  # tRCD
    "precharge": 21,  # tRP
    "activate_to_precharge": 44,  # tRAS
    "activate_to_activate": 66,  # tRC, of one bank
    "refresh": 66,  # tRFC
    "between_banks": 15,  # tRRD, from one bank's activation to another's
    "write_recovery": 15,  # tWR
    "mode": 15,  # tMRD
}
_REFRESH_NS = 64_000_000 / 8192  # mean distance of refreshes, at most
_POWER_UP_NS = 200_000
_FASTEST_HZ = 133_000_000  # of the slower grade, with a CAS latency of 3
# Words are taken from the pins two half cycles and a CAS latency after their command, which suits
# what chip and pins take in all, 11 ns, down to this clock.
SLOWEST_HZ = 85_000_000


@dataclass(frozen=True, kw_only=True)
class SdramTiming:
    """Least distances of commands in clock cycles; :meth:`at` computes them for a clock.

    Parameters
    ----------
    activate_to_read : tRCD; precharge : tRP; activate_to_precharge : tRAS, and so much that tRC
        holds too; refresh : tRFC; between_banks : tRRD; write_recovery : tWR; mode : tMRD.
    refresh_every : mean cycles between refreshes, at most; 0 for none, in tests.
    power_up : cycles without a command after the first reset.
    cas : CAS latency. boot_refreshes : refreshes before the mode is set.
    """

    activate_to_read: int
    precharge: int
    activate_to_precharge: int
    refresh: int
    between_banks: int
    write_recovery: int
    mode: int
    refresh_every: int
    power_up: int
    cas: int = 3
    boot_refreshes: int = 8

    @classmethod
    def at(cls, clock_hz: float) -> "SdramTiming":
        """Timing for a clock.

        Raises
        ------
        ContractError
            If the chip does not run at this clock.
        """
        if not SLOWEST_HZ <= clock_hz <= _FASTEST_HZ:
            raise ContractError(
                f"The SDRAM runs at {SLOWEST_HZ / 1e6:g} to {_FASTEST_HZ / 1e6:g} MHz, "
                f"not at {clock_hz / 1e6:g} MHz; choose another clock."
            )
        hertz = round(clock_hz)
        cycles = {name: _cycles(ns, hertz) for name, ns in SLOW_NS.items()}
        whole = cycles.pop("activate_to_activate")
        open_for = max(cycles["activate_to_precharge"], whole - cycles["precharge"])
        cycles["activate_to_precharge"] = open_for
        return cls(
            **cycles,
            refresh_every=int(_REFRESH_NS * hertz / 1e9),
            power_up=_cycles(_POWER_UP_NS, hertz),
        )

    @property
    def latency(self) -> int:
        """Cycles from the decision to read until the word is there.

        A register for the command, one at the pins, the chip, and one at the pins again.
        """
        return self.cas + 3


def _cycles(ns: int, hertz: int) -> int:
    """Cycles that last at least ``ns``; at least 2, so that every wait has a cycle of its own."""
    return max(2, -(-ns * hertz // 1_000_000_000))
