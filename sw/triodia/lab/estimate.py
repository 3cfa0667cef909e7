"""How long the rest will take: expected seconds of each job, corrected by what was measured."""

import heapq
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

__all__ = ["Clock", "schedule"]

_TRUST = 20.0  # expected seconds after which what was measured weighs as much as the table
_SETTLE = (4.0, 30.0)  # seconds in which the shown estimate follows a new one, least and most
_LATE = 0.25  # of the elapsed time a job is given that is past its expected end


class Clock:
    """Estimates the seconds left of jobs that run on several workers.

    ``expected`` seconds of each job come from its stage. Two corrections follow from jobs that end:
    the speed of this machine, over all stages, and of each stage against the others.
    """

    def __init__(
        self,
        expected: Mapping[str, float],
        kinds: Mapping[str, str],
        needs: Mapping[str, Sequence[str]],
        workers: int,
    ) -> None:
        self.expected, self.kinds, self.needs, self.workers = expected, kinds, needs, workers
        self.done: set[str] = set()
        self.started: dict[str, float] = {}
        self.measured = defaultdict(lambda: [0.0, 0.0])  # seconds taken and expected, by kind
        self.shown: tuple[float, float] | None = None  # estimate, and when

    def start(self, job: str, at: float) -> None:
        """``job`` started ``at`` that time of ``time.monotonic``."""
        self.started.setdefault(job, at)

    def finish(self, job: str, seconds: float | None) -> None:
        """``job`` is done and took ``seconds``; ``None`` if it was known before."""
        self.done.add(job)
        if seconds is not None:
            for kind in (self.kinds[job], ""):
                self.measured[kind][0] += seconds
                self.measured[kind][1] += self.expected[job]

    def _factor(self, kind: str, prior: float) -> float:
        took, expected = self.measured[kind]
        return (took + _TRUST * prior) / (expected + _TRUST)

    def seconds(self, job: str) -> float:
        """Expected seconds of a job by what is known now."""
        return self.expected[job] * self._factor(self.kinds[job], self._factor("", 1.0))

    def running(self) -> list[str]:
        """Jobs under way, the one that started first in front."""
        return sorted(self.started.keys() - self.done, key=self.started.get)

    def left(self, now: float | None = None) -> float:
        """Seconds until all is done, smoothed: it never jumps."""
        now = time.monotonic() if now is None else now
        new = self._left(now)
        if self.shown is None:
            self.shown = (new, now)
        before, at = self.shown
        passed = now - at
        before = max(0.0, before - passed)
        settle = min(max(before / 3, _SETTLE[0]), _SETTLE[1])
        settled = before + (new - before) * (1 - math.exp(-passed / settle))
        self.shown = (settled, now)
        return settled

    def _left(self, now: float) -> float:
        rest = {}
        for job in self.expected:
            if job not in self.done:
                rest[job] = self.seconds(job)
                if job in self.started:
                    elapsed = now - self.started[job]
                    rest[job] = max(rest[job] - elapsed, _LATE * elapsed)
        return schedule(rest, self.needs, self.workers, self.running())


def schedule(
    rest: Mapping[str, float],
    needs: Mapping[str, Sequence[str]],
    workers: int,
    running: Sequence[str] = (),
) -> float:
    """Seconds that jobs of ``rest`` seconds take on ``workers``, ``running`` ones first.

    Greedy: a free worker takes the first job, in order, whose ``needs`` are done. Needs that are
    not in ``rest`` are done.
    """
    order = [*running, *(job for job in rest if job not in set(running))]
    ready_at: dict[str, float] = {}
    free = [0.0] * workers
    for job in order:
        start = max([heapq.heappop(free), *(ready_at.get(n, 0.0) for n in needs.get(job, ()))])
        ready_at[job] = start + rest[job]
        heapq.heappush(free, ready_at[job])
    return max(ready_at.values(), default=0.0)
