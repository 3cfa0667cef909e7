"""Small NIR graphs: their nodes, their import, and its spikes in float and in integers."""

import nir
import numpy as np
import torch

from triodia.nir.graph import flat_graph, past_recurrent_weights
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.train.model import SpikingModel
from triodia_hw.machine.reference import Reference

__all__ = ["cells", "ends", "imported", "runs"]


def ends(inputs, outputs):
    return {"input": nir.Input(np.array(inputs)), "output": nir.Output(np.array(outputs))}


def cells(kind, shape, threshold, tau=8.0):
    full = np.full(shape, 1.0)
    if kind == "IF":
        return nir.IF(r=full, v_threshold=threshold * full, v_reset=0 * full)
    firing = {"v_threshold": threshold * full, "v_reset": 0 * full, "v_leak": 0 * full}
    return nir.LIF(tau=tau * full, r=tau * full, **firing)


def imported(nodes, edges, **options):
    graph = flat_graph(nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    choices = find_choices(graph, dt=1.0, **options)
    if options.get("simulator") == "spyx":
        graph = past_recurrent_weights(graph)
    return network_of(graph, choices)


def runs(net, x, **widths):
    """By population: spikes in float and in the image's integers, in the graph's own steps."""
    step, steps = net.provenance[-1], len(x)
    padded = np.pad(x, ((step["lead"], step["delay"] - step["lead"]), (0, 0))).astype(np.float32)
    with torch.no_grad():
        trace = SpikingModel(net)(
            torch.tensor(net.scale_input(padded[None])), torch.tensor([len(padded)])
        )
    image = quantize(net, None, QuantizeOptions(**widths))
    reference = Reference(image)
    fired = np.zeros((len(padded), net.neurons))
    for t, events in enumerate(image.coding.events(image.params, padded)):
        spikes = reference.step(events).spikes
        fired[t, spikes[spikes < net.neurons]] = 1
    result = {}
    for place in step["populations"]:
        rows = slice(place["steps_behind"], place["steps_behind"] + steps)
        columns = slice(place["first"], place["first"] + place["neurons"])
        result[place["node"]] = trace.spikes[0, rows, columns].numpy(), fired[rows, columns]
    v_out = trace.v_out[0, step["delay"] : step["delay"] + steps].numpy()
    return result, v_out, image
