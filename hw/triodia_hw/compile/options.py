"""Implementation options, which never change what a machine computes."""

from dataclasses import dataclass

from .family import FAMILIES, Family
from .sdram import SdramTiming

__all__ = ["DEFAULT", "QUEUES", "Options"]

# In order of need where block RAM is scarce.
QUEUES = ("rows", "records", "returns", "outputs", "inputs")

# Small memories of a machine with delays, in block RAM only where a family has no other.
_WHEEL = ("lists", "replays")
SDRAM_AT_100_MHZ = SdramTiming.at(100e6)

_DEPTH = 16  # fills the smallest distributed RAM of an ECP5
_SHALLOW = {"inputs": 4, "outputs": 8}  # no slower while words come and go without a pause


@dataclass(frozen=True, kw_only=True)
class Options:
    """Implementation options of a machine.

    Parameters
    ----------
    family : FPGA family whose block RAM shapes are used (:data:`..family.FAMILIES`).
    distributed : working memories ("state", "sums_0", "sums_1") outside block RAM: in distributed
        RAM, or in registers where a family has none.
    queues : members of :data:`QUEUES` to put in block RAM.
    single_port : content memories whose reads and writes share one address and which start empty,
        such as iCE40's SPRAM. Needs ``loadable``.
    multiplier_parts : adders per product, which takes two cycles; 1 uses a multiplier.
    parity : give each word of the PEs' memories a parity bit, checked when it is read.
    loadable : content memories can be written through the input stream.
    sdram : timing of the SDRAM of a machine that has one; default: at 100 MHz.
    poison : corrupt every undefined memory word, to prove that none is used; for tests.
    """

    family: str = "ecp5"
    distributed: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    single_port: tuple[str, ...] = ()
    multiplier_parts: int = 1
    parity: bool = False
    loadable: bool = True
    sdram: SdramTiming = SDRAM_AT_100_MHZ
    poison: bool = False

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, not {self.family!r}")
        if self.single_port and not self.loadable:
            raise ValueError("single_port must be empty unless the machine is loadable")
        if self.single_port and self.parity:
            raise ValueError("single_port must be empty with parity: it starts with random words")

    @property
    def blocks(self) -> Family:
        """The :class:`Family` called ``family``."""
        return FAMILIES[self.family]

    def style(self, name: str) -> str:
        """Yosys' ``ram_style`` of a memory or queue."""
        if name in self.single_port:
            return "huge"
        small = name in self.distributed or (name in QUEUES and name not in self.queues)
        small = small or (name in _WHEEL and self.blocks.small == "distributed")
        return self.blocks.small if small else "block"

    def depth(self, queue: str) -> int:
        """Places of a queue; fewer where they would be registers and buy no speed."""
        registers = self.style(queue) == "logic"
        return _SHALLOW.get(queue, _DEPTH) if registers else _DEPTH


DEFAULT = Options()
