"""Integer inference: a task's samples as input events, and a machine image's answers to them."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.events import EventList
from triodia_hw.machine.image import Image
from triodia_hw.machine.trace import trace
from triodia_sim.scoreboard import Sequence

from ..tasks.catalog import TaskData
from ..tasks.events import EventSamples

__all__ = ["classify", "evaluate_image", "event_record", "input_events"]


def input_events(
    image: Image, x: np.ndarray | EventSamples, lengths: np.ndarray, *, limit: int | None = None
) -> list[Sequence]:
    """Samples ``x`` (batch, time, channels) as the machine's input: one sequence each.

    ``limit`` takes that many, evenly spread: data sets are often sorted by class.

    Channels are standardised as in training, clipped, and rounded to payloads with
    ``fraction_bits`` fractional bits; a payload of 0 does nothing and is not sent.
    """
    count = len(x) if limit is None else min(limit, len(x))
    chosen = np.linspace(0, len(x) - 1, count).astype(int)
    return [events.lists() for events in _event_lists(image, x, lengths, chosen)]


def _event_lists(
    image: Image, x: np.ndarray | EventSamples, lengths: np.ndarray, chosen: Iterable[int]
) -> Iterator[EventList]:
    """Events of the ``chosen`` samples, one after another: all at once may fill the memory."""
    if image.coding is None:
        raise TriodiaError("This image takes input events, not samples: it has no input coding.")
    for k in chosen:
        yield image.coding.event_list(image.params, x[k][: int(lengths[k])])


def event_record(image: Image, sequences: Iterable[Sequence]) -> np.ndarray:
    """Events that arrive from each source (inputs, then neurons) in each step, ``(steps, S)``."""
    p, parts = image.params, []
    for sequence in sequences:
        events = EventList.of(sequence)
        rows = np.zeros((events.steps, p.inputs + p.neurons), np.int8)
        rows[np.repeat(np.arange(events.steps), np.diff(events.start)), events.channel] = 1
        rows[1:, p.inputs :] = trace(image, events).spikes[:-1]
        parts.append(rows)
    return np.concatenate(parts)


def classify(image: Image, sequence: EventList | Sequence) -> tuple[int, int, int]:
    """Class of a sequence (largest sum of readouts over its steps), its spikes and SOPs."""
    found = trace(image, sequence)
    return int(np.argmax(found.scores)), int(found.spikes.sum()), int(found.sops.sum())


def evaluate_image(
    image: Image, data: TaskData, progress: Callable[[int, int], None] | None = None
) -> dict:
    """Accuracy on the whole test set, spikes per neuron and step, SOPs per sample."""
    samples = len(data.x_test)
    sequences = _event_lists(image, data.x_test, data.len_test, range(samples))
    right = spikes = sops = steps = 0
    for done, (sequence, label) in enumerate(zip(sequences, data.y_test, strict=True)):
        answer, fired, operations = classify(image, sequence)
        right += answer == int(label)
        spikes += fired
        sops += operations
        steps += sequence.steps
        if progress:
            progress(done + 1, samples)
    return {
        "metric": right / samples,
        "samples": samples,
        "rate": spikes / (steps * int(image.neurons.spiking.sum())),
        "sops_per_sample": sops / samples,
        "steps_per_sample": steps / samples,
    }
