"""One build at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..catalog import BadChoice

__all__ = ["alone"]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Create ``folder`` if needed, and lock it against other builds.

    The lock ends with the process, however it ends. File systems without locks (some network ones)
    go unlocked.

    Raises
    ------
    BadChoice
        If another build holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadChoice(
                f"{folder} must be a folder that no other build is at work in; wait for that one, "
                "or name another"
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(handle)
