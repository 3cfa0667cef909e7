"""tinyODIN: 256 neurons and a crossbar of 4-bit weights, driven over its AER and SPI buses.

Neuron, memories and buses are those of its ``doc/README.md``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .icarus import Stuck, play, write_hex
from .peer import SOURCES, Peer, Speed
from .placing import Source
from .workload import Workload

__all__ = ["TINYODIN", "Network", "TinyOdin", "model"]

_LOW, _HIGH = -2048, 2047  # a potential of 12 bits
_GREATEST = 7  # of a weight of 4 bits
_EVENT, _DRAIN, _STEP, _END = (kind << 10 for kind in range(4))
_LEAK_ALL = 0x1FF  # a time reference event for all neurons
_FILES = "tinyODIN controller scheduler fifo synaptic_core neuron_core lif_neuron aer_out spi_slave"


@dataclass(frozen=True)
class Network:
    """A network in the words of tinyODIN: ``weights`` (sources, neurons), one value per neuron.

    ``silent`` neurons never send an event.
    """

    weights: np.ndarray
    threshold: np.ndarray
    leak: np.ndarray
    silent: np.ndarray

    @classmethod
    def of(cls, workload: Workload) -> "Network":
        """Weights rounded to 4 bits, none to 0; thresholds in their unit; the leak as a constant.

        The leak takes what half the threshold would lose in a step. Readouts never fire.
        """
        p, neurons = workload.image.params, workload.image.neurons
        unit = np.abs(workload.weights).max() / _GREATEST
        size = np.clip(np.round(np.abs(workload.weights) / unit), 1, _GREATEST)
        threshold = np.round(neurons.threshold / (1 << p.fraction_bits) / unit)
        threshold = np.where(neurons.spiking, np.clip(threshold, 1, _HIGH), _HIGH)
        lost = 1 - neurons.beta / (1 << p.leak_bits)
        return cls(
            weights=(np.sign(workload.weights) * size).astype(np.int64),
            threshold=threshold.astype(np.int64),
            leak=np.clip(np.round(lost * threshold / 2), 0, 127).astype(np.int64),
            silent=~neurons.spiking,
        )

    def synapse_words(self) -> np.ndarray:
        """The synapse memory, 8192 words: eight weights each, the lowest neuron in the low bits."""
        full = np.zeros((SOURCES, SOURCES), np.int64)
        full[: len(self.weights), : self.weights.shape[1]] = self.weights & 15
        return (full.reshape(-1, 8) << np.arange(0, 32, 4)).sum(axis=1)

    def neuron_words(self) -> np.ndarray:
        """The neuron memory, 256 words: silent, leak, threshold and potential, which is 0."""
        words = np.full(SOURCES, 1 << 31, np.int64)
        words[: self.threshold.size] = self.silent.astype(np.int64) << 31
        words[: self.threshold.size] |= (self.leak << 24) | (self.threshold << 12)
        return words


def model(network: Network, workload: Workload) -> tuple[list[int], np.ndarray]:
    """Neurons in the order of their output events, and the potentials at the end.

    The documented neuron: an event adds its weights, saturating; a neuron at its threshold fires
    and is reset to 0; a time reference event moves potentials towards 0.
    """
    v, fired = np.zeros(workload.neurons, np.int64), []
    for senders in workload.senders():
        for source in senders:
            v = np.clip(v + network.weights[source], _LOW, _HIGH)
            fires = v >= network.threshold
            fired += np.flatnonzero(fires & ~network.silent).tolist()
            v[fires] = 0
        v = np.sign(v) * np.maximum(np.abs(v) - network.leak, 0)
    return fired, v


class TinyOdin(Peer):
    """The crossbar; all 256 rows can send, and the first neurons are updated."""

    def source(self, workload: Workload, sources: Path) -> Source:
        """The core as it is; its size is fixed."""
        self.check_size(workload)
        return Source("tinyODIN", self.paths(sources), "CLK", ("SCK",))

    def stored(self, workload: Workload) -> int:
        """All of the crossbar."""
        return SOURCES * SOURCES

    def run(self, workload: Workload, sources: Path, folder: Path) -> Speed:
        """Events of a step, then leak; the memories start full, the registers are set over SPI."""
        self.check_size(workload)
        network = Network.of(workload)
        write_hex(folder / "synapses.hex", network.synapse_words(), 32)
        write_hex(folder / "neurons.hex", network.neuron_words(), 32)
        operations = [word for senders in workload.senders() for word in _step(senders)] + [_END]
        write_hex(folder / "program.hex", operations, 12)
        bench = play(
            self.name,
            self.bench,
            self.paths(sources),
            {
                "MAX_NEUR": workload.neurons - 1,
                "OPERATIONS": len(operations),
                "LIMIT": workload.patience,
            },
            folder,
        )
        fired, v = model(network, workload)
        if bench["spike"] != fired or _potentials(folder / "neurons.out", v.size) != v.tolist():
            raise Stuck(f"{self.name} computed something else than its documented neuron")
        updates = int(workload.events.sum()) * workload.neurons
        return Speed(workload.steps, bench["step"][-1], updates, len(fired))


def _step(senders: np.ndarray) -> list[int]:
    return [*(_EVENT | int(source) for source in senders), _DRAIN, _EVENT | _LEAK_ALL, _STEP]


def _potentials(dump: Path, count: int) -> list[int]:
    """Potentials in a dump of the neuron memory."""
    lines = [line for line in dump.read_text().split("\n") if line and not line.startswith("/")]
    words = [int(line, 16) & 0xFFF for line in lines]
    return [word - (word >> 11 << 12) for word in words[:count]]


TINYODIN = TinyOdin(
    name="tinyODIN",
    variable="TINYODIN",
    folder="tinyODIN",
    repository="https://github.com/ChFrenkel/tinyODIN",
    commit="18656534162a9de09b9954aea28fbfad7a7f8657",
    digest="a8cd148d04af19fd43e6181151493b4730383c88bb380b6ea65a2963a012f9a9",
    files=tuple(f"{name}.v" for name in _FILES.split()),
    weight_bits=4,
    testbench="tinyodin_bench.v",
)
