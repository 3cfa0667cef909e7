"""A network put into a placed and routed machine, packed, and read back from the bitstream."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from triodia_hw.atomic import write_atomic
from triodia_hw.capacity import fit_capacity
from triodia_hw.contract import MachineParams
from triodia_hw.export import memory_name
from triodia_hw.image import Image
from triodia_hw.memory import contents, memory_shapes

from .manifest import Manifest
from .patch import Memory, patch, read_back
from .tools import BuildError, run_tool

__all__ = ["PatchReport", "placeholder", "program", "reprogram"]


@dataclass(frozen=True)
class PatchReport:
    """A network in a finished build; ``digest`` is that of its image."""

    board: str
    bitstream: str
    digest: str
    patched_slices: int
    seconds: float


def placeholder(p: MachineParams) -> list[dict[str, list[int]]]:
    """Random words for every content memory, by which its bits are found again after routing.

    Always the same for the same parameters: it is part of the netlist, not of the network.
    """
    rng = np.random.default_rng(0x5EED)
    return [
        {
            s.name: [
                int.from_bytes(rng.bytes(-(-s.width // 8)), "little") % (1 << s.width)
                for _ in range(s.depth)
            ]
            for s in memory_shapes(p)
            if s.content
        }
        for _ in range(p.lanes)
    ]


def program(image: Image, routed: str, folder: Path, name: str) -> int:
    """Write ``NAME.config`` and ``NAME.bit`` with ``image``; returns the slices exchanged.

    ``routed`` is the configuration that holds the placeholders. Every memory is read back from the
    finished bitstream, unpacked again, before it gets its name.

    Raises
    ------
    PatchError, BuildError
    """
    memories = _memories(image)
    patched, slices = patch(routed, memories)
    (folder / f"{name}.config").write_text(patched)
    aside, unpacked = folder / f"{name}.bit.part", folder / f"{name}.unpacked"
    run_tool("ecppack", ["--compress", f"{name}.config", aside.name], folder)
    run_tool("ecpunpack", ["--input", aside.name, "--textcfg", unpacked.name], folder)
    found = read_back(routed, unpacked.read_text(), memories)
    for (memory, _, _, wanted), got in zip(memories, found, strict=True):
        if got != wanted:
            aside.unlink()
            raise BuildError(f"memory {memory} read back from the bitstream is not what was put in")
    unpacked.unlink()
    aside.replace(folder / f"{name}.bit")
    return slices


def _memories(image: Image) -> list[Memory]:
    marks, words = placeholder(image.params), contents(image)
    return [
        (memory_name(lane, s.name, index), width, mark, word)
        for lane in range(image.params.lanes)
        for s in memory_shapes(image.params)
        for index, ((width, mark), (_, word)) in enumerate(
            zip(s.cut(marks[lane]), s.cut(words[lane]), strict=True)
        )
    ]


def reprogram(folder: str | Path, image: Image, output: str | Path) -> PatchReport:
    """Bitstream ``output``: the finished build in ``folder`` with ``image`` for its network.

    The network may be smaller than the machine that was built.

    Equal to what :func:`triodia_boards.flow.build` makes of ``image`` with the same board, seed and
    router, without synthesis, placement and routing. ``folder`` stays as it is.

    Raises
    ------
    BadBuild
        If the folder has no build, a damaged one, or one of another version.
    ContractError
        If the network does not fit the machine that was built.
    PatchError, BuildError
    """
    start = time.monotonic()
    folder = Path(folder)
    manifest = Manifest.load(folder)
    image = fit_capacity(image, manifest.machine())
    routed = manifest.routed(folder)
    with TemporaryDirectory(prefix="triodia-patch-") as scratch:
        slices = program(image, routed, Path(scratch), manifest.board)
        write_atomic(output, (Path(scratch) / f"{manifest.board}.bit").read_bytes())
    return PatchReport(
        board=manifest.board,
        bitstream=str(output),
        digest=image.digest(),
        patched_slices=slices,
        seconds=round(time.monotonic() - start, 1),
    )
