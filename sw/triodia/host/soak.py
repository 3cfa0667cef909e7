"""A long run on a virtual board that is stalled, disturbed, reset and unplugged at random."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np

from triodia_hw.machine.image import Image
from triodia_hw.machine.reference import Event, Reference
from triodia_sim.virtual_board import VirtualBoard

from .board import Board, open_board
from .errors import BoardRestarted, LinkError, PortError

__all__ = ["Soak", "SoakReport"]

_POOL = 60  # sequences of a network between two loads; each is used several times
_RATES = (0.0, 0.0, 1e-4, 1e-3)  # of disturbed bytes


@dataclass
class SoakReport:
    """Counts of a run. ``wrong``: steps that differ from the reference. ``failures``: unexpected.

    ``refused``: steps lost with a session that was ended on purpose.
    """

    steps: int = 0
    wrong: int = 0
    spikes: int = 0
    sequences: int = 0
    loads: int = 0
    resets: int = 0
    presses: int = 0
    reconnections: int = 0
    unplugs: int = 0
    stalls: int = 0
    refused: int = 0
    bad_frames: int = 0
    repeats: int = 0
    cycles: int = 0
    disturbed: int = 0
    seconds: float = 0.0
    first: str = ""
    failures: list[str] = field(default_factory=list)


class Soak:
    """Run ``images``, all of the same parameters, on virtual boards that ``start`` makes.

    Every answered step is compared with the reference. Disturbances are drawn from ``seed``; the
    timing of bytes is not, so no two runs are alike.
    """

    def __init__(
        self,
        images: list[Image],
        start: Callable[[int], VirtualBoard],
        *,
        seed: int = 0,
        baud: int,
        burst: int = 20_000,
    ) -> None:
        self.images, self.start, self.baud, self.burst = images, start, baud, burst
        self.rng, self.report = np.random.default_rng(seed), SoakReport()
        self._begun = time.monotonic()

    def run(self, steps: int, progress: Callable[[SoakReport], None]) -> SoakReport:
        """Run until ``steps`` have been compared; ``progress`` sees the report after each burst."""
        self.virtual = self.start(int(self.rng.integers(1 << 30)))
        self.board = self._open()
        try:
            self._load()
            while self.report.steps < steps:
                self._burst()
                self._disturb()
                self.report.seconds = round(time.monotonic() - self._begun, 1)
                progress(self.report)
        except LinkError as error:
            self.report.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self._count()
            self.board.close()
            self.virtual.close()
        return self.report

    def _open(self) -> Board:
        seed = int(self.rng.integers(1 << 30))
        return open_board(self.virtual.port, baud=self.baud, timeout=20, seed=seed)

    def _load(self) -> None:
        """Load another network and draw sequences, with the reference's results."""
        image = self.images[self.rng.integers(len(self.images))]
        self.board.load(image)
        self.report.loads += 1
        self.pool = [self._sequence(image) for _ in range(_POOL)]

    def _sequence(self, image: Image) -> tuple[list[list[Event]], list[tuple]]:
        p, reference = image.params, Reference(image)
        steps, rate, limit = [], self.rng.choice([0.01, 0.05, 0.3]), p.greatest_payload
        for _ in range(int(self.rng.integers(1, 60))):
            channels = np.flatnonzero(self.rng.random(p.inputs) < rate)
            values = (
                self.rng.integers(-limit, limit, channels.size) if p.graded else channels * 0 + 1
            )
            steps.append(list(zip(channels.tolist(), values.tolist(), strict=True)))
        results = [reference.step(events) for events in steps]
        return steps, [(r.spikes.tolist(), r.readouts.tolist()) for r in results]

    def _burst(self) -> None:
        """Send sequences one after the other, ahead of their results."""
        self.virtual.faults(float(self.rng.choice(_RATES)))
        waiting, sent = [], 0
        while sent < self.burst or waiting:
            if sent < self.burst:
                steps, want = self.pool[self.rng.integers(_POOL)]
                for t, events in enumerate(steps):
                    self.board.send(events, t == len(steps) - 1)
                waiting.append(want)
                sent += len(steps)
            if self.rng.random() < 0.002:
                self.report.stalls += 1
                time.sleep(float(self.rng.random()) * 0.05)
            if len(waiting) > 8 or sent >= self.burst:
                self._compare(waiting.pop(0))

    def _compare(self, want: list[tuple]) -> None:
        report = self.report
        for t, (spikes, readouts) in enumerate(want):
            got = self.board.receive()
            report.steps += 1
            report.spikes += len(spikes)
            if got.spikes.tolist() != spikes or got.readouts.tolist() != readouts:
                report.wrong += 1
                report.first = report.first or f"step {report.steps}, {t} of its sequence"
        report.sequences += 1

    def _disturb(self) -> None:
        actions = (self._load, self._reset, self._press, self._reconnect, self._unplug)
        actions[self.rng.choice(len(actions), p=[0.3, 0.3, 0.15, 0.15, 0.1])]()

    def _in_mid_step(self) -> None:
        """Send steps whose results are never read, and events of an unfinished step."""
        for _ in range(int(self.rng.integers(1, 4))):
            steps, _ = self.pool[self.rng.integers(_POOL)]
            for events in steps:
                self.board.send(events)
            self.report.refused += len(steps)
        for _ in range(int(self.rng.integers(0, 4))):
            self.board._pump(waiting=False)

    def _reset(self) -> None:
        self._in_mid_step()
        self.board.reset()
        self.report.resets += 1

    def _press(self) -> None:
        """Press the reset button; the host must notice, and a new session must work."""
        self._in_mid_step()
        self.virtual.press(2000)
        self.board.timeout = 5.0
        try:
            while True:
                self.board.receive()
        except BoardRestarted:
            self.report.presses += 1
        self.board.timeout = 20
        self.board.reset()

    def _reconnect(self) -> None:
        """Close the host in mid-step; another one takes over."""
        self._in_mid_step()
        image = self.board.image
        self._forget()
        self.board.close()
        self.board = self._open()
        self.board.assume(image)
        self.report.reconnections += 1

    def _unplug(self) -> None:
        """Unplug the board in mid-step; the host must notice. Plug in another one."""
        self._in_mid_step()
        self._count()
        self.virtual.close()
        try:
            while True:
                self.board.receive()
        except PortError:
            self.report.unplugs += 1
        self.board.close()
        self.virtual = self.start(int(self.rng.integers(1 << 30)))
        self.board = self._open()
        self._load()

    def _forget(self) -> None:
        self.report.bad_frames += self.board.bad + self.board.session.bad
        self.report.repeats += self.board.repeats + self.board.session.repeats

    def _count(self) -> None:
        """Add up the counts of a board and host that end."""
        self._forget()
        stats = self.virtual.stats()
        self.report.cycles += stats["cycles"]
        kinds = ("flips", "drops", "doubles", "swaps", "pauses")
        self.report.disturbed += sum(stats[kind] for kind in kinds)

    def as_dict(self) -> dict:
        """The report as plain values."""
        return asdict(self.report)
