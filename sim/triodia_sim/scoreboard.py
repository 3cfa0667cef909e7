"""Comparison of what a machine put out with what the reference says, word by word."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from triodia_hw.machine.image import Image
from triodia_hw.machine.neuron import State
from triodia_hw.machine.reference import Event, Reference
from triodia_hw.machine.words import OUTPUT_KINDS

__all__ = ["Divergence", "Scoreboard", "Sequence"]

Sequence = list[list[Event]]  # input events of each step; the last step ends the sequence

_KIND = {code: name for name, code in OUTPUT_KINDS.items()}


@dataclass(frozen=True)
class Divergence:
    """The first difference: where, which word, what was expected and what came.

    ``neuron`` counts as the image does; -1 where the word belongs to none.
    """

    sequence: int
    step: int
    neuron: int
    word: str
    expected: str
    got: str
    cycle: int

    def __str__(self) -> str:
        return (
            f"sequence {self.sequence}, step {self.step}, neuron {self.neuron}, {self.word}: "
            f"expected {self.expected}, got {self.got} (cycle {self.cycle})"
        )


class Scoreboard:
    """Run the reference beside a machine and compare every word of every step.

    Feed words in the order they come with :meth:`word`, state words with :meth:`state_word`
    after a step's end. ``mismatches`` counts differing words; ``first`` is the first of them.
    ``seen`` is what the machine put out in each step, whatever was expected: ``spikes`` by neuron,
    ``readouts`` as neuron and value.
    """

    def __init__(self, image: Image, sequences: Iterable[Sequence]) -> None:
        self.image = image
        self.reference = Reference(image)
        self.plan = [
            (s, t, events, t == len(sequence) - 1)
            for s, sequence in enumerate(sequences)
            for t, events in enumerate(sequence)
        ]
        self.neuron_of = {int(src): i for i, src in enumerate(image.source_of_neuron())}
        self.steps = self.spikes = self.words = self.mismatches = 0
        self.operations = self.events = 0
        self.first: Divergence | None = None
        self.seen: list[dict] = [{"spikes": [], "readouts": []}]
        self.state = State.zero(image.params.neurons)
        self._open()

    @property
    def done(self) -> bool:
        """Whether every planned step has ended."""
        return self.steps == len(self.plan)

    def _open(self) -> None:
        """Let the reference compute the step whose words come next."""
        if self.done:
            self.expected = {}
            return
        _, _, events, last = self.plan[self.steps]
        result = self.reference.step(events, last)
        spikes = {("spike", int(i)): 0 for i in result.spikes}  # their value
        values = zip(self.image.readouts.tolist(), result.readouts.tolist(), strict=True)
        self.expected = spikes | {("readout", i): v for i, v in values}
        self.operations += result.sops
        self.events += result.events
        self.state = State.zero(self.image.params.neurons) if last else result.state

    def _differ(self, neuron: int, word: str, expected: object, got: object, cycle: int) -> None:
        self.mismatches += 1
        if self.first is None:
            sequence, step, *_ = self.plan[min(self.steps, len(self.plan) - 1)]
            self.first = Divergence(sequence, step, neuron, word, str(expected), str(got), cycle)

    def word(
        self, kind: int | None, last: int | None, source: int | None, value: int | None, cycle: int
    ) -> None:
        """Compare an output word, None where undefined; ``cycle`` is when it was taken."""
        name = _KIND.get(kind)
        self.words += 1
        if name is None:
            self._differ(-1, "kind", f"one of {sorted(_KIND)}", _shown(kind), cycle)
        elif self.done:
            self._differ(-1, name, "nothing after the last step", f"source {source}", cycle)
        elif name == "end":
            if value != 0:
                self._differ(-1, "value of an end", 0, _shown(value), cycle)
            self._end(last, cycle)
        else:
            self._item(name, last, source, value, cycle)

    def _item(
        self, name: str, last: int | None, source: int | None, value: int | None, cycle: int
    ) -> None:
        """A spike, whose value is 0, or a readout; neither is marked last, none comes twice."""
        neuron = self.neuron_of.get(source, -1)
        expected = self.expected.pop((name, neuron), None)
        self.spikes += name == "spike"
        self.seen[-1][f"{name}s"].append(neuron if name == "spike" else (neuron, value))
        if expected is None or value != expected:
            shown = "none" if expected is None else expected
            self._differ(neuron, name, shown, f"value {_shown(value)}", cycle)
        if last != 0:
            self._differ(neuron, f"last of a {name}", 0, _shown(last), cycle)

    def _end(self, last: int | None, cycle: int) -> None:
        for (name, neuron), value in self.expected.items():
            self._differ(neuron, name, value, "none before the end of the step", cycle)
        planned = int(self.plan[self.steps][3])
        if last != planned:
            self._differ(-1, "last", planned, _shown(last), cycle)
        self.ended = self.state
        self.seen.append({"spikes": [], "readouts": []})
        self.steps += 1
        self._open()

    def state_word(self, neuron: int, field: str, value: int, cycle: int) -> None:
        """Compare a state word of the step that ended last."""
        expected = int(getattr(self.ended, field)[neuron])
        self.words += 1
        if expected != value:
            self.steps -= 1  # the step that has just ended
            self._differ(neuron, f"state {field}", expected, value, cycle)
            self.steps += 1

    def hang(self, cycle: int) -> None:
        """Record that no end came in time."""
        self._differ(-1, "end", "end of the step", "nothing in time", cycle)

    def counters(self, got: dict[str, int | None], cycle: int) -> None:
        """Compare the machine's own counts of events and synaptic operations."""
        for name, expected in (("events", self.events), ("operations", self.operations)):
            self.words += 1
            if got[name] != expected % (1 << 32):
                self._differ(-1, f"counter {name}", expected, _shown(got[name]), cycle)

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


def _shown(value: int | None) -> int | str:
    return "undefined" if value is None else value
