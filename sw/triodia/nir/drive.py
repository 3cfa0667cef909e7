"""What reaches a node of a graph: linear nodes multiplied out."""

import math
from dataclasses import dataclass

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from .graph import READOUTS, SPIKING, Graph

__all__ = ["Drive", "Drives"]


@dataclass(frozen=True)
class Drive:
    """``bias + sum over sources of weights[source] @ y_source``; float64, ``[target, source]``."""

    weights: dict[str, np.ndarray]
    bias: np.ndarray

    def scaled(self, gain: np.ndarray) -> "Drive":
        """Times ``gain`` ``(targets,)``."""
        weights = {name: gain[:, None] * w for name, w in self.weights.items()}
        return Drive(weights, gain * self.bias)


class Drives:
    """What reaches each node of ``graph``, as a function of its Input and its neurons.

    Edges into one node add up. Arrays of any shape are taken in C order, as Flatten does.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._sizes: dict[str, int] = {}
        self._into: dict[str, Drive] = {}
        self._open: set[str] = set()

    def size(self, name: str) -> int:
        """Values that node ``name`` puts out."""
        if name not in self._sizes:
            found = self._size(name, frozenset())
            if not found:
                raise TriodiaError(
                    f"the size of node {name!r} is not known;"
                    " give its parameters one value a neuron"
                )
            self._sizes[name] = found
        return self._sizes[name]

    def _size(self, name: str, path: frozenset[str]) -> int | None:
        """Size of ``name``, from what leads to it if it does not say; ``path`` was asked before."""
        own = _own_size(self.graph.nodes[name])
        if (own is None or own == 1) and not _is_matrix(self.graph.nodes[name]):
            befores = [b for b in self.graph.before(name) if b not in path]
            found = [self._size(b, path | {name}) for b in befores]
            own = max((size for size in found if size), default=own)
        return own

    def into(self, name: str) -> Drive:
        """The sum that arrives at node ``name``."""
        if name not in self._into:
            if name in self._open:
                raise TriodiaError(
                    f"node {name!r} is in a loop without neurons, which has no value; cut it"
                )
            self._open.add(name)
            self._into[name] = self._summed(name)
            self._open.discard(name)
        return self._into[name]

    def _summed(self, name: str) -> Drive:
        node = self.graph.nodes[name]
        if not self.graph.before(name):
            raise TriodiaError(f"nothing leads to node {name!r}; connect it or take it out")
        size = node.weight.shape[-1] if _is_matrix(node) else self.size(name)
        weights: dict[str, np.ndarray] = {}
        bias = np.zeros(size)
        for before in self.graph.before(name):
            part = self._out_of(before)
            if part.bias.size != size:
                raise TriodiaError(
                    f"node {name!r} takes {size} values, and {before!r} gives {part.bias.size};"
                    " export it again with matching shapes"
                )
            bias = bias + part.bias
            for source, w in part.weights.items():
                weights[source] = weights[source] + w if source in weights else w
        return Drive(weights, bias)

    def _out_of(self, name: str) -> Drive:
        node, size = self.graph.nodes[name], self.size(name)
        if name == self.graph.source or isinstance(node, (*SPIKING, *READOUTS)):
            return Drive({name: np.eye(size)}, np.zeros(size))
        into = self.into(name)
        if isinstance(node, nir.Scale):
            return into.scaled(_values(name, "scale", node.scale, size))
        if not _is_matrix(node):  # Flatten, and the ends of subgraphs
            return into
        w = _matrix(name, node)
        bias = w @ into.bias
        if isinstance(node, nir.Affine):
            bias = bias + _values(name, "bias", node.bias, size)
        return Drive({source: w @ m for source, m in into.weights.items()}, bias)


def _is_matrix(node: nir.NIRNode) -> bool:
    return isinstance(node, (nir.Affine, nir.Linear))


def _own_size(node: nir.NIRNode) -> int | None:
    """Size that the node itself says, None if it takes what comes."""
    if _is_matrix(node):
        return int(node.weight.shape[-2])
    if isinstance(node, (*SPIKING, *READOUTS)):
        return int(np.size(node.r))
    if isinstance(node, nir.Scale):
        return int(np.size(node.scale))
    if isinstance(node, nir.Input):
        shape = next(iter(node.input_type.values()), None)
        if shape is not None and np.any(np.asarray(shape) < 1):
            raise TriodiaError(
                f"the shape of the Input must be above 0, not {np.asarray(shape).tolist()}"
            )
        return None if shape is None else math.prod(map(int, shape))
    return None


def _matrix(name: str, node: nir.NIRNode) -> np.ndarray:
    if node.weight.ndim != 2:
        raise TriodiaError(
            f"weight of node {name!r} must be [target, source], not of shape {node.weight.shape}"
        )
    return node.weight.astype(np.float64)


def _values(name: str, key: str, value: np.ndarray, size: int) -> np.ndarray:
    """``value`` as ``(size,)``: as many, or one for all."""
    flat = np.ravel(np.asarray(value, np.float64))
    if flat.size not in (1, size):
        raise TriodiaError(f"{key} of node {name!r} must have {size} values, not {flat.size}")
    return np.broadcast_to(flat, (size,))
