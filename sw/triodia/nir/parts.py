"""The populations of a graph, what drives each, and its readouts."""

from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import TriodiaError

from .drive import Drive, Drives
from .graph import READOUTS, SPIKING, Graph
from .neurons import Population, population
from .settings import Choices

__all__ = ["Parts", "check_size", "find_parts"]

_MOST = 1 << 14  # inputs, and neurons, of a machine (triodia_hw.machine.neuron)


@dataclass(frozen=True)
class Parts:
    """``into``: what is added to the potential (or current) of each population in a step, besides
    its own bias; ``out``: the same of the readouts. ``source`` is the Input, of ``inputs`` values.

    ``readout`` is None where the Output gets spikes, or a linear map of them, of the last step.
    """

    source: str
    inputs: int
    cells: dict[str, Population]
    into: dict[str, Drive]
    out: Drive
    readout: Population | None


def find_parts(graph: Graph, choices: Choices) -> Parts:
    """Populations, drives and readouts of ``graph``, whose inputs are not too many."""
    drives = Drives(graph, choices.dt)
    spiking = [name for name, node in graph.nodes.items() if isinstance(node, SPIKING)]
    if not spiking:
        raise TriodiaError("the graph has no LIF, CubaLIF or IF node, so nothing spikes")
    cells = {name: _cells(graph, choices, drives, name) for name in spiking}
    check_size("neurons", sum(population.size for population in cells.values()))
    into = {name: drives.into(name).scaled(p.gain) for name, p in cells.items()}
    for name, drive in into.items():
        _only_spikes(name, drive, (*spiking, graph.source), graph)
    out, readout = _readout(graph, choices, drives)
    _only_spikes(readout.name if readout else graph.output, out, spiking, graph)
    if not out.weights:
        raise TriodiaError("no spikes lead to the Output, so there is nothing to put out")
    return Parts(graph.source, drives.size(graph.source), cells, into, out, readout)


def check_size(what: str, size: int) -> None:
    """Before matrices of ``size`` (inputs or neurons) times ``size`` are made."""
    if size > _MOST:
        raise TriodiaError(
            f"the graph has {size} {what}, and a machine takes at most {_MOST};"
            " train a smaller network"
        )


def _cells(graph: Graph, c: Choices, drives: Drives, name: str) -> Population:
    node, size = graph.nodes[name], drives.size(name)
    rule = {"dt": c.dt, "rule": c.discretization, "reset": c.reset.partition("-")[0]}
    return population(name, node, size, **rule)


def _only_spikes(name: str, drive: Drive, allowed: list | tuple, graph: Graph) -> None:
    for source in sorted(drive.nodes):
        if source not in allowed:
            what = "the Input" if source == graph.source else "a potential, not spikes,"
            raise TriodiaError(
                f"node {name!r} gets {what} from {source!r}, which has no way here;"
                " put LIF neurons between"
            )


def _readout(graph: Graph, c: Choices, drives: Drives) -> tuple[Drive, Population | None]:
    """Leaky integrators in front of the Output, else what arrives there itself."""
    last = drives.into(graph.output)
    integrators = [name for name, node in graph.nodes.items() if isinstance(node, READOUTS)]
    if not integrators:
        return last, None
    name = integrators[0]
    if len(integrators) > 1 or list(last.weights) != [(name, 0)] or last.bias.any():
        raise TriodiaError(
            f"of {', '.join(map(repr, integrators))} only one may be there, and lead alone to the"
            " Output: potentials are put out, nothing is computed with them"
        )
    if not np.array_equal(last.weights[name, 0], np.eye(last.bias.size)):
        raise TriodiaError(
            f"node {name!r} must lead to the Output directly, without weights: its potential is"
            " what the machine puts out"
        )
    cells = _cells(graph, c, drives, name)
    return drives.into(name).scaled(cells.gain), cells
