"""What reaches a node of a graph: linear nodes multiplied out, delays added up."""

import math
from dataclasses import dataclass

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.recurrent import LONGEST
from .graph import READOUTS, SPIKING, Graph
from .unrolled import UNROLLED, input_channels, output_shape, unrolled

__all__ = ["Drive", "Drives", "Source"]

Source = tuple[str, int]  # a node, and how many steps ago


@dataclass(frozen=True)
class Drive:
    """``bias + sum over sources of weights[source] @ y_source``; float64, ``[target, source]``."""

    weights: dict[Source, np.ndarray]
    bias: np.ndarray

    def scaled(self, gain: np.ndarray) -> "Drive":
        """Times ``gain`` ``(targets,)``."""
        weights = {source: gain[:, None] * w for source, w in self.weights.items()}
        return Drive(weights, gain * self.bias)

    @property
    def nodes(self) -> set[str]:
        """Names of the sources, whatever their delay."""
        return {name for name, _ in self.weights}


class Drives:
    """What reaches each node of ``graph``, as a function of its Input and its neurons.

    Edges into one node add up. Arrays of any shape are taken in C order, as Flatten does. ``dt``
    is the time step, in which delays are counted.
    """

    def __init__(self, graph: Graph, dt: float = 1.0) -> None:
        self.graph, self.dt = graph, dt
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._matrices: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._into: dict[str, Drive] = {}
        self._open: set[str] = set()

    def size(self, name: str) -> int:
        """Values that node ``name`` puts out."""
        return math.prod(self.shape(name))

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of what node ``name`` puts out."""
        if name not in self._shapes:
            found = self._shape(name, frozenset())
            if not found:
                raise TriodiaError(
                    f"the size of node {name!r} is not known;"
                    " give its parameters one value a neuron"
                )
            self._shapes[name] = found
        return self._shapes[name]

    def _shape(self, name: str, path: frozenset[str]) -> tuple[int, ...] | None:
        """Shape of ``name``, or of what leads to it; nodes on ``path`` were asked before."""
        node = self.graph.nodes[name]
        own = _own_shape(node)
        if own is not None and (math.prod(own) > 1 or _is_matrix(node)):
            if len(own) > 1 or _is_matrix(node) or isinstance(node, nir.Input):
                return own
        befores = [b for b in self.graph.before(name) if b not in path]
        found = [f for f in (self._shape(b, path | {name}) for b in befores) if f]
        if isinstance(node, UNROLLED):
            return output_shape(name, node, self._arriving(name, node, found))
        before = max(found, key=math.prod, default=None)
        if isinstance(node, nir.Flatten):
            return before and (math.prod(before),)
        if own is None or math.prod(own) == 1:
            return before or own
        return before if before and math.prod(before) == math.prod(own) else own

    def _arriving(self, name: str, node: nir.NIRNode, found: list) -> tuple[int, ...]:
        """Shape of the inputs of a convolution or pool: channels, then axes."""
        said = getattr(node, "input_shape", None)
        if said is not None:
            axes = tuple(int(n) for n in np.ravel(said))
            return (input_channels(name, node), *axes)
        if not found:
            raise TriodiaError(f"the shape of what leads to node {name!r} is not known; export it")
        return found[0]

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
        linear = _is_matrix(node) or isinstance(node, UNROLLED)
        size = self._matrix(name)[0].shape[1] if linear else self.size(name)
        weights: dict[Source, np.ndarray] = {}
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
        node = self.graph.nodes[name]
        if name == self.graph.source or isinstance(node, (*SPIKING, *READOUTS)):
            size = self.size(name)
            return Drive({(name, 0): np.eye(size)}, np.zeros(size))
        into = self.into(name)
        if isinstance(node, nir.Scale):
            return into.scaled(_values(name, "scale", node.scale, self.size(name)))
        if isinstance(node, nir.Delay):
            return _delayed(into, self._steps(name, node), name)
        if not _is_matrix(node) and not isinstance(node, UNROLLED):
            return into  # Flatten, and the ends of subgraphs
        w, bias = self._matrix(name)
        return Drive({source: w @ m for source, m in into.weights.items()}, w @ into.bias + bias)

    def _matrix(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weights ``(outputs, inputs)`` and bias of a linear node."""
        if name not in self._matrices:
            node = self.graph.nodes[name]
            if isinstance(node, UNROLLED):
                befores = [self.shape(b) for b in self.graph.before(name)]
                made = unrolled(name, node, self._arriving(name, node, befores))
            else:
                w, bias = _matrix(name, node), np.zeros(self.size(name))
                if isinstance(node, nir.Affine):
                    bias = bias + _values(name, "bias", node.bias, bias.size)
                made = w, bias
            self._matrices[name] = made
        return self._matrices[name]

    def _steps(self, name: str, node: nir.Delay) -> np.ndarray:
        """Whole steps of a Delay node, one for each value."""
        steps = _values(name, "delay", node.delay, self.size(name)) / self.dt
        whole = np.rint(steps)
        wrong = steps[(np.abs(steps - whole) > 1e-3) | (whole < 0) | (whole > LONGEST)]
        if wrong.size:
            raise TriodiaError(
                f"delays of node {name!r} must be whole steps of {self.dt:g} s from 0 to {LONGEST},"
                f" which a synapse can wait, not {wrong[0]:g} steps"
            )
        return whole.astype(int)


def _delayed(into: Drive, steps: np.ndarray, name: str) -> Drive:
    """``into``, each of its values ``steps`` later."""
    if np.any(into.bias[steps > 0]):
        raise TriodiaError(
            f"node {name!r} delays a bias, which does not change; add the bias after the delay"
        )
    weights: dict[Source, np.ndarray] = {}
    for (source, before), w in into.weights.items():
        for late in np.unique(steps):
            rows = np.where((steps == late)[:, None], w, 0.0)
            if rows.any():
                key = (source, before + int(late))
                weights[key] = weights.get(key, 0.0) + rows
    return Drive(weights, into.bias)


def _is_matrix(node: nir.NIRNode) -> bool:
    return isinstance(node, (nir.Affine, nir.Linear))


def _own_shape(node: nir.NIRNode) -> tuple[int, ...] | None:
    """Shape that the node itself says, None if it takes what comes."""
    if _is_matrix(node):
        return (int(node.weight.shape[-2]),)
    if isinstance(node, (*SPIKING, *READOUTS)):
        return np.shape(node.r) or (1,)
    if isinstance(node, nir.Scale):
        return np.shape(node.scale) or (1,)
    if isinstance(node, nir.Delay):
        return np.shape(node.delay) or (1,)
    if isinstance(node, nir.Input):
        shape = next(iter(node.input_type.values()), None)
        given = np.asarray(() if shape is None else shape)
        sizes = given.ndim == 1 and given.dtype.kind in "iuf" and np.all(np.isfinite(given))
        if not sizes or np.any(given < 1):
            raise TriodiaError(f"the shape of the Input must be above 0, not {given.tolist()}")
        return None if shape is None else tuple(map(int, shape))
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
