"""Run jobs on a dask cluster: each once, stored results at no cost, the rest in parallel."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from dask.distributed import Client, Future, KilledWorker, as_completed, get_worker

from triodia_hw.errors import CheckFailed

from .cluster import connect
from .estimate import Clock
from .store import Store, Unknown, digest

__all__ = ["Job", "Jobs", "run_all"]

Progress = Callable[[float, float, str], None]  # done, total, remark
_TOPIC = "triodia-started"
_TICK = 0.5  # seconds between two looks


class _Runnable(Protocol):
    """What a job calls: a stage, or a function that calls several."""

    label: str

    def __call__(self, store: Store, choices: dict, *needs: dict) -> dict: ...

    def seconds(self, choices: dict) -> float: ...


@dataclass(eq=False)
class Job:
    """A stage with its choices and the jobs whose results it needs; ``result`` once it is done."""

    stage: _Runnable
    choices: dict
    needs: tuple["Job", ...]
    key: str
    result: dict | None = None

    @property
    def seconds(self) -> float:
        """Expected seconds of work."""
        return self.stage.seconds(self.choices)


@dataclass
class Jobs:
    """Jobs to run; adding the same one twice gives the first."""

    store: Store
    jobs: dict[str, Job] = field(default_factory=dict)

    def add(self, stage: _Runnable, choices: dict, *needs: Job) -> Job:
        """A job of ``stage``, which is called with the store, ``choices`` and results of needs."""
        which = [str(self.store.root), stage.__name__, choices, [need.key for need in needs]]
        key = f"{stage.__name__.strip('_')}-{digest(which)[:24]}"
        return self.jobs.setdefault(key, Job(stage, choices, needs, key))

    def run(
        self,
        *,
        workers: int = 1,
        scheduler: str | None = None,
        progress: Progress = lambda *_: None,
    ) -> None:
        """Give every job its result.

        Results that the store has are taken from there, without a cluster. For the others,
        ``scheduler`` is the address of a running dask cluster whose workers see the store's
        folder; else ``workers`` processes of this machine do the work. Interrupted, all finished
        stages stay in the store, and the next run goes on from there. ``progress`` gets
        the seconds passed, those passed and left, and a remark, twice a second.

        Raises
        ------
        TriodiaError
            If there is no scheduler at that address, or a stage fails.
        CheckFailed
            If workers keep dying.
        """
        self.store.clean()
        left = self._unknown()
        if left:
            with connect(workers, scheduler, self.store) as client:
                count = workers if scheduler is None else max(1, len(client.ncores()))
                _Run(client, self.store, left, count, len(self.jobs), progress).wait()
        progress(1, 1, f"{len(self.jobs)} of {len(self.jobs)} steps")

    def _unknown(self) -> list[Job]:
        """Jobs that the store does not answer, needs first."""
        reader, left = self.store.reader(), []
        for job in self.jobs.values():
            if all(need.result is not None for need in job.needs) and job.result is None:
                with suppress(Unknown):
                    job.result = job.stage(reader, job.choices, *(n.result for n in job.needs))
            if job.result is None:
                left.append(job)
        return left


def run_all(
    stage: _Runnable, choices: Sequence[dict], store: Store, **options: object
) -> list[dict]:
    """Results of ``stage`` for each of ``choices``, in their order; options of :meth:`Jobs.run`."""
    jobs = Jobs(store)
    mine = [jobs.add(stage, one) for one in choices]
    jobs.run(**options)
    return [job.result for job in mine]


def _work(stage: _Runnable, store: Store, choices: dict, *needs: dict) -> dict:
    """A job on a worker, which tells that it starts."""
    worker = get_worker()
    worker.log_event(_TOPIC, worker.get_current_task())
    return stage(store, choices, *needs)


class _Run:
    """Jobs under way on a cluster."""

    def __init__(
        self,
        client: Client,
        store: Store,
        left: list[Job],
        workers: int,
        total: int,
        progress: Progress,
    ) -> None:
        self.left = {job.key: job for job in left}
        self.total, self.progress, self.begun = total, progress, time.monotonic()
        needs = {job.key: [need.key for need in job.needs] for job in left}
        expected = {job.key: job.seconds for job in left}
        paths = self._paths(expected, needs)
        order = sorted(expected, key=lambda key: -paths[key])
        kinds = {job.key: job.stage.label for job in left}
        self.clock = Clock({key: expected[key] for key in order}, kinds, needs, workers)
        client.subscribe_topic(_TOPIC, self._started)
        self.futures = {}
        for job in left:
            given = [self.futures.get(n.key, n.result) for n in job.needs]
            how = {"key": job.key, "priority": paths[job.key]}
            work = client.submit(_work, job.stage, store, job.choices, *given, **how)
            self.futures[job.key] = work

    @staticmethod
    def _paths(expected: dict[str, float], needs: dict[str, list[str]]) -> dict[str, float]:
        """Seconds from the start of each job to the end of the longest chain behind it."""
        paths = dict(expected)
        for key in reversed(expected):
            for need in needs[key]:
                if need in paths:
                    paths[need] = max(paths[need], expected[need] + paths[key])
        return paths

    def _started(self, event: tuple[float, str]) -> None:
        if event[1] in self.left:
            self.clock.start(event[1], time.monotonic())

    def wait(self) -> None:
        """Until all jobs have their results."""
        ends = as_completed(list(self.futures.values()))
        while len(self.clock.done) < len(self.left):
            for future in ends.next_batch(block=False) if not ends.is_empty() else ():
                if future.status in ("lost", "pending"):
                    ends.add(future)  # its worker died with the result, and it runs again
                else:
                    self._finish(future.key, future)
            self._tell()
            if len(self.clock.done) < len(self.left):
                time.sleep(_TICK)

    def _finish(self, key: str, future: Future) -> None:
        try:
            result = self.left[key].result = future.result()
        except KilledWorker:
            raise CheckFailed(
                "a step's worker process died again and again, perhaps for want of memory; "
                "use fewer workers"
            ) from None
        self.clock.finish(key, None if result["cached"] else result["seconds"])

    def _tell(self) -> None:
        now = time.monotonic()
        count = self.total - len(self.left) + len(self.clock.done)
        doing: dict[str, float] = {}
        for key in self.clock.running():
            doing.setdefault(self.clock.kinds[key], now - self.clock.started[key])
        remark = f"{count} of {self.total} steps"
        if doing:
            remark += ": " + ", ".join(f"{what} {took:.0f} s" for what, took in doing.items())
        passed = now - self.begun
        self.progress(passed, passed + self.clock.left(now), remark)
