"""A folder for what is only needed until a command ends, unless it fails."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

__all__ = ["scratch"]


@contextmanager
def scratch(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A new folder, gone afterwards; it stays if an error leaves it with logs that say why.

    The errors of tools name such a log. ``parent``: where, else the system's temporary folder.
    """
    folder = Path(mkdtemp(prefix=prefix, dir=parent))
    keep = False
    try:
        yield folder
    except Exception:
        keep = any(folder.rglob("*.log"))
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
