"""The ``triodia`` command: which command runs, and how errors become exit codes.

Only the standard library is imported here: help, ``doctor`` and Ctrl-C work from the first moment,
whatever else is installed.
"""

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from triodia_hw.errors import TriodiaError

from .commands import TRIODIA, Program

__all__ = ["app", "main", "run"]

app = TRIODIA

BAD_INPUT, INTERRUPTED = 2, 130


def main(program: Program = app) -> None:
    """Run the command line; exit 0 fine, 1 a check failed, 2 bad input, 3 a tool is missing.

    SIGTERM acts as Ctrl-C does: the tools that run are ended, and the exit code is 130. What a
    terminal or file cannot show is escaped, as ``\\u2013``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Amaranth warns of a design that Ctrl-C or an error left half-made.
    warnings.filterwarnings("ignore", ".* created but never used")
    sys.exit(run(sys.argv[1:], program))


def run(arguments: list[str], program: Program = app) -> int:
    """Run a command of ``program`` with ``arguments``; return its exit code."""
    try:
        return _dispatch(arguments, program)
    except TriodiaError as error:
        return _fail(error, error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        return _fail(f"There is not enough memory for this: {error}", BAD_INPUT)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _fail(message: object, code: int) -> int:
    print(f"triodia: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _dispatch(arguments: list[str], program: Program) -> int:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(program.usage())
        return 0 if arguments else BAD_INPUT
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"{program.name} {version('triodia')}")
        return 0
    arguments = program.split(arguments)
    name = arguments[0]
    with _stops_at_once():
        function = program.function(name)
        _one_thread()
        try:
            from .parser import command_line, invoke
        except ModuleNotFoundError as error:
            if name != "doctor":
                raise program.missing(name, error.name or "") from error
            return _without_typer(function, arguments)
    try:
        return invoke(command_line({name: function}, program.help), arguments, program.name)
    except ModuleNotFoundError as error:
        raise program.missing(name, error.name or "") from error


def _without_typer(function: Callable[[bool], None], arguments: list[str]) -> int:
    """``doctor``, which has to tell that Typer is missing."""
    function("--json" in arguments)
    return 0


def _one_thread() -> None:
    """Keep PyTorch to one thread: matrices are so small that threads cost more than they bring."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@contextmanager
def _stops_at_once() -> Iterator[None]:
    """End the process at Ctrl-C: half-imported modules hide or reword an exception."""
    before = signal.getsignal(signal.SIGINT)
    if (
        before is signal.default_int_handler
        and threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGINT, _stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is _stop:
            signal.signal(signal.SIGINT, before)


def _stop(*_: object) -> None:
    os.write(2, b"triodia: interrupted\n")
    os._exit(INTERRUPTED)
