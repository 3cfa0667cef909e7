"""Insert a network into a routed machine, pack the bitstream, and read it back."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.options import DEFAULT, Options
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.export.rtlil import memory_name
from triodia_hw.files import write_atomic
from triodia_hw.machine.image import Image
from triodia_hw.machine.params import MachineParams

from .formats import FORMATS
from .manifest import BadBuild, Manifest
from .patch import Memory, patch, read_back
from .toolchain import ROUTED, TOOLCHAINS, Toolchain
from .tools import BuildError

__all__ = ["PatchReport", "pack", "placeholder", "program", "reprogram"]


@dataclass(frozen=True)
class PatchReport:
    """Result of patching; ``digest`` is the digest of the network's image."""

    board: str
    bitstream: str
    digest: str
    patched_slices: int
    seconds: float


def placeholder(p: MachineParams, options: Options = DEFAULT) -> list[dict[str, list[int]]]:
    """Random placeholder words, by which memory bits are found after routing.

    The words depend on the parameters only, so the netlist does not depend on the network. A
    machine that starts empty has no words. Machines with an SDRAM start empty as it does, machines
    with parity because their parity bits cannot be exchanged.
    """
    if options.single_port or options.parity or p.external:
        return [{s.name: [] for s in memory_shapes(p) if s.content}] * p.lanes
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


def pack(folder: Path, name: str, tools: Toolchain, options: tuple[str, ...] = ()) -> None:
    """Pack the routed design in ``folder`` into the bitstream ``name``, unchanged.

    ``options`` go to the packing tool.

    Raises
    ------
    BuildError
    """
    aside = folder / f"{name}{tools.suffix}.part"
    tools.run_pack(ROUTED, aside.name, folder, options)
    aside.replace(folder / f"{name}{tools.suffix}")


def program(image: Image, routed: str, folder: Path, name: str, family: str = "ecp5") -> int:
    """Write ``NAME.config`` and the bitstream with ``image``; return the slices exchanged.

    ``routed`` is the configuration with the placeholders. Before the bitstream gets its name it is
    unpacked, and every memory is read back and compared.

    Raises
    ------
    PatchError, BuildError
    """
    tools, form, memories = TOOLCHAINS[family], FORMATS[family], _memories(image, family)
    patched, slices = patch(routed, memories, form)
    write_atomic(folder / f"{name}.config", patched.encode())
    bitstream = f"{name}{tools.suffix}"
    aside, unpacked = folder / f"{bitstream}.part", folder / f"{name}.unpacked"
    tools.run_pack(f"{name}.config", aside.name, folder)
    tools.run_unpack(aside.name, unpacked.name, folder)
    found = read_back(routed, unpacked.read_text(), memories, form)
    for (memory, _, _, wanted), got in zip(memories, found, strict=True):
        if got != wanted:
            aside.unlink()
            raise BuildError(f"memory {memory} read back from the bitstream is not what was put in")
    unpacked.unlink()
    aside.replace(folder / bitstream)
    return slices


def _memories(image: Image, family: str) -> list[Memory]:
    marks, words = placeholder(image.params), contents(image)
    return [
        (memory_name(lane, s.name, index), width, mark, word)
        for lane in range(image.params.lanes)
        for s in memory_shapes(image.params)
        for index, ((width, mark), (_, word)) in enumerate(
            zip(*(s.cut(some[lane], FAMILIES[family]) for some in (marks, words)), strict=True)
        )
    ]


def reprogram(folder: str | Path, image: Image, output: str | Path) -> PatchReport:
    """Write bitstream ``output``: the finished build in ``folder`` with the network ``image``.

    The network may be smaller than the machine. The result equals what :func:`.build.build` makes
    of ``image`` with the same board, seed and router, without synthesis, placement and routing.
    ``folder`` stays unchanged.

    Raises
    ------
    BadBuild
        If the folder has no build, a damaged one, one of another version, or one whose network
        is not in the bitstream.
    ContractError
        If the network does not fit the machine that was built.
    PatchError, BuildError
    """
    start = time.monotonic()
    folder = Path(folder)
    manifest = Manifest.load(folder)
    image = fit_capacity(image, manifest.machine())
    empty = image.params.external or manifest.options["single_port"]
    if empty or manifest.options.get("parity"):
        raise BadBuild(
            f"the network of a build for {manifest.board} is loaded through its port, "
            "not patched: its synapse memory starts empty"
        )
    family = manifest.options["family"]
    if TOOLCHAINS[family].unpack is None:
        raise BadBuild(
            f"the network of a build for {manifest.board} is in its netlist, where it cannot be "
            "exchanged; build again, or load the other network through its port"
        )
    name = f"{manifest.board}{TOOLCHAINS[family].suffix}"
    routed = manifest.routed(folder)
    with TemporaryDirectory(prefix="triodia-patch-") as scratch:
        slices = program(image, routed, Path(scratch), manifest.board, family)
        write_atomic(output, (Path(scratch) / name).read_bytes())
    return PatchReport(
        board=manifest.board,
        bitstream=str(output),
        digest=image.digest(),
        patched_slices=slices,
        seconds=round(time.monotonic() - start, 1),
    )
