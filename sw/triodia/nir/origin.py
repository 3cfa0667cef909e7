"""What NIR has no place for, in a graph's metadata: so that our own networks come back equal."""

import json
from dataclasses import replace

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.catalog import TASKS
from .drive import Drives
from .graph import Graph

__all__ = ["CLIP", "STANDARDISE", "metadata_of", "restore", "standardised"]

STANDARDISE = "standardise"  # marks our node that standardises inputs
CLIP = 4.0  # what 8 payload bits of which 5 are fractional hold
_MASKS = {"mask_rec": "w_rec", "mask_in": "w_in", "mask_out": "w_out"}
_LABELS = ("sign", "cluster", "lane")
_DELAYS = {"delay_rec": "w_rec", "delay_in": "w_in", "delay_out": "w_out"}


def metadata_of(net: Network) -> dict:
    """Labels, masks, task and history of ``net``, as NIR metadata."""
    found = {
        "task": net.task or "",
        "provenance": json.dumps(list(net.provenance)),
        "fires": net.fires,
        "input_clip": 0.0 if net.head is None else float(net.head.input_clip),
    }
    for name in (*_LABELS, *_MASKS, *_DELAYS):
        value = _field(net, name)
        if value is not None:
            found[name] = value.astype(np.int32 if name in _LABELS else np.uint8)
    return found


def _field(net: Network, name: str) -> np.ndarray | None:
    """A field of the network or of its head; None if there is no head."""
    return getattr(net, name) if hasattr(net, name) else getattr(net.head, name, None)


def restore(net: Network, metadata: dict, clocks: int) -> Network:
    """``net`` with what ``metadata_of`` kept of the network that was exported, if it was ours.

    ``clocks``: neurons that the import added; none are with the timing it was exported with.
    """
    ours = metadata.get("triodia")
    if not isinstance(ours, dict):
        return net
    if clocks and np.size(ours.get("sign")) == net.neurons - clocks:
        raise TriodiaError(
            f"the graph is of a network of ours, of {net.neurons - clocks} neurons, and this timing"
            f" would add {clocks}; leave --timing out"
        )
    try:
        values = {name: np.asarray(ours[name]) for name in _LABELS if name in ours}
        masks = {}
        for mask, weights in _MASKS.items():
            if mask in ours:  # a weight that was changed since is in the graph all the same
                masks[mask] = np.asarray(ours[mask], bool) | (_field(net, weights) != 0)
        values["provenance"] = history = json.loads(ours["provenance"])
        if not isinstance(history, list) or not all(isinstance(step, dict) for step in history):
            raise ValueError("its provenance is no list of steps")
        masks |= _delays(net, ours)
        values |= {"delay_rec": masks.pop("delay_rec")} if "delay_rec" in masks else {}
        if "mask_rec" in masks:
            values["mask_rec"] = masks.pop("mask_rec")
        fires = ours.get("fires", "at")
        if fires == "at" and net.fires == "above":  # exported with what is just below it
            values["threshold"] = np.nextafter(net.threshold, np.float32(np.inf))
        net = replace(net, **values, fires=fires)
        if not ours["task"]:
            return replace(net, head=None) if _bare(net) else net.with_head(**masks)
        _check_task(ours["task"], net)
        return net.with_head(**masks, task=ours["task"], input_clip=float(ours["input_clip"]))
    except (KeyError, TypeError, ValueError, TriodiaError) as error:
        raise TriodiaError(
            f"the metadata 'triodia' of the graph is damaged ({error}); export the network again"
        ) from error


def _delays(net: Network, ours: dict) -> dict[str, np.ndarray]:
    """Delays as they were kept, of synapses without a weight too; those of the graph come first."""
    found = {}
    for name, weights in _DELAYS.items():
        if name in ours:
            now = _field(net, name)
            kept, w = np.asarray(ours[name], np.int32), _field(net, weights)
            found[name] = np.where(w != 0, np.zeros_like(kept) if now is None else now, kept)
    return found


def _check_task(name: str, net: Network) -> None:
    task = TASKS.get(name)
    if task is not None and (task.inputs, task.classes) != (net.inputs, net.readouts):
        raise ValueError(
            f"its task {name} has {task.inputs} inputs and {task.classes} classes, and the graph"
            f" {net.inputs} and {net.readouts}"
        )


def _bare(net: Network) -> bool:
    """Whether inputs reach neurons, and spikes the output, one by one: no weights were added."""
    one = np.eye(net.neurons)
    return np.array_equal(net.head.w_in, one) and np.array_equal(net.head.w_out, one)


def standardised(graph: Graph, drives: Drives, std: float) -> tuple[Graph, dict, float]:
    """``graph`` without our node that standardises inputs, the input fields of the network, and
    what its input weights are to be multiplied by.

    Another program's inputs are only divided by ``std``, and multiplied again by the weights.
    """
    inputs = drives.size(graph.source)
    marked = [
        name
        for name, node in graph.nodes.items()
        if isinstance(node, nir.Affine) and (node.metadata or {}).get("triodia") == STANDARDISE
    ]
    ours = marked and graph.before(marked[0]) == [graph.source]
    if ours and sum(a == graph.source for a, _ in graph.edges) == 1:
        node = graph.nodes[marked[0]]
        factor = np.diagonal(np.asarray(node.weight, np.float64))
        if np.shape(node.bias) == factor.shape == (inputs,) and np.all(factor > 0):
            nodes = {n: v for n, v in graph.nodes.items() if n != marked[0]}
            moved = [(graph.source if a == marked[0] else a, b) for a, b in graph.edges]
            edges = tuple(e for e in moved if e[1] != marked[0])
            scaling = {"input_mean": -np.asarray(node.bias) / factor, "input_std": 1 / factor}
            return replace(graph, nodes=nodes, edges=edges), scaling | {"input_clip": CLIP}, 1.0
    scaling = {"input_mean": np.zeros(inputs), "input_std": np.full(inputs, std)}
    return graph, scaling | {"input_clip": CLIP}, std
