"""Convert stream words to bytes of the link, and output words to spikes and readouts."""

from dataclasses import dataclass

import numpy as np

from triodia_hw.machine.image import Image
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.reference import Event
from triodia_hw.machine.words import (
    INPUT_KINDS,
    OUTPUT_KINDS,
    Fields,
    input_fields,
    output_fields,
    pack,
    unpack,
    width_of,
)

__all__ = ["StepOutput", "StepReader", "Words", "bytes_of"]


def bytes_of(fields: Fields) -> int:
    """Bytes per word."""
    return -(-width_of(fields) // 8)


@dataclass(frozen=True)
class StepOutput:
    """Results of a step.

    spikes : neurons that spiked, ascending. readouts : ``v`` of each readout, in order.
    last : whether the step ended its sequence.
    """

    spikes: np.ndarray
    readouts: np.ndarray
    last: bool


class Words:
    """Encode and decode stream words of a machine with parameters ``p``."""

    def __init__(self, p: MachineParams) -> None:
        self._in, self._out = input_fields(p), output_fields(p)
        self._in_bytes, self.out_bytes = bytes_of(self._in), bytes_of(self._out)

    def word(self, kind: str, *, last: bool = False, source: int = 0, payload: int = 0) -> bytes:
        """An input word."""
        values = {
            "kind": INPUT_KINDS[kind],
            "last": int(last),
            "source": source,
            "payload": payload,
        }
        return pack(self._in, values).to_bytes(self._in_bytes, "little")

    def step(self, events: list[Event], last: bool) -> bytes:
        """A step: its events and its end."""
        words = [self.word("event", source=source, payload=value) for source, value in events]
        return b"".join(words) + self.word("end", last=last)

    def first(self, received: bytearray) -> dict[str, int]:
        """Take one word off the front of ``received``, which holds at least one."""
        word = int.from_bytes(received[: self.out_bytes], "little")
        del received[: self.out_bytes]
        return unpack(self._out, word)


class StepReader:
    """Collect output words of ``image`` into steps.

    Raises
    ------
    ValueError
        If this network cannot produce a word.
    """

    def __init__(self, image: Image) -> None:
        sources = image.source_of_neuron().tolist()
        self._neuron = {source: i for i, source in enumerate(sources)}
        self._spiking, self._readouts = image.neurons.spiking, image.readouts
        self._is_readout = set(image.readouts.tolist())
        self._open()

    def _open(self) -> None:
        self._spikes: list[int] = []
        self._values: dict[int, int] = {}

    def take(self, word: dict[str, int]) -> StepOutput | None:
        """Take a word; return the step if the word ends it."""
        kind, neuron = word["kind"], self._neuron.get(word["source"], -1)
        if kind == OUTPUT_KINDS["spike"] and neuron >= 0 and self._spiking[neuron]:
            self._spikes.append(neuron)
        elif kind == OUTPUT_KINDS["readout"] and neuron in self._is_readout:
            self._values[neuron] = word["value"]
        elif kind == OUTPUT_KINDS["end"] and len(self._values) == len(self._readouts):
            values = [self._values[i] for i in self._readouts.tolist()]
            spikes = np.array(sorted(self._spikes), np.int64)
            self._open()
            return StepOutput(spikes, np.array(values, np.int64), bool(word["last"]))
        else:
            raise ValueError(f"word {word}")
        return None
