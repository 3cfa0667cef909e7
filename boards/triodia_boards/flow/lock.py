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
    """Make ``folder`` if need be, and keep other builds out of it meanwhile.

    The lock ends with the process, however that ends; where a file system has none (some network
    ones) it is left out.

    Raises
    ------
    BadChoice
        If another build is at work there.
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
