"""Content-addressed results: nothing is computed twice from the same inputs."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from platform import node

from ..scratch import scratch

__all__ = ["Store", "Unknown", "commit", "digest"]

_RESULT = "result.json"
_STALE = 24 * 3600  # seconds


def digest(value: object) -> str:
    """SHA-256 of ``value``, which must be plain JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@cache
def commit() -> str | None:
    """The commit of this code, with "+" if it was changed since; ``None`` outside of git."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() or None


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
        """The same store, which raises Unknown when asked for a result it does not have."""
        return Store(self.root, read_only=True)

    def clean(self) -> None:
        """Remove half-made results of processes that failed or died more than a day ago."""
        for aside in self.root.glob("*/making-*"):
            if time.time() - aside.stat().st_mtime > _STALE:
                shutil.rmtree(aside, ignore_errors=True)

    def drop(self, pids: Iterable[int]) -> None:
        """Remove half-made results of these processes of this machine, which have ended."""
        for pid in pids:
            for aside in self.root.glob(f"*/{_making(pid)}-*"):
                shutil.rmtree(aside, ignore_errors=True)

    def folder(self, kind: str, inputs: dict) -> Path:
        """Where the result of ``inputs`` is, or will be."""
        return self.root / kind / digest(inputs)[:32]

    def known(self, kind: str, inputs: dict) -> dict | None:
        """The result of ``inputs``; ``None`` if there is none, or a damaged one."""
        content = self._content(kind, inputs)
        return content and content["result"]

    def _content(self, kind: str, inputs: dict) -> dict | None:
        try:
            content = json.loads((self.folder(kind, inputs) / _RESULT).read_text())
            whole = content["inputs"] == _plain(inputs) and isinstance(content["result"], dict)
            return content if whole else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def make(self, kind: str, inputs: dict, work: Callable[[Path], dict]) -> dict:
        """The result of ``inputs``, by ``work`` unless the store has it.

        ``work`` gets an empty folder for its files and returns plain JSON. Added to its result:
        ``folder``, where its files are; ``key``, which names the result; ``cached``, whether the
        store had it; ``seconds`` it took to make, whenever that was; ``commit`` of that code.
        """
        content = known = self._content(kind, inputs)
        if content is None:
            content = self._make(kind, inputs, work)
        folder = self.folder(kind, inputs)
        return content["result"] | {
            "folder": str(folder),
            "key": folder.name,
            "cached": known is not None,
            "seconds": content.get("seconds", 0.0),
            "commit": content.get("commit"),
        }

    def _make(self, kind: str, inputs: dict, work: Callable[[Path], dict]) -> dict:
        if self.read_only:
            raise Unknown(kind)
        target, start = self.folder(kind, inputs), time.monotonic()
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(f"{_making(os.getpid())}-", target.parent) as aside:
            content = {"inputs": inputs, "result": _plain(work(aside)), "commit": commit()}
            content["seconds"] = round(time.monotonic() - start, 2)
            (aside / _RESULT).write_text(json.dumps(content, indent=1))
            if target.exists() and self.known(kind, inputs) is None:
                shutil.rmtree(target)  # damaged
            try:
                aside.rename(target)
            except OSError:  # another process was first
                content = self._content(kind, inputs) or content
            return content


def _plain(value: dict) -> dict:
    return json.loads(json.dumps(value))
