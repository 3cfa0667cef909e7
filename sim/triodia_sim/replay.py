"""Compare what the native harness logged, word by word, with the reference."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from triodia_hw.cost.cycles import cycles_and_stalls
from triodia_hw.machine.image import Image
from triodia_hw.machine.words import COUNTERS, OUTPUT_KINDS, output_fields, state_fields

from .exercise import Action
from .monitor import RULES
from .result import CosimResult, exact_sequences
from .scoreboard import Divergence, Scoreboard, Sequence

__all__ = ["Replay"]

_MARK, _WORD, _TAKEN, _COUNTED, _BROKEN, _HANG = range(6)  # types of rows, as in native.cc
_REPORT_LAG = 8


class Replay:
    """A log of the harness, and the meaning of each operation that it performed.

    ``board`` holds what was found. ``counters`` are the machine's when the samples were over.
    """

    def __init__(
        self, image: Image, meanings: list[Action], state: Path | None, start: int = 0
    ) -> None:
        self.image, self.meanings, self._start = image, meanings, start
        self.board = Scoreboard(image)
        self.ends: list[int] = []
        self.label, self.events = (0, 0), []
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.samples: dict | None = None  # the summary once they are over
        self._asked = self._dumps = 0
        self._lag: int | None = None
        self._counts: list[list[int]] = []
        self._next: Image | None = None  # loaded, but words of the one before still leave
        p = image.params
        self._state = None
        if state is not None:
            words = np.fromfile(state, "<u8").reshape(-1, p.slots, p.lanes).swapaxes(1, 2)
            self._state = _unpacked(words.reshape(-1, p.lanes * p.slots), state_fields(p))
        (_, width, _) = output_fields(p)[-1]
        self._sign = 1 << (width - 1)

    def run(self, log: np.ndarray) -> None:
        """Compare all rows."""
        board, ends, end = self.board, self.ends, OUTPUT_KINDS["end"]
        mask, sign = 2 * self._sign - 1, self._sign
        for kind, cycle, index, a, b, c, d, e in log.tolist():
            if kind == _WORD:
                steps = board.steps
                board.word(a, b, c, ((d & mask) ^ sign) - sign, cycle)
                self._dumps += e
                if a == end and board.steps > steps:
                    ends.append(cycle)
                    self._compare_state(cycle)
            elif kind == _MARK:
                name, *values = self.meanings[index]
                self._do(name, values, cycle)
            elif kind == _TAKEN:
                self._asked = a & 0xFFFFFFFF
            elif kind == _COUNTED:
                first = 0 if self._counts else self._start  # the machine's own, then the monitor's
                values = (a, b, c, d, e)
                self._counts.append([(value - first) & 0xFFFFFFFF for value in values])
                if len(self._counts) == 2:
                    self._counted(self.meanings[index][0], cycle)
            elif kind == _BROKEN:
                word, expected, got = RULES[b]
                board.differ(-1, word, expected, got, c)
                board.mismatches += a - 1
            else:
                board.hang(cycle)

    def _do(self, name: str, values: list, cycle: int) -> None:
        """What the bench does to the machine, done to the scoreboard."""
        method: Callable | None = getattr(self, f"_{name.replace(' ', '_')}", None)
        if name == "event":
            self.events.append(tuple(values))
        elif name == "end":
            self.board.expect_step(self.events, values[0], *self.label)
            self.label, self.events = (self.label[0], self.label[1] + 1), []
        elif name == "read":
            self.board.expect_read(values[0])
        elif name == "report":
            self.board.expect_report()
        elif method:
            method(cycle, *values)

    def _sequence(self, _: int, number: int) -> None:
        self.label = (number, 0)

    def _part(self, _: int, name: str) -> None:
        self.board.part, self.label = name, (self.label[0], 0)

    def _samples_over(self, _: int) -> None:
        self.samples = self.board.summary() | {"ends": list(self.ends)}
        self.label = (self.label[0] + 1, 0)

    def _reset(self, _: int, *__: int) -> None:
        self.events = []
        self.board.reset()
        self.board.events = self.board.operations = 0

    def _loaded(self, _: int, image: Image) -> None:
        idle = self.board.done and not self.events
        self.events = []
        if idle:
            self.board.load(image)
        else:
            self._next = image

    def _drained(self, _: int) -> None:
        self.board.load(self._next)

    def _counted(self, why: str, cycle: int) -> None:
        """Counters at the ports, and the monitor's own cycles and stalls."""
        got, (cycles, stalls, *_) = (
            dict(zip(COUNTERS, self._counts[0], strict=True)),
            self._counts[1],
        )
        self._counts = []
        if why == "shown while busy":
            least, most = self._now | {"cycles": self._asked}, got | {"cycles": cycles}
            self.board.report_between(least, most, cycle, self._start)
            return
        if why == "counted anew":
            self.board.events, self.board.operations = got["events"], got["operations"]
            return
        self.counters = got if self.samples is None else self.counters
        self._now = got
        self.board.counters(got, cycle)
        self.board.counter("output_stalls", stalls, got["output_stalls"], cycle)
        if got["bus_stalls"] > cycles:
            self.board.differ(-1, "counter bus_stalls", "no more", got["bus_stalls"], cycle)
        self.board.counter("cycles", cycles, got["cycles"], cycle)

    def _reported(self, cycle: int) -> None:
        """A report of an idle machine shows what the ports showed before."""
        halves = self.board.report
        if len(halves) < 2 * len(COUNTERS):
            return
        got = {
            n: (halves[2 * k] + (halves[2 * k + 1] << 16) - self._start) & 0xFFFFFFFF
            for k, n in enumerate(COUNTERS)
        }
        lag = got.pop("cycles") - self._asked
        self._lag = lag if self._lag is None else self._lag
        if not 0 <= self._lag <= _REPORT_LAG or lag != self._lag:
            self.board.differ(-1, "report of cycles", self._asked, lag + self._asked, cycle)
        for name, value in got.items():
            self.board.counter(f"{name} in a report", self._now[name], value, cycle)

    def _compare_state(self, cycle: int) -> None:
        """All state words of the step that has just ended."""
        if self._state is None:
            return
        board, slots, at = self.board, self.board.image.slot, self._dumps - 1
        for name, values in self._state.items():
            wanted, got = getattr(board.ended, name), values[at, slots]
            board.words += got.size
            for neuron in np.flatnonzero(wanted != got):
                board.differ(
                    int(neuron), f"state {name}", int(wanted[neuron]), int(got[neuron]), cycle
                )

    def result(self, sequences: list[Sequence], *, exact: bool) -> CosimResult:
        """What was found; ``exact``: the cycles of steps are compared with the cycle model too."""
        ends = (self.samples or {}).get("ends", self.ends)
        if exact and not self.board.mismatches:
            self._compare_cycles(sequences, ends)
        final = self.board.summary()
        first = final.pop("first")
        shown = {k: v for k, v in (self.samples or final).items() if k not in ("ends", "first")}
        shown["mismatches"] = final["mismatches"]
        cycles = ends[-1] if ends else 0
        return CosimResult(
            simulator="native",
            cycles=cycles,
            cycles_per_step=round(cycles / max(shown["steps"], 1), 2),
            counters=self.counters,
            ends=ends,
            first=Divergence(**first) if first else None,
            waveform=None,
            exercise={name: final[name] - shown[name] for name in ("steps", "words")},
            **shown,
        )

    def _compare_cycles(self, sequences: list[Sequence], got: list[int]) -> None:
        some = exact_sequences(sequences)
        wanted, stalls = cycles_and_stalls(self.image, some)
        late = [(a, b) for a, b in zip(wanted.tolist(), got, strict=False) if a != b]
        if late:
            self.board.differ(-1, "cycle of an end", *late[0], late[0][1])
        elif len(some) == len(sequences):
            self.board.counter("bus_stalls", stalls, self.counters["bus_stalls"], got[-1])


def _unpacked(words: np.ndarray, fields: list[tuple[str, int, bool]]) -> dict[str, np.ndarray]:
    """Fields of state words, ``(ends, slots)`` each."""
    values, low = {}, 0
    for name, width, is_signed in fields:
        value = (words >> np.uint64(low) & np.uint64((1 << width) - 1)).astype(np.int64)
        half = 1 << (width - 1) if is_signed else 0
        values[name] = (value ^ half) - half
        low += width
    return values
