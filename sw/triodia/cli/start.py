"""Where the ``triodia`` command begins, before the seconds that its imports take."""

import io
import os
import signal
import sys

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; it may be interrupted from the first moment, and written anywhere.

    What a terminal or file cannot show is escaped, as ``\\u2013``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    from .main import main as command

    signal.signal(signal.SIGINT, before)
    command()


def _stop(*_: object) -> None:
    """End at once: nothing was begun, and modules half imported hide or reword an exception."""
    os.write(2, b"triodia: interrupted\n")
    os._exit(_INTERRUPTED)
