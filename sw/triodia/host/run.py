"""Samples of a task on a board: throughput, latency, and the comparison with the reference."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triodia_hw.machine.image import Image
from triodia_hw.machine.reference import Event, Reference

from .board import Board
from .words import StepOutput

__all__ = ["RunReport", "run_samples"]

Sequence = list[list[Event]]


@dataclass(frozen=True)
class RunReport:
    """Results of a run.

    ``classes``: the readout with the greatest sum, per sample; -1 without readouts.
    ``latency_ms``: median of single samples, each sent after the one before, by the host's clock.
    ``began``: when, in seconds since 1970; the stream of samples took ``seconds`` from then.
    ``cycles`` and ``operations`` are the machine's own counts over the whole run. ``compared``:
    words checked (spikes, readouts, ends); ``mismatches``: how many differ; None without a check.
    """

    samples: int
    steps: int
    spikes: int
    classes: list[int]
    began: float
    seconds: float
    samples_per_second: float
    steps_per_second: float
    latency_ms: float
    cycles: int
    operations: int
    bad_frames: int
    repeats: int
    compared: int | None
    mismatches: int | None
    first: str | None


def run_samples(
    board: Board,
    sequences: list[Sequence],
    *,
    check: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunReport:
    """Run ``sequences`` as a stream, then a few one by one to measure latency.

    With ``check`` every spike, readout and end is compared with the reference.
    """
    before, began, begun = board.counters(), time.time(), time.monotonic()
    outputs = []
    for sequence in board.run(sequences):
        outputs.append(sequence)
        progress(len(outputs), len(sequences))
    seconds, after = time.monotonic() - begun, board.counters()
    checked = _Check(board.image) if check else None
    if checked:
        for number, (sequence, output) in enumerate(zip(sequences, outputs, strict=True)):
            checked.sequence(number, sequence, output)
    steps = sum(map(len, sequences))
    counted = {name: (after[name] - before[name]) % (1 << 32) for name in after}
    return RunReport(
        samples=len(sequences),
        steps=steps,
        spikes=sum(len(step.spikes) for output in outputs for step in output),
        classes=[_class(output) for output in outputs],
        began=round(began, 3),
        seconds=round(seconds, 3),
        samples_per_second=round(len(sequences) / seconds, 2),
        steps_per_second=round(steps / seconds, 1),
        latency_ms=round(_latency(board, sequences[:5]) * 1000, 3),
        cycles=counted["cycles"],
        operations=counted["operations"],
        bad_frames=board.bad + board.session.bad,
        repeats=board.repeats + board.session.repeats,
        compared=checked.words if checked else None,
        mismatches=checked.mismatches if checked else None,
        first=checked.first if checked else None,
    )


def _class(output: list[StepOutput]) -> int:
    total = sum(step.readouts for step in output)
    return int(np.argmax(total)) if total.size else -1


def _latency(board: Board, sequences: list[Sequence]) -> float:
    """Median seconds from a sample's first event to its last result, alone on the line."""
    times = []
    for sequence in sequences:
        begun = time.monotonic()
        list(board.run([sequence]))
        times.append(time.monotonic() - begun)
    return float(np.median(times))


class _Check:
    """Compare a board with the reference."""

    def __init__(self, image: Image) -> None:
        self.reference = Reference(image)
        self.words = self.mismatches = 0
        self.first: str | None = None

    def sequence(self, number: int, sequence: Sequence, output: list[StepOutput]) -> None:
        self.reference.reset()
        for t, (events, got) in enumerate(zip(sequence, output, strict=True)):
            want = self.reference.step(events)
            here = f"sample {number}, step {t}"
            expected = {f"spike of neuron {i}": "one" for i in want.spikes.tolist()}
            came = {f"spike of neuron {i}": "one" for i in got.spikes.tolist()}
            readouts = self.reference.image.readouts.tolist()
            expected |= _named(readouts, want.readouts)
            came |= _named(readouts, got.readouts)
            self.words += len(expected) + 1
            for name in sorted(expected.keys() | came.keys()):
                self._compare(here, name, expected.get(name, "none"), came.get(name, "none"))
            self._compare(here, "last", t == len(sequence) - 1, got.last)

    def _compare(self, here: str, name: str, want: object, got: object) -> None:
        if want != got:
            self.mismatches += 1
            self.first = self.first or f"{here}, {name}: expected {want}, got {got}"


def _named(neurons: list[int], values: np.ndarray) -> dict[str, int]:
    return {f"readout {i}": v for i, v in zip(neurons, values.tolist(), strict=True)}
