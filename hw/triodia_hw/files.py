"""Files written whole or not at all."""

import os
import tempfile
from pathlib import Path

from .errors import WriteError

__all__ = ["write_atomic"]


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write ``content`` aside and move it to ``path``: a reader sees all of it or the old file.

    A symbolic link stays and its file is written; a device or pipe is refused with ``WriteError``,
    since moving would put a file in its place.
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise WriteError(f"{path} must be a regular file, not a folder, device or pipe")
    try:
        handle, aside = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    except OSError as error:
        raise WriteError(
            f"{path} must be in a folder that can be written ({error.strerror or error})"
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(aside, 0o666 & ~umask)  # mkstemp's 0600 would hide the file from colleagues
        os.replace(aside, place)
    except BaseException as error:
        Path(aside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WriteError(
                f"{path} must be a file that can be written ({error.strerror or error})"
            ) from error
        raise
