"""The progress of a build: which step it is in, and how far place-and-route has come."""

import re
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from .console import Output

__all__ = ["BuildProgress", "routed_part"]

# Steps of a build by how their notes begin, and the part of the time that each ends at.
_ENDS = {"verilog": 0.1, "synthesis": 0.2, "place and route": 0.95, "memory contents": 1.0}
_ENDS |= {"bitstream": 1.0}

_ARCS = re.compile(r"Routing (\d+) arcs")
_LEFT = re.compile(r"\|\s*(\d+)\s*\|\s*[\d.]+\s+[\d.]+\s*\|\s*$", re.MULTILINE)  # router1's table


def routed_part(log: str) -> float:
    """The part (0 to 1) of place-and-route that nextpnr's ``log`` shows as done."""
    if arcs := _ARCS.search(log):
        left = _LEFT.findall(log)
        done = 1 - int(left[-1]) / max(int(arcs[1]), 1) if left else 0
        return 0.7 + 0.3 * max(done, 0)
    refined = len(re.findall(r"at iteration #\d+: temp", log))
    if refined:
        return 0.45 + 0.25 * (1 - 0.8**refined)
    return 0.45 * (1 - 0.93 ** len(re.findall(r"at iteration #", log)))


class BuildProgress:
    """A context whose bar follows a build in ``folder``; call it with the notes of the build."""

    def __init__(self, show: Output, folder: Path) -> None:
        self._show, self._folder = show, folder
        self._stack, self._over = ExitStack(), threading.Event()
        self._from, self._to, self._routing = 0.0, 0.0, False

    def __enter__(self) -> Self:
        self._bar = self._stack.enter_context(self._show.bar("Build"))
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watcher.join()
        self._stack.__exit__(kind, error, trace)

    def __call__(self, note: str) -> None:
        """A step begins, or the build has something to say."""
        step = next((step for step in _ENDS if note.lower().startswith(step)), None)
        self._show.note(note)
        if step is None:
            return
        end = _ENDS[step]
        self._from, self._to = (self._to if self._to < end else 0.0), end  # 0: a slower clock
        self._routing = step == "place and route"
        self._bar(self._from, 1, step)

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            if self._routing:
                part = routed_part(self._log())
                self._bar(self._from + (self._to - self._from) * part, 1, "place and route")

    def _log(self) -> str:
        with suppress(OSError, StopIteration):
            newest = max(self._folder.glob("nextpnr-*.log"), key=lambda log: log.stat().st_mtime)
            return newest.read_text(errors="replace")
        return ""
