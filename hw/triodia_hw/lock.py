"""One piece of work at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FolderInUse

__all__ = ["alone"]


@contextmanager
def alone(folder: Path, work: str) -> Iterator[None]:
    """Create ``folder`` if necessary and keep other work out of it while the context lasts.

    The lock ends with the process, however the process ends. File systems without locks (some
    network file systems) go unprotected.

    Parameters
    ----------
    work : what uses the folder, for the error message: "build", "co-simulation".

    Raises
    ------
    FolderInUse
        If the folder is locked already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"Another {work} is using {folder}. Wait until it ends, or name another folder."
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(handle)
