"""What the comparison asks of a core of somebody else: its sources, and to run a network."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from triodia_hw.errors import TriodiaError

from .placing import Source
from .workload import Workload

__all__ = ["SOURCES", "Peer", "Speed", "TooLarge"]

SOURCES = 256  # neurons and inputs that a peer can hold


class TooLarge(TriodiaError):
    """A network that a core cannot hold."""


@dataclass(frozen=True)
class Speed:
    """Cycles of a run over ``steps`` time steps, and the spikes and operations that were checked.

    ``operations`` are those that the core did, on stored zeros too.
    """

    steps: int
    cycles: int
    operations: int
    spikes: int


@dataclass(frozen=True)
class Peer(ABC):
    """A core whose sources the user brings.

    Parameters
    ----------
    name : as tables show it. variable : of the Makefile, with the folder of its sources.
    folder : its name in a folder of all peers. repository, commit : where it comes from.
    digest : of its files at that commit (:meth:`fingerprint`). files : within its folder.
    weight_bits : of a weight in its memories. testbench : the file beside this one that drives it.
    """

    name: str
    variable: str
    folder: str
    repository: str
    commit: str
    digest: str
    files: tuple[str, ...]
    weight_bits: int
    testbench: str

    def paths(self, sources: Path) -> tuple[Path, ...]:
        """Its Verilog files, where ``sources`` is its folder."""
        return tuple(sources / file for file in self.files)

    def check(self, sources: Path | None) -> Path:
        """``sources``, or :class:`TriodiaError` that says where to get them."""
        lost = [] if sources is None else [f for f in self.paths(sources) if not f.is_file()]
        if sources is None or lost:
            what = f"{lost[0]} is missing" if lost else f"the sources of {self.name} are missing"
            raise TriodiaError(
                f"{what}; clone {self.repository} at commit {self.commit[:7]} and set "
                f"{self.variable} to its folder"
            )
        return sources

    def fingerprint(self, sources: Path) -> str:
        """SHA-256 of its files."""
        digest = hashlib.sha256()
        for file in self.paths(sources):
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def named(self, digest: str) -> str:
        """The commit with files of this ``digest``; without it, how the digest begins."""
        return self.commit[:7] if digest == self.digest else f"other sources, {digest[:7]}"

    @property
    def bench(self) -> Path:
        """The testbench."""
        return Path(__file__).with_name(self.testbench)

    def check_size(self, workload: Workload) -> None:
        """Raise :class:`TooLarge` unless neurons and inputs have numbers of 8 bits."""
        if workload.sources > SOURCES:
            raise TooLarge(
                f"{self.name} has {SOURCES} rows of synapses, and this network needs "
                f"{workload.sources}, for neurons, readouts and inputs; take fewer neurons"
            )

    @abstractmethod
    def source(self, workload: Workload, sources: Path) -> Source:
        """What to place for the network of ``workload``; :class:`TooLarge` if it does not fit."""

    @abstractmethod
    def stored(self, workload: Workload) -> int:
        """Synapses that its memory holds places for."""

    @abstractmethod
    def run(self, workload: Workload, sources: Path, folder: Path) -> Speed:
        """Simulate ``workload`` in ``folder`` and compare with a model of the documented neuron.

        Raises
        ------
        TooLarge
        Stuck
            If the core ends otherwise than its model, or not at all.
        """
