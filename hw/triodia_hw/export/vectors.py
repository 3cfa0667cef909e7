"""Recorded words of a machine: inputs, and what the integer reference puts out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..machine.image import Image
from ..machine.params import MachineParams
from ..machine.reference import Event, Reference
from ..machine.words import INPUT_KINDS, OUTPUT_KINDS, input_fields, output_fields, pack

__all__ = ["Recording", "random_sequences", "record"]

_STEPS = (12, 1, 10)  # of the random sequences


@dataclass(frozen=True)
class Recording:
    """Packed words, lowest field first; the output words of a step may come in any order."""

    inputs: list[int]
    outputs: list[int]


def random_sequences(image: Image) -> list[list[list[Event]]]:
    """Random input events; the same image gives the same ones."""
    chance = random.Random(0)
    return [[_events(image.params, chance) for _ in range(steps)] for steps in _STEPS]


def _events(p: MachineParams, chance: random.Random) -> list[Event]:
    """Events of one step: about half of the channels send a payload."""
    limit = p.greatest_payload
    channels = [channel for channel in range(p.inputs) if chance.random() < 0.5]
    return [(c, chance.randrange(-limit, limit) if p.graded else 1) for c in channels]


def record(image: Image, sequences: Sequence[Sequence[list[Event]]]) -> Recording:
    """Run ``sequences`` (events by step) through the reference; return all words."""
    reference, recording = Reference(image), Recording([], [])
    for sequence in sequences:
        for number, events in enumerate(sequence):
            last = number == len(sequence) - 1
            recording.inputs.extend(_input_words(image.params, events, last))
            recording.outputs.extend(_output_words(image, reference, events, last))
    return recording


def _input_words(p: MachineParams, events: list[Event], last: bool) -> list[int]:
    zero = dict.fromkeys(("last", "source", "payload"), 0)
    words = [
        zero | {"kind": INPUT_KINDS["event"], "source": channel, "payload": payload}
        for channel, payload in events
    ]
    words.append(zero | {"kind": INPUT_KINDS["end"], "last": int(last)})
    return [pack(input_fields(p), word) for word in words]


def _output_words(image: Image, reference: Reference, events: list[Event], last: bool) -> list[int]:
    zero, sources = dict.fromkeys(("last", "source", "value"), 0), image.source_of_neuron()
    result = reference.step(events, last)
    words = [
        zero | {"kind": OUTPUT_KINDS["spike"], "source": sources[neuron]}
        for neuron in result.spikes
    ]
    words += [
        zero | {"kind": OUTPUT_KINDS["readout"], "source": sources[neuron], "value": value}
        for neuron, value in zip(image.readouts, result.readouts, strict=True)
    ]
    words.append(zero | {"kind": OUTPUT_KINDS["end"], "last": int(last)})
    return [pack(output_fields(image.params), word) for word in words]
