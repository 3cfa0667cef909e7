"""A NIR file as one flat graph, its structure checked."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from ..hdf5 import open_hdf5
from .unrolled import UNROLLED

__all__ = [
    "CLAMP",
    "LINEAR",
    "READOUTS",
    "SPIKING",
    "Graph",
    "flat_graph",
    "past_recurrent_weights",
    "read_graph",
]

LINEAR = (nir.Affine, nir.Linear, nir.Scale, nir.Flatten, *UNROLLED, nir.Delay)
SPIKING = (nir.LIF, nir.CubaLIF, nir.IF)
READOUTS = (nir.LI, nir.CubaLI, nir.I)

CLAMP = "clamp it below 1 before you export (snnTorch itself clamps it in each step only)"
_HELP = {
    nir.Threshold: "use IF or LIF for neurons that spike",
}


@dataclass(frozen=True)
class Graph:
    """A NIR graph without subgraphs: their inputs and outputs are nodes that pass on.

    ``source`` and ``output`` name the one Input and the one Output; ``metadata`` is the graph's.
    """

    nodes: dict[str, nir.NIRNode]
    edges: tuple[tuple[str, str], ...]
    source: str
    output: str
    metadata: dict

    def before(self, name: str) -> list[str]:
        """Nodes with an edge to ``name``, in order of their names."""
        return sorted(a for a, b in self.edges if b == name)


def read_graph(path: str | Path) -> tuple[Graph, str]:
    """The graph of a ``.nir`` file, and the file's SHA-256.

    Raises
    ------
    TriodiaError
        If the file is missing, damaged or no NIR, or its structure cannot be mapped.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TriodiaError(f"{path} must be a NIR file that can be read: {error}") from error
    try:
        with open_hdf5(path):
            pass
        with np.errstate(all="ignore"):  # nir divides by a stride of 0
            read = nir.read(path, type_check=False)
    except Exception as error:  # h5py and nir raise whatever they meet
        why = str(error) or "a node is of a type or shape that nir does not know"
        if isinstance(error, KeyError):
            why = f"an entry lacks its {error}; a '/' in a node's name does that"
        raise TriodiaError(
            f"{path} is damaged or no NIR file ({type(error).__name__}: {why}); export it again"
        ) from error
    if not isinstance(read, nir.NIRGraph):
        raise TriodiaError(
            f"{path} must hold a NIRGraph, not a single {type(read).__name__} node;"
            " put it between an Input and an Output"
        )
    return flat_graph(read), hashlib.sha256(content).hexdigest()


def flat_graph(graph: nir.NIRGraph) -> Graph:
    """``graph`` with its subgraphs put in place, and only nodes that a network can have."""
    _check_metadata("the graph", graph)
    nodes: dict[str, nir.NIRNode] = {}
    edges: list[tuple[str, str]] = []
    ends = _inline(graph, "", nodes, edges)
    for name, node in nodes.items():
        if not isinstance(node, (*LINEAR, *SPIKING, *READOUTS, nir.Input, nir.Output)):
            help_ = _HELP.get(type(node), "use Affine, Linear, LIF, CubaLIF, IF, LI or CubaLI")
            raise TriodiaError(
                f"node {name!r} is a {type(node).__name__}, which cannot be mapped; {help_}"
            )
        _check_metadata(f"node {name!r}", node)
        _check_values(name, node)
    if any(b == ends[0] for _, b in edges) or any(a == ends[1] for a, _ in edges):
        raise TriodiaError("nothing may lead to the Input or away from the Output; export it again")
    return Graph(nodes, tuple(dict.fromkeys(edges)), *ends, dict(graph.metadata or {}))


def past_recurrent_weights(graph: Graph) -> Graph:
    """``graph`` whose recurrent neurons get their input as it is.

    spyx writes the input of a recurrent population through the recurrent weights, though its
    neurons add it to their potential.
    """
    edges = set(graph.edges)
    loops = {w: n for n, w in edges if (w, n) in edges and isinstance(graph.nodes[n], SPIKING)}
    straight = [(a, loops[b]) if loops.get(b, a) != a else (a, b) for a, b in graph.edges]
    return replace(graph, edges=tuple(straight))


def _inline(graph: nir.NIRGraph, prefix: str, nodes: dict, edges: list) -> tuple[str, str]:
    """Add the nodes and edges of ``graph``; names of its Input and its Output."""
    inner = {}  # subgraph: its Input and its Output
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            inner[name] = _inline(node, f"{prefix}{name}.", nodes, edges)
        elif prefix + name in nodes:
            raise _taken(prefix + name)
        else:
            nodes[prefix + name] = node
    for a, b in graph.edges:
        for name in (a, b):
            if name not in graph.nodes:
                raise TriodiaError(
                    f"the edge {a!r} to {b!r} names a node that is not there; export it again"
                )
        start = inner[a][1] if a in inner else prefix + a
        edges.append((start, inner[b][0] if b in inner else prefix + b))
    return _only(graph, prefix, nir.Input), _only(graph, prefix, nir.Output)


def _taken(name: str) -> TriodiaError:
    return TriodiaError(
        f"two nodes are called {name!r} once subgraphs are put in place; rename one of them"
    )


def _only(graph: nir.NIRGraph, prefix: str, kind: type) -> str:
    found = [prefix + name for name, node in graph.nodes.items() if isinstance(node, kind)]
    if len(found) != 1:
        where = f"subgraph {prefix[:-1]!r}" if prefix else "the graph"
        named = f" ({', '.join(found)})" if found else ""
        raise TriodiaError(
            f"{where} must have one {kind.__name__} node, not {len(found)}{named};"
            f" {'merge them' if found else 'add it'}"
        )
    return found[0]


def _check_metadata(where: str, node: nir.NIRNode) -> None:
    if node.metadata is not None and not isinstance(node.metadata, dict):
        raise TriodiaError(f"metadata of {where} must be entries with names; export it again")


def _check_values(name: str, node: nir.NIRNode) -> None:
    for key, value in vars(node).items():
        if isinstance(value, str | bytes | h5py.Empty) and key != "padding":
            raise TriodiaError(f"{key} of node {name!r} must be numbers, not {value!r}")
        value = np.asarray(value) if isinstance(value, np.generic) else value
        if key not in ("metadata", "input_type", "output_type") and isinstance(value, np.ndarray):
            if value.dtype.kind not in "fiub":
                raise TriodiaError(f"{key} of node {name!r} must be numbers, not {value.dtype}")
            if not np.all(np.isfinite(value)):
                decays = ("tau", "tau_mem", "tau_syn", "r", "w_in")
                cause = f"a decay of 1 does that, {CLAMP}" if key in decays else "export it again"
                raise TriodiaError(f"{key} of node {name!r} holds NaN or infinity; {cause}")
