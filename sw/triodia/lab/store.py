"""Results kept by content: what was computed once from the same inputs is not computed again."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from platform import node

from ..scratch import scratch

__all__ = ["Store", "Unknown", "digest", "made_with"]

_RESULT = "result.json"
_STALE = 24 * 3600  # seconds


def digest(value: object) -> str:
    """SHA-256 of ``value``, which must be plain JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def made_with(packages: tuple[str, ...], tools: tuple[str, ...]) -> dict:
    """Digests of our ``packages`` (all their sources) and versions of ``tools``."""
    return {name: _source(name) for name in packages} | {name: version(name) for name in tools}


def _source(package: str) -> str:
    root = Path(find_spec(package).origin).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".v"))
    content = hashlib.sha256()
    for path in files:
        content.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return content.hexdigest()[:16]


def _making(pid: int) -> str:
    """How the name of a folder begins in which a process of this machine makes a result."""
    return f"making-{node()}-{pid}"


class Unknown(LookupError):
    """A result that is not in the store."""


class Store:
    """A folder of results, each in a folder of its own, named by what it was made from.

    Safe for several processes, also on several machines with a shared file system: a result
    appears whole, by renaming, or not at all; if two make the same one, the first stays.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root, self.read_only = Path(root), read_only

    def reader(self) -> "Store":
        """The same, but for what is known: asked for anything else it raises Unknown."""
        return Store(self.root, read_only=True)

    def clean(self) -> None:
        """Remove what processes that failed or died more than a day ago left half made."""
        for aside in self.root.glob("*/making-*"):
            if time.time() - aside.stat().st_mtime > _STALE:
                shutil.rmtree(aside, ignore_errors=True)

    def drop(self, pids: Iterable[int]) -> None:
        """Remove what processes of this machine, ended by now, left half made."""
        for pid in pids:
            for aside in self.root.glob(f"*/{_making(pid)}-*"):
                shutil.rmtree(aside, ignore_errors=True)

    def folder(self, kind: str, inputs: dict) -> Path:
        """Where the result of ``inputs`` is, or will be."""
        return self.root / kind / digest(inputs)[:32]

    def known(self, kind: str, inputs: dict) -> dict | None:
        """The result of ``inputs``; ``None`` if there is none, or a damaged one."""
        try:
            content = json.loads((self.folder(kind, inputs) / _RESULT).read_text())
            return content["result"] if content["inputs"] == _plain(inputs) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def make(self, kind: str, inputs: dict, work: Callable[[Path], dict]) -> dict:
        """The result of ``inputs``, by ``work`` unless it is known.

        ``work`` gets an empty folder for its files and returns plain JSON. ``folder`` is where they
        are then, ``key`` names it; ``cached`` says that it was known, ``took`` the seconds.
        """
        start, folder = time.monotonic(), self.folder(kind, inputs)
        known = self.known(kind, inputs)
        result = known if known is not None else self._make(kind, inputs, work)
        return result | {
            "folder": str(folder),
            "key": folder.name,
            "cached": known is not None,
            "took": time.monotonic() - start,
        }

    def _make(self, kind: str, inputs: dict, work: Callable[[Path], dict]) -> dict:
        if self.read_only:
            raise Unknown(kind)
        target, start = self.folder(kind, inputs), time.monotonic()
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(f"{_making(os.getpid())}-", target.parent) as aside:
            result = _plain(work(aside))
            content = {"inputs": inputs, "result": result}
            content["seconds"] = round(time.monotonic() - start, 1)
            (aside / _RESULT).write_text(json.dumps(content, indent=1))
            if target.exists() and self.known(kind, inputs) is None:
                shutil.rmtree(target)  # damaged
            try:
                aside.rename(target)
            except OSError:  # somebody else was first
                result = self.known(kind, inputs) or result
            return result


def _plain(value: dict) -> dict:
    return json.loads(json.dumps(value))
