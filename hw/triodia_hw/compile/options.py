"""Choices of implementation that change nothing a machine computes."""

from dataclasses import dataclass

from .family import FAMILIES, Family

__all__ = ["DEFAULT", "QUEUES", "Options"]

# Where block RAM is scarce the first have most need of it.
QUEUES = ("rows", "records", "returns", "outputs", "inputs")

_DEPTH = 16  # fills the smallest distributed RAM of an ECP5
_SHALLOW = {"inputs": 4, "outputs": 8}  # as good while words come and go without a pause


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a machine is built.

    Parameters
    ----------
    family : FPGA family whose block RAM the contents are cut for (:data:`..family.FAMILIES`).
    distributed : working memories ("state", "sums_0", "sums_1") outside block RAM: in distributed
        RAM, or in registers where a family has none.
    queues : those of :data:`QUEUES` in block RAM; the others are outside.
    single_port : content memories whose reads and writes share one address, and that start without
        contents: for large single-port memories such as iCE40's SPRAM. Needs ``loadable``.
    multiplier_parts : adders that a product is made of, in two cycles; 1 leaves it to a multiplier.
    parity : each word of each memory of the PEs has a parity bit, checked when it is read.
    loadable : content memories can be written through the input stream.
    poison : every undefined memory word is made wrong, to prove that none is used; for tests.
    """

    family: str = "ecp5"
    distributed: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    single_port: tuple[str, ...] = ()
    multiplier_parts: int = 1
    parity: bool = False
    loadable: bool = True
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
        """The family itself."""
        return FAMILIES[self.family]

    def style(self, name: str) -> str:
        """Yosys' ``ram_style`` of a memory or queue."""
        if name in self.single_port:
            return "huge"
        small = name in self.distributed or (name in QUEUES and name not in self.queues)
        return self.blocks.small if small else "block"

    def depth(self, queue: str) -> int:
        """Places of a queue: fewer where each is made of registers, if they buy no speed."""
        registers = self.style(queue) == "logic"
        return _SHALLOW.get(queue, _DEPTH) if registers else _DEPTH


DEFAULT = Options()
