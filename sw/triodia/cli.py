"""The ``triodia`` command: every subcommand, and how errors become exit codes."""

import os
import signal
import sys

import torch
import typer
from typer.exceptions import TyperException

from triodia_boards.boards import BadChoice
from triodia_boards.fit import DoesNotFit
from triodia_boards.manifest import BadBuild
from triodia_boards.patch import PatchError
from triodia_boards.pll import NoSuchClock
from triodia_boards.tools import BuildError
from triodia_hw.contract import ContractError
from triodia_hw.image import ImageError
from triodia_hw.yosys import YosysError
from triodia_sim.runner import CosimError, NotOfNetlist, UnknownSimulator

from .commands import (
    accuracy,
    bench,
    bench_lnp,
    compare,
    device,
    doctor,
    fit,
    interchange,
    machine,
    networks,
    study,
)
from .errors import TriodiaError

__all__ = ["app", "main"]

app = typer.Typer(
    help="From a dense random spiking network to a sparse, bit-exact FPGA accelerator.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (
    doctor,
    networks,
    machine,
    device,
    compare,
    fit,
    interchange,
    accuracy,
    bench,
    bench_lnp,
    study,
):
    module.register(app)

BAD_INPUT, NO_TOOL, INTERRUPTED = 2, 3, 130
_EXIT_CODES = {
    ContractError: BAD_INPUT,
    ImageError: BAD_INPUT,
    DoesNotFit: BAD_INPUT,
    CosimError: NO_TOOL,
    BuildError: NO_TOOL,
    PatchError: NO_TOOL,
    YosysError: NO_TOOL,
    BadBuild: BAD_INPUT,
    BadChoice: BAD_INPUT,
    NoSuchClock: BAD_INPUT,
    NotOfNetlist: BAD_INPUT,
    UnknownSimulator: BAD_INPUT,
}


def _fail(message: object, code: int) -> int:
    print(f"triodia: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def main() -> None:
    """Run the command line; exit 0 fine, 1 a check failed, 2 bad input, 3 a tool is missing.

    Told to end (SIGTERM), it does what it does at Ctrl-C: ends its tools, tidies up, exits 130.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command with ``arguments``; return its exit code."""
    torch.set_num_threads(1)  # matrices this small: threads cost far more than they bring
    try:
        code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            return _fail("interrupted", INTERRUPTED)
        return code if isinstance(code, int) else 0
    except TriodiaError as error:
        return _fail(error, error.exit_code)
    except tuple(_EXIT_CODES) as error:
        return _fail(error, _EXIT_CODES[type(error)])
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        message = getattr(error, "format_message", error.__str__)()
        return _fail(message, BAD_INPUT) if message else BAD_INPUT  # without a command: its help
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        return _fail(f"more memory would be needed than there is: {error}", BAD_INPUT)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
