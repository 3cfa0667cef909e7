"""What it saves to store the rows of a convolution once.

``python -m triodia_studies.convolutions`` prints a JSON line per network and number of PEs: synapse
words, ECP5 block RAMs of the machine and cycles per step, with own rows and with shared ones.
``--images FOLDER`` also writes the images with shared rows there.
Networks come by NIR: two convolutions of 3 x 3 with random kernels, each before LIF neurons and a
sum pool of 2 x 2, then ten LIF neurons that see all of the last maps.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np

from triodia.network.network import Network
from triodia.nir.graph import flat_graph
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.image import Image, save_image
from triodia_hw.machine.trace import trace

__all__ = ["network", "row"]

# channels and side of the input, channels of the first and of the second convolution
SIZES = ((2, 16, 8, 16), (1, 28, 8, 8))
_RATE = 0.1  # share of the inputs that send in a step


def network(channels: int, side: int, first: int, second: int, seed: int = 0) -> Network:
    """Two convolutions, imported from a NIR graph; neurons fire in a few per cent of the steps."""
    rng, half, quarter = np.random.default_rng(seed), side // 2, side // 4
    last = second * quarter * quarter
    nodes = {
        "input": nir.Input(np.array([channels, side, side])),
        "conv_1": _convolution(rng, channels, first, side),
        "lif_1": _neurons((first, side, side)),
        "pool_1": _pool(),
        "conv_2": _convolution(rng, first, second, half),
        "lif_2": _neurons((second, half, half)),
        "pool_2": _pool(),
        "flat": nir.Flatten({"input": np.array([second, quarter, quarter])}, 0, -1),
        "dense": nir.Linear(rng.normal(size=(10, last)) / np.sqrt(last)),
        "lif_3": _neurons((10,)),
        "output": nir.Output(np.array([10])),
    }
    graph = nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)), type_check=False)
    flat = flat_graph(graph)
    return network_of(flat, find_choices(flat, dt=1.0, reset="subtract"))


def _convolution(rng: np.random.Generator, ins: int, outs: int, side: int) -> nir.Conv2d:
    kernel = rng.normal(size=(outs, ins, 3, 3)) / np.sqrt(9 * ins)
    how = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}
    return nir.Conv2d(input_shape=(side, side), weight=kernel, bias=np.zeros(outs), **how)


def _pool() -> nir.SumPool2d:
    two = np.array([2, 2])
    return nir.SumPool2d(kernel_size=two, stride=two, padding=np.array([0, 0]))


def _neurons(shape: tuple[int, ...]) -> nir.LIF:
    full = np.ones(shape)
    return nir.LIF(tau=8 * full, r=8 * full, v_leak=0 * full, v_threshold=full, v_reset=0 * full)


def row(
    size: tuple[int, int, int, int],
    lanes: int,
    *,
    steps: int = 10,
    seed: int = 0,
    images: Path | None = None,
) -> dict:
    """Words, block RAMs and cycles per step of a network on so many PEs, both ways.

    ``images``: a folder for the image with shared rows.
    """
    net = network(*size, seed)
    found = {"size": size, "lanes": lanes, "neurons": net.neurons}
    for name, shared in (("own", False), ("shared", True)):
        image = quantize(net, None, QuantizeOptions(lanes=lanes, shared_rows=shared))
        found |= {"synapses": image.synapses, **_costs(name, image, steps, seed)}
    if images:
        save_image(image, images / f"{size[0]}x{size[1]}x{size[1]}-{lanes}.image")
    return found


def _costs(name: str, image: Image, steps: int, seed: int) -> dict:
    p, rng = image.params, np.random.default_rng(seed)
    inputs = [np.flatnonzero(rng.random(p.inputs) < _RATE).tolist() for _ in range(steps)]
    events = [[(channel, p.one) for channel in channels] for channels in inputs]
    ends = step_cycles(image, [events])
    return {
        f"words_{name}": int(image.words_per_lane().sum()),
        f"blocks_{name}": block_rams(p),
        f"cycles_{name}": round((ends[-1] - ends[0]) / (steps - 1)),
        f"rate_{name}": round(float(trace(image, events).spikes.mean()), 3),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--images", type=Path)
    given = parser.parse_args()
    if given.images:
        given.images.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for lanes in given.lanes:
            print(json.dumps(row(size, lanes, images=given.images)), flush=True)


if __name__ == "__main__":
    main()
