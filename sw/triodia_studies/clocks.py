"""Late biases of imported networks: a clock neuron for each depth, or one whose synapses wait.

``python -m triodia_studies.clocks [--samples N]`` prints a JSON line per network and design:
neurons, synapses, synaptic operations and cycles per step, ECP5 block RAMs of the whole machine.
Designs:

- ``chain``: what ``import-nir`` makes, a clock neuron per depth, each woken by the one before.
- ``waits``: one clock neuron, two where a bias of a potential passes a current; its synapses wait.

Both compute the same spikes and readouts; a network where they did not would stop the study.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace

import nir
import numpy as np

from triodia.network.network import Network
from triodia.nir.graph import flat_graph
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.cost.cycles import planned_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.image import Image
from triodia_hw.machine.trace import trace

__all__ = ["layered", "rows", "waiting_clock"]

_INPUTS, _CLASSES = 16, 10


def layered(layers: int, *, skips: bool = False, current: bool = False, size: int = 32) -> Network:
    """An import of ``layers`` populations with biases, random weights of seed 0.

    ``skips``: every population also feeds the one after the next. ``current``: CubaLIF neurons
    with a leak potential, whose bias passes a current, instead of LIF neurons.
    """
    rng = np.random.default_rng(0)
    nodes = {"input": nir.Input(np.array([_INPUTS])), "output": nir.Output(np.array([_CLASSES]))}
    edges, before, width = [], "input", _INPUTS
    for k in range(layers):
        nodes[f"w{k}"] = _affine(rng, size, width, 1.2 if k else 2.0)
        nodes[f"n{k}"] = _neurons(size, current)
        edges += [(before, f"w{k}"), (f"w{k}", f"n{k}")]
        before, width = f"n{k}", size
        if skips and k > 1:
            nodes[f"s{k}"] = nir.Linear(0.5 * rng.standard_normal((size, size)) / np.sqrt(size))
            edges += [(f"n{k - 2}", f"s{k}"), (f"s{k}", f"n{k}")]
    nodes["w"] = _affine(rng, _CLASSES, size, 1.0)
    ten = np.full(_CLASSES, 10.0)
    nodes["out"] = nir.LI(tau=ten, r=ten, v_leak=0 * ten)
    edges += [(before, "w"), ("w", "out"), ("out", "output")]
    flat = flat_graph(nir.NIRGraph(nodes=nodes, edges=edges))
    return network_of(flat, find_choices(flat, dt=1.0, reset="subtract"))


def _affine(rng: np.random.Generator, rows: int, columns: int, gain: float) -> nir.Affine:
    w = gain * rng.standard_normal((rows, columns)) / np.sqrt(columns)
    return nir.Affine(weight=w, bias=0.1 * rng.standard_normal(rows))


def _neurons(size: int, current: bool) -> nir.LIF | nir.CubaLIF:
    one = np.ones(size)
    shared = {"r": 10 * one, "v_reset": 0 * one, "v_threshold": one}
    if not current:
        return nir.LIF(tau=10 * one, v_leak=0 * one, **shared)
    tau = {"tau_mem": 10 * one, "tau_syn": 4 * one, "w_in": 4 * one}
    return nir.CubaLIF(v_leak=0.05 * one, **tau, **shared)


def waiting_clock(net: Network) -> Network:
    """The same network with waiting synapses instead of the chain of clock neurons of ``net``.

    Raises :class:`ValueError` if ``net`` has no clock neurons.
    """
    clocks = net.provenance[-1]["clock_neurons"]
    if not clocks:
        raise ValueError("net must have clock neurons: an import of layers with biases")
    first, head = net.neurons - clocks, net.trained()
    w_rec, w_out = net.w_rec.copy(), head.w_out.copy()
    w_rec[first:, first:] = 0
    delay_rec, delay_out = _whole(net.delay_rec, w_rec), _whole(head.delay_out, w_out)
    used = 1
    for w, delay in ((w_rec, delay_rec), (w_out, delay_out)):
        for row in range(len(w)):
            late = np.flatnonzero(w[row, first:])
            values = w[row, first + late]
            w[row, first:] = 0
            # The second of a pair of neurons comes from a clock of its own, a step behind.
            for clock, (steps, value) in enumerate(zip(late, values, strict=True)):
                w[row, first + clock] = value
                delay[row, first + clock] = steps - clock
            used = max(used, late.size)
    w_rec[np.arange(first + 1, first + used), np.arange(first, first + used - 1)] = 1
    parts = {"w_rec": w_rec, "mask_rec": w_rec != 0, "delay_rec": delay_rec}
    inside = {"w_out": w_out, "mask_out": w_out != 0, "delay_out": delay_out}
    whole = replace(net, **parts, head=replace(head, **inside))
    return whole.subnetwork(np.arange(first + used))


def _whole(delay: np.ndarray | None, w: np.ndarray) -> np.ndarray:
    return np.zeros(w.shape, np.int32) if delay is None else delay.copy()


def rows(net: Network, events_of: Callable[[Image], list], *, name: str) -> list[dict]:
    """One row for each design; ``events_of`` makes input events, step by step, for an image.

    Raises :class:`RuntimeError` if the designs differ in a spike of the graph or in a readout.
    """
    found, kept = [], []
    clocks = net.provenance[-1]["clock_neurons"]
    for design, one in (("chain", net), ("waits", waiting_clock(net))):
        image = quantize(one, None, QuantizeOptions())
        events = events_of(image)
        traces = [trace(image, sequence) for sequence in events]
        own = net.neurons - clocks
        kept.append([(t.spikes[:, :own], t.readouts) for t in traces])
        plans = zip(events, traces, strict=True)
        ends = [planned_cycles(image, sequence, t.spikes) for sequence, t in plans]
        found.append({
            "network": name,
            "design": design,
            "neurons": one.neurons,
            "clocks": one.neurons - own,
            "synapses": image.synapses,
            "delays": len(image.params.delays),
            "sops": round(float(np.mean([t.sops.mean() for t in traces])), 1),
            "blocks": block_rams(image.params),
            "cycles": round(float(np.mean([np.diff(end).mean() for end in ends])), 1),
        })  # fmt: skip
    for a, b in zip(*kept, strict=True):
        if not all(np.array_equal(*pair) for pair in zip(a, b, strict=True)):
            raise RuntimeError(f"the designs of {name} compute different words")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10)
    count = parser.parse_args().samples

    def at_random(image: Image) -> list:
        x = (np.random.default_rng(1).random((count, 60, _INPUTS)) < 0.2).astype(float)
        return [image.coding.events(image.params, one) for one in x]

    for layers in (3, 5, 8):
        for kind in ({}, {"skips": True}, {"current": True}, {"current": True, "skips": True}):
            name = ", ".join([f"{layers} layers", *kind])
            for row in rows(layered(layers, **kind), at_random, name=name):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
