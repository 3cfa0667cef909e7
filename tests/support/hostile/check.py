"""Read one hostile file as a command would, and say what is wrong with how it was read."""

import os
import resource
import sys
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

from triodia_hw.errors import TriodiaError

__all__ = ["Finding", "check", "limited"]

MEMORY = 2 << 30  # bytes that reading a file may take
_WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_watched: list[str] | None = None  # what was written, while a file is read


class Finding(AssertionError):
    """A file that was not read, and not refused in one sentence."""


def _hook(event, arguments):
    if _watched is None:
        return
    if event in _WRITES:
        _watched.append(f"{event}{arguments}")
    elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            _watched.append(f"open {arguments[0]}")


sys.addaudithook(_hook)


@contextmanager
def limited():
    """At most :data:`MEMORY` more than is in use: more raises ``MemoryError``."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def check(kind, folder, data):
    """Read ``data`` as a file of ``kind`` in ``folder``; True if it was taken, False if refused.

    Raises
    ------
    Finding
        If an error other than ``TriodiaError`` or a warning of numpy comes out, or reading writes
        something.
    """
    global _watched
    path = folder / kind.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    _watched = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # numpy's would be lines of their own
            kind.load(folder)
    except TriodiaError as error:
        if not str(error).strip():
            raise Finding("refused without a reason") from error
        return False
    except BaseException as error:
        raise Finding("".join(traceback.format_exception(error))) from None
    finally:
        written, _watched = _watched, None
        files = [file for file in folder.rglob("*") if not file.is_dir()]
        if written or files != [path] or path.read_bytes() != data:
            raise Finding(f"reading wrote something: {written or files}")
    return True
