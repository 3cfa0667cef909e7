"""Comparison of what a machine put out with what the reference says, word by word."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from triodia_hw.machine.image import Image
from triodia_hw.machine.neuron import State
from triodia_hw.machine.reference import Event, Reference
from triodia_hw.machine.words import COUNTERS, OUTPUT_KINDS

__all__ = ["Divergence", "Scoreboard", "Sequence"]

Sequence = list[list[Event]]  # input events of each step; the last step ends the sequence

_KIND = {code: name for name, code in OUTPUT_KINDS.items()}
_COUNTS = 2 * len(COUNTERS)  # words that answer a read of the counters


@dataclass(frozen=True)
class Divergence:
    """The first difference: where, which word, what was expected and what came.

    ``neuron`` counts as the image does; -1 where the word belongs to none. ``part`` names the part
    of the exercise; it is empty in the samples.
    """

    sequence: int
    step: int
    neuron: int
    word: str
    expected: str
    got: str
    cycle: int
    part: str = ""

    def __str__(self) -> str:
        where = f"exercise '{self.part}'" if self.part else f"sequence {self.sequence}"
        return (
            f"{where}, step {self.step}, neuron {self.neuron}, {self.word}: "
            f"expected {self.expected}, got {self.got} (cycle {self.cycle})"
        )


@dataclass
class _Group:
    """Words up to an end: those of a step, or the answer to a read of a state word."""

    sequence: int
    step: int
    part: str
    events: list[Event] | None = None
    last: bool = False
    read: str = ""


class Scoreboard:
    """Run the reference beside a machine and compare every word of every step.

    Say with the ``expect`` methods what is sent; feed words in the order they come to :meth:`word`,
    state words to :meth:`state_word` after a step's end. A word that nothing asked for differs.
    ``mismatches`` counts differing words; ``first`` is the first of them. ``steps``, ``spikes`` and
    ``words`` count what came. ``events`` and ``operations`` are the machine's counters once it is
    idle between steps. ``seen`` is what it put out in each step, whatever was expected: ``spikes``
    by neuron, ``readouts`` as neuron and value. ``report`` holds the words of the last read of the
    counters.
    """

    def __init__(self, image: Image, sequences: Iterable[Sequence] = ()) -> None:
        self.plan = [
            (s, t, events, t == len(sequence) - 1)
            for s, sequence in enumerate(sequences)
            for t, events in enumerate(sequence)
        ]
        self.steps = self.spikes = self.words = self.mismatches = 0
        self.first: Divergence | None = None
        self.seen: list[dict] = [{"spikes": [], "readouts": []}]
        self.part, self._at = "", (0, 0)
        self.events = self.operations = 0
        self.report: list[int] = []
        self._reports = 0  # reads of counters that are not answered yet
        self.load(image)
        for sequence, step, events, last in self.plan:
            self.expect_step(events, last, sequence, step)

    def load(self, image: Image) -> None:
        """Expect what ``image`` does after reset; what was asked and did not come is forgotten."""
        self.image = image
        self.neuron_of = {int(src): i for i, src in enumerate(image.source_of_neuron())}
        self.reset()

    def reset(self) -> None:
        """Expect nothing more of what was asked, and then a machine whose state is 0."""
        self.reference = Reference(self.image)
        self.state = self.ended = State.zero(self.image.params.neurons)
        self._asked: deque[_Group] = deque()
        self._group: _Group | None = None
        self.expected: dict[tuple[str, int], int] = {}
        self._reports, self.report = 0, []

    @property
    def done(self) -> bool:
        """Whether everything that was asked has been answered."""
        return not self._group and not self._asked and not self._reports

    def expect_step(self, events: list[Event], last: bool, sequence: int, step: int) -> None:
        """A step is sent."""
        self._asked.append(_Group(sequence, step, self.part, events, last))

    def expect_read(self, what: str) -> None:
        """A read of a word of the state is sent."""
        self._asked.append(_Group(*self._at, self.part, read=what))

    def expect_report(self) -> None:
        """A read of the counters is sent."""
        self._reports += 1

    def _open(self) -> None:
        """Let the reference compute the group whose words come next."""
        if self._group or not self._asked:
            return
        group = self._group = self._asked.popleft()
        self._at = group.sequence, group.step
        if group.read:
            self.expected = self._words_of_read(group.read)
            return
        pending = self._pending()
        result = self.reference.step(group.events, group.last)
        spikes = {("spike", int(i)): 0 for i in result.spikes}  # their value
        values = zip(self.image.readouts.tolist(), result.readouts.tolist(), strict=True)
        self.expected = spikes | {("readout", i): v for i, v in values}
        # Spikes and delayed events count when they are delivered: at once, not after a last step.
        delivered = self._pending()
        self.operations += result.sops + self._row_words(delivered) - self._row_words(pending)
        self.events += result.events + len(delivered) - len(pending)
        self.state = State.zero(self.image.params.neurons) if group.last else result.state

    def _pending(self) -> np.ndarray:
        """Rows that the coming step will walk before its inputs: of spikes and delayed events."""
        rows = [row for row, _ in self.reference.delayed()]
        spikes = self.image.params.inputs + np.asarray(self.reference.spikes, np.int64)
        return np.concatenate([spikes, np.array(rows, np.int64)])

    def _row_words(self, rows: np.ndarray) -> int:
        """Synapses in ``rows``."""
        start = self.image.row_start
        return int((start[rows + 1] - start[rows]).sum())

    def _words_of_read(self, what: str) -> dict[tuple[str, int], int]:
        """A readout for each slot: of its neuron, or 0 and a number below -1 if it has none."""
        values = getattr(self.state, what).tolist()
        words = {("readout", i): values[i] for i in self.neuron_of.values()}
        p = self.image.params
        empty = set(range(p.inputs, p.sources)) - set(self.neuron_of)
        return words | {("readout", -2 - source): 0 for source in empty}

    def differ(self, neuron: int, word: str, expected: object, got: object, cycle: int) -> None:
        """Count a mismatch at the step that is under way or ended last."""
        self.mismatches += 1
        if self.first is None:
            texts = str(expected), _shown(got)
            self.first = Divergence(*self._at, neuron, word, *texts, cycle, self.part_now)

    @property
    def part_now(self) -> str:
        """Part of the exercise to which the words that come belong."""
        return self._group.part if self._group else self.part

    def word(
        self, kind: int | None, last: int | None, source: int | None, value: int | None, cycle: int
    ) -> None:
        """Compare an output word, None where undefined; ``cycle`` is when it was taken."""
        name = _KIND.get(kind)
        self.words += 1
        self._open()
        if name is None:
            self.differ(-1, "kind", f"one of {sorted(_KIND)}", kind, cycle)
        elif name == "count":
            self._count(last, source, value, cycle)
        elif not self._group:
            self.differ(-1, name, "nothing that was not asked for", f"source {source}", cycle)
        elif name == "end":
            if value != 0:
                self.differ(-1, "value of an end", 0, value, cycle)
            self._end(last, cycle)
        else:
            self._item(name, last, source, value, cycle)

    def _count(self, last: int | None, source: int | None, value: int | None, cycle: int) -> None:
        """A word of a report; they come in order of their source."""
        if not self._reports:
            got = f"source {source}"
            self.differ(-1, "count", "nothing that was not asked for", got, cycle)
            return
        if (last, source) != (0, len(self.report) % _COUNTS) or value is None:
            expected = f"number {len(self.report) % _COUNTS}"
            self.differ(-1, "count", expected, f"number {source}, last {last}", cycle)
        if len(self.report) == _COUNTS:
            self.report = []
        self.report.append((value or 0) & 0xFFFF)
        self._reports -= len(self.report) == _COUNTS

    def _item(
        self, name: str, last: int | None, source: int | None, value: int | None, cycle: int
    ) -> None:
        """A spike, whose value is 0, or a readout; neither is marked last, none comes twice."""
        neuron = self.neuron_of.get(source, -1 if source is None else -2 - source)
        expected = self.expected.pop((name, neuron), None)
        shown = max(neuron, -1)
        if not self._group.read:
            self.spikes += name == "spike"
            self.seen[-1][f"{name}s"].append(shown if name == "spike" else (shown, value))
        if expected is None or value != expected:
            text = "none" if expected is None else expected
            got = f"value {_shown(value)}" + ("" if shown >= 0 else f" of source {source}")
            self.differ(shown, name, text, got, cycle)
        if last != 0:
            self.differ(shown, f"last of a {name}", 0, last, cycle)

    def _end(self, last: int | None, cycle: int) -> None:
        for (name, neuron), value in self.expected.items():
            self.differ(max(neuron, -1), name, value, "none before the end of the step", cycle)
        planned = int(self._group.last)
        if last != planned:
            self.differ(-1, "last", planned, last, cycle)
        if not self._group.read:
            self.ended = self.state
            self.seen.append({"spikes": [], "readouts": []})
            self.steps += 1
        self._group = None

    def state_word(self, neuron: int, field: str, value: int, cycle: int) -> None:
        """Compare a state word of the step that ended last."""
        expected = int(getattr(self.ended, field)[neuron])
        self.words += 1
        if expected != value:
            self.differ(neuron, f"state {field}", expected, value, cycle)

    def hang(self, cycle: int) -> None:
        """Record that the machine stands still though it was asked for something."""
        self._open()
        self.differ(-1, "end", "end of the step", "nothing in time", cycle)

    def counters(self, got: dict[str, int | None], cycle: int) -> None:
        """Compare an idle machine's own counts of events and synaptic operations."""
        for name, expected in (("events", self.events), ("operations", self.operations)):
            self.words += 1
            self.counter(name, expected, got[name], cycle)

    def counter(self, name: str, expected: int, got: int | None, cycle: int) -> None:
        """Compare a counter of 32 bits."""
        if got != expected % (1 << 32):
            self.differ(-1, f"counter {name}", expected % (1 << 32), got, cycle)

    def report_between(
        self, least: dict[str, int], most: dict[str, int], cycle: int, start: int = 0
    ) -> None:
        """Compare the report of a busy machine: each count lies between what was and what is.

        ``start``: what counters showed at first.
        """
        if len(self.report) < _COUNTS:
            return  # that words are missing has been found
        for k, name in enumerate(COUNTERS):
            shown = self.report[2 * k] + (self.report[2 * k + 1] << 16) - start & 0xFFFFFFFF
            if not least[name] <= shown <= most[name]:
                self.differ(-1, f"report of {name}", least[name], shown, cycle)

    def summary(self) -> dict:
        """Counts and the first divergence, for a JSON file."""
        return {
            "steps": self.steps,
            "spikes": self.spikes,
            "words": self.words,
            "operations": self.operations,
            "mismatches": self.mismatches,
            "first": asdict(self.first) if self.first else None,
        }


def _shown(value: object) -> str:
    return "undefined" if value is None else str(value)
