"""Catalyst N1: one core with a list of synapses for each neuron, driven through its ports."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .icarus import Stuck, play, write_hex
from .peer import Peer, Speed
from .placing import Source
from .workload import Workload

__all__ = ["CATALYST", "CATALYST_INFERENCE", "Catalyst", "model"]

_RUN, _END = 1 << 8, 2 << 8
# Threshold and leak so high that only an external current fires a neuron, and so recorded events
# alone are played.
_THRESHOLD, _CURRENT, _LEAK, _HIGH = 28_000, 32_000, 200, (1 << 15) - 1
# A neuron's parameters by number: threshold, leak, rest, refractory period, and the least and
# greatest potential.
_PARAMETERS = {0: _THRESHOLD, 1: _LEAK, 2: 0, 3: 0, 30: -_HIGH - 1, 31: _HIGH}
_LEARNING = (
    "learn_enable graded_enable dendritic_enable threefactor_enable noise_enable skip_idle_enable "
    "scale_u_enable reward_value pool_comp_in index_format_in delay_we delay_addr_in "
    "delay_value_in ucode_prog_we ucode_prog_addr ucode_prog_data probe_read probe_neuron "
    "probe_state_id probe_pool_addr"
)


def _played(workload: Workload) -> list[np.ndarray]:
    """Neurons that fire in each run: a spike is delivered in the run after it."""
    return [*workload.senders(), np.empty(0, np.int64)]


def model(workload: Workload) -> np.ndarray:
    """Potentials at the end: the default neuron, a constant leak, down to rest and not below.

    A neuron that is made to fire goes to rest, 0.
    """
    v, arriving = np.zeros(workload.sources, np.int64), np.empty(0, np.int64)
    weights = np.pad(workload.weights, ((0, 0), (0, workload.sources - workload.neurons)))
    for forced in _played(workload):
        total = v + weights[arriving].sum(axis=0)
        total[forced] += _CURRENT
        fires = total - _LEAK >= _THRESHOLD
        v = np.where(fires, 0, np.maximum(total - _LEAK, 0))
        arriving = np.flatnonzero(fires)
    return v


@dataclass(frozen=True)
class Catalyst(Peer):
    """One core, as large as the network: inputs are neurons too. ``tied``: ports held at 0."""

    tied: frozenset[str] = field(default=frozenset())

    def source(self, workload: Workload, sources: Path) -> Source:
        """The core with as many neurons and places for synapses as needed."""
        self.check_size(workload)
        return Source(
            "scalable_core_v2",
            self.paths(sources),
            "clk",
            parameters=_size(workload),
            tied=self.tied,
        )

    def stored(self, workload: Workload) -> int:
        """Places in its pool."""
        return _size(workload)["POOL_DEPTH"]

    def run(self, workload: Workload, sources: Path, folder: Path) -> Speed:
        """External currents make the senders fire, whose spikes the next run delivers."""
        self.check_size(workload)
        size, rows = _size(workload), workload.weights
        source, target = np.nonzero(rows)
        counts = np.count_nonzero(rows, axis=1)
        base = np.cumsum(counts) - counts
        write_hex(folder / "pool.hex", _words(rows[source, target], source, target), 32)
        write_hex(folder / "index.hex", base << 8 | counts, 24)
        write_hex(
            folder / "parameters.hex",
            (number << 16 | value & 0xFFFF for number, value in _PARAMETERS.items()),
            24,
        )
        operations = [word for fire in _played(workload) for word in [*fire.tolist(), _RUN]]
        write_hex(folder / "program.hex", [*operations, _END], 12)
        given = {"NEURONS": workload.sources, "SYNAPSES": source.size}
        given |= {"POOL_BITS": size["POOL_ADDR_BITS"], "PARAMETERS": len(_PARAMETERS)}
        given |= {"OPERATIONS": len(operations) + 1, "CURRENT": _CURRENT}
        given |= {"LIMIT": workload.patience}
        bench = play(self.name, self.bench, self.paths(sources), given, folder)
        spikes = int(workload.events.sum())
        if (bench["operations"], bench["spikes"]) != ([workload.operations], [spikes]):
            raise Stuck(f"{self.name} did not deliver the events it was given")
        if bench["potential"] != model(workload).tolist():
            raise Stuck(f"{self.name} computed something else than its documented neuron")
        ends = bench["step"]
        # The first run only makes the events of the first step.
        return Speed(workload.steps, ends[-1] - ends[0], workload.operations, spikes)


def _size(workload: Workload) -> dict[str, int]:
    """Parameters of the core; those of learning are as in its authors' smallest build."""
    bits = max(int(np.count_nonzero(workload.weights)) - 1, 1).bit_length()
    return {
        "NUM_NEURONS": workload.sources,
        "NEURON_BITS": 8,
        "POOL_DEPTH": 1 << bits,
        "POOL_ADDR_BITS": bits,
        "COUNT_BITS": 8,
        "REV_FANIN": 16,
        "REV_SLOT_BITS": 4,
    }


def _words(weight: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return source << 24 | target << 16 | weight & 0xFFFF


_GIVEN = {
    "variable": "N1",
    "folder": "catalyst-n1",
    "repository": "https://github.com/catalyst-neuromorphic/catalyst-n1",
    "commit": "fbfd2e538159133c634d4051970246254d054c37",
    "digest": "613b0b52b8a0a4b7dff76e854490246a91c544e4a9a3fcf0dbce1796c11d524f",
    "files": ("rtl/scalable_core_v2.v", "rtl/sram.v", "rtl/spike_fifo.v"),
    "weight_bits": 16,
    "testbench": "catalyst_bench.v",
}
CATALYST = Catalyst(name="Catalyst N1", **_GIVEN)
CATALYST_INFERENCE = Catalyst(
    name="Catalyst N1, inference only", tied=frozenset(_LEARNING.split()), **_GIVEN
)
