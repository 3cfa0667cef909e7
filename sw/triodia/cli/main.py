"""The ``triodia`` command: every subcommand, and how errors become exit codes."""

import os
import signal
import sys

import torch
import typer
from typer.exceptions import TyperException

from triodia_hw.errors import TriodiaError

from . import compare, device, doctor, fit, machine, networks, nir

__all__ = ["app", "main"]

app = typer.Typer(
    help="From a dense random spiking network to a sparse, bit-exact FPGA accelerator.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (doctor, networks, machine, device, compare, fit, nir):
    module.register(app)

BAD_INPUT, INTERRUPTED = 2, 130


def _fail(message: object, code: int) -> int:
    print(f"triodia: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def main() -> None:
    """Run the command line; exit 0 fine, 1 a check failed, 2 bad input, 3 a tool is missing.

    Told to end (SIGTERM), it does what it does at Ctrl-C: ends its tools, tidies up, exits 130.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], commands: typer.Typer = app) -> int:
    """Run a command of ``commands`` with ``arguments``; return its exit code."""
    torch.set_num_threads(1)  # matrices this small: threads cost far more than they bring
    try:
        code = commands(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            return _fail("interrupted", INTERRUPTED)
        return code if isinstance(code, int) else 0
    except TriodiaError as error:
        return _fail(error, error.exit_code)
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
