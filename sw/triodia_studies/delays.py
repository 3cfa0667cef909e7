"""What delays cost: the wheel of events beside what else could hold them.

``python -m triodia_studies.delays [--samples N]`` prints a JSON line per network and design: ECP5
block RAMs of the whole machine, and cycles per step over test samples. Designs:

- ``wheel``: the machine as it is. Blocks and cycles are its exact models.
- ``sums``: each PE keeps a sum for each neuron and coming step, and a synapse word holds its delay.
  Blocks by the same memory model. Cycles are those of the same synapses without delays, so at the
  least: the sweep and the accumulator would also meet in one memory.
- ``bits``: a wheel of a bit per source and step, and payloads of inputs beside it. Blocks by the
  same model. Cycles are the wheel's and, at the most, those to look through the words of all lists.
- ``relays``: neurons that repeat spikes, as imports had before synapses waited. Exact models.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import nir
import numpy as np
import torch

from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.nir.graph import flat_graph
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.loop import train
from triodia_hw.compile.contents import memory_shapes, wheel_shapes
from triodia_hw.compile.storage import block_count
from triodia_hw.cost.cycles import planned_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.image import Image
from triodia_hw.machine.params import bits_for
from triodia_hw.machine.reference import Event
from triodia_hw.machine.trace import trace

__all__ = ["imported", "relayed", "rows", "trained"]

TASK = "japanese-vowels"
_WORD = 36  # bits of a source's mark read at once


def imported(least: int = 0, *, most: int = 20, seed: int = 0, size: int = 64) -> Network:
    """A NIR graph of two LIF layers and a Delay node between, of ``least`` to ``most`` steps."""
    rng = np.random.default_rng(seed)
    full = np.ones(size)
    lif = {"tau": 10 * full, "r": 10 * full, "v_leak": 0 * full, "v_reset": 0 * full}
    nodes = {
        "input": nir.Input(np.array([16])),
        "a": nir.Linear(0.4 * rng.standard_normal((size, 16))),
        "one": nir.LIF(**lif, v_threshold=full),
        "d": nir.Delay(rng.integers(least, most + 1, size).astype(float)),
        "b": nir.Linear(0.25 * rng.standard_normal((size, size))),
        "two": nir.LIF(**lif, v_threshold=full),
        "c": nir.Linear(0.25 * rng.standard_normal((10, size))),
        "out": nir.LI(tau=np.full(10, 10.0), r=np.full(10, 10.0), v_leak=np.zeros(10)),
        "output": nir.Output(np.array([10])),
    }
    names = ["input", "a", "one", "d", "b", "two", "c", "out", "output"]
    graph = nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)))
    flat = flat_graph(graph)
    return network_of(flat, find_choices(flat, dt=1.0, reset="subtract"))


def trained(max_delay: int, *, neurons: int = 128, **options: object) -> Network:
    """A network with 10 % of the synapses, each with a delay of its own, trained a little.

    What counts is when neurons spike, not how well they classify.
    """
    net, task = new_network(neurons, 0, density=0.1, max_delay=max_delay), get_task(TASK)
    return train(net, task, data=task.load().subset(90, 30), seed=0, epochs=5, **options)[0]


def relayed(net: Network) -> Network:
    """The same network with chains of relay neurons instead of recurrent and readout delays."""
    head = net.trained()
    if head.delay_in is not None and head.delay_in.any():
        raise ValueError("net must have no delays of inputs: relays do not repeat values")
    out = np.zeros(head.w_out.shape, int) if head.delay_out is None else head.delay_out
    late = np.where(net.w_rec != 0, net.delay_rec, 0), np.where(head.w_out != 0, out, 0)
    longest = np.maximum(late[0].max(axis=0), late[1].max(axis=0))
    chain = [(j, d) for j in range(net.neurons) for d in range(1, longest[j] + 1)]
    place = {pair: net.neurons + k for k, pair in enumerate(chain)}
    place |= {(j, 0): j for j in range(net.neurons)}
    total = net.neurons + len(chain)
    w_rec, w_out = np.zeros((total, total)), np.zeros((head.readouts, total))
    for w, given, delay in ((w_rec, net.w_rec, late[0]), (w_out, head.w_out, late[1])):
        for i, j in np.argwhere(given != 0):
            w[i, place[j, delay[i, j]]] = given[i, j]
    for j, d in chain:
        w_rec[place[j, d], place[j, d - 1]] = 1
    more = {"tau_mem": 1e-3, "tau_syn": 1e-3, "threshold": 0.5, "sign": 1}
    values = {
        name: np.concatenate([getattr(net, name), np.full(len(chain), more.get(name, 0))])
        for name in net.BY_NEURON
        if getattr(net, name) is not None
    }
    w_in = np.pad(head.w_in, ((0, len(chain)), (0, 0)))
    inside = {"w_in": w_in, "mask_in": w_in != 0, "w_out": w_out, "mask_out": w_out != 0}
    changed = replace(head, **inside, delay_in=None, delay_out=None)
    whole = {"w_rec": w_rec, "mask_rec": w_rec != 0, "delay_rec": None, "lane": None}
    return replace(net, **values, **whole, head=changed)


def rows(
    net: Network, sequences_of: Callable[[Image], list[list[list[Event]]]], *, name: str
) -> list[dict]:
    """One row for each design; ``sequences_of`` makes the input events for an image."""
    image, chain = (quantize(n, None, QuantizeOptions()) for n in (net, relayed(net)))
    merged, sequences = _undelayed(image), sequences_of(image)
    p, q = image.params, merged.params
    longest, words = p.delays[-1], -(-p.sources // _WORD)
    shapes = {s.name: s for s in memory_shapes(q)}
    ring = block_count(shapes["sums_0"].width, (longest + 2) * q.slots)
    wide = shapes["synapses"].width + bits_for(longest + 1)
    ring += block_count(wide, shapes["synapses"].depth)
    plain = sum(block_count(shapes[n].width, shapes[n].depth) for n in ("synapses", "sums_0"))
    plain += block_count(shapes["sums_1"].width, shapes["sums_1"].depth)
    wheel = sum(block_count(s.width, s.depth) for s in wheel_shapes(p) if s.name == "wheel")
    bits = block_count(_WORD, (longest + 1) * words)
    bits += block_count(p.payload_bits, (longest + 1) * p.inputs) if p.graded else 0
    spikes = [trace(image, one).spikes for one in sequences]
    cycles = _cycles(image, sequences, spikes)
    found = {
        "wheel": (block_rams(p), cycles),
        "sums": (block_rams(q) + p.lanes * (ring - plain), _cycles(merged, sequences, spikes)),
        "bits": (block_rams(p) - wheel + bits, cycles + len(p.delays) * words),
        "relays": (
            block_rams(chain.params),
            _cycles(chain, sequences, [trace(chain, one).spikes for one in sequences]),
        ),
    }
    known = {"network": name, "neurons": p.neurons, "synapses": image.synapses}
    known |= {"delays": len(p.delays), "longest": longest}
    return [
        known | {"design": design, "blocks": blocks, "cycles": round(cycles, 1)}
        | ({"relays": chain.params.neurons - p.neurons} if design == "relays" else {})
        for design, (blocks, cycles) in found.items()
    ]  # fmt: skip


def _undelayed(image: Image) -> Image:
    """The same synapses without delays: what a PE would store and walk with a ring of sums."""
    sources = image.params.inputs + image.params.neurons
    row = np.repeat(np.arange(image.row_start.size - 1), np.diff(image.row_start)) % sources
    order = np.lexsort((image.target, row))
    params = replace(image.params, delays=(), row_words=1 << 14)
    return replace(
        image,
        params=params,
        row_start=np.searchsorted(row[order], np.arange(sources + 1)),
        target=image.target[order],
        weight=image.weight[order],
    )


def _cycles(image: Image, sequences: list[list[list[Event]]], spikes: list[np.ndarray]) -> float:
    """Mean cycles of a step."""
    ends = [planned_cycles(image, s, f) for s, f in zip(sequences, spikes, strict=True)]
    return float(np.mean([np.diff(end).mean() for end in ends]))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20)
    count = parser.parse_args().samples
    data, rng = get_task(TASK).load(), np.random.default_rng(1)

    def of_task(image: Image) -> list:
        chosen = zip(data.x_test[:count], data.len_test[:count], strict=True)
        return [image.coding.events(image.params, x[:length]) for x, length in chosen]

    def at_random(image: Image) -> list:
        x = (rng.random((count, 100, 16)) < 0.1).astype(float)
        return [image.coding.events(image.params, one) for one in x]

    def networks() -> Iterator[tuple[str, Network, Callable]]:
        yield "NIR, a delay of 20", imported(20), at_random
        yield "NIR, delays of 0 to 20", imported(), at_random
        for longest in (3, 15, 63):
            yield f"random, 0 to {longest}", trained(longest), of_task

    torch.set_num_threads(1)
    for name, net, sequences_of in networks():
        for row in rows(net, sequences_of, name=name):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
