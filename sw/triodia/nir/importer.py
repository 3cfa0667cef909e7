"""A NIR graph as a ``Network``, and what was done to it."""

from dataclasses import replace
from pathlib import Path

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .blocks import Blocks, blocks_of
from .drive import Drives
from .graph import (
    LINEAR,
    READOUTS,
    SPIKING,
    Graph,
    past_recurrent_weights,
    read_graph,
)
from .origin import CLIP, restore, standardised
from .parts import Parts, check_size, find_parts
from .settings import SNNTORCH_DT, Choices, by_snntorch, find_choices
from .timing import Timing, find_timing

__all__ = ["import_nir", "network_of"]


def import_nir(
    path: str | Path,
    *,
    dt: float | None = None,
    discretization: str | None = None,
    reset: str | None = None,
    timing: str | None = None,
    tie: str | None = None,
    simulator: str | None = None,
    membrane: bool = False,
    input_max: float = CLIP,
) -> Network:
    """The network of a ``.nir`` file; its provenance says what was mapped to what, and how exactly.

    Options not given are found as in :func:`.settings.find_choices`. Inputs are clipped to
    ``+-input_max``. Raises :class:`TriodiaError` for what cannot be mapped, naming the node.
    """
    graph, digest = read_graph(path)
    options = {"dt": dt, "discretization": discretization, "reset": reset, "timing": timing}
    options |= {"tie": tie, "simulator": simulator, "membrane": membrane}
    choices = find_choices(graph, **options)
    if simulator == "spyx":
        graph = past_recurrent_weights(graph)
    file = {"command": "import-nir", "file": Path(path).name, "sha256": digest}
    try:
        return network_of(graph, choices, input_max=input_max, file=file)
    except RecursionError:
        raise TriodiaError(
            "the graph has too many nodes in a row without neurons between; export it with their"
            " weights multiplied out"
        ) from None


@np.errstate(over="ignore", invalid="ignore")  # the network refuses what is not finite
def network_of(
    graph: Graph, choices: Choices, *, input_max: float = CLIP, file: dict | None = None
) -> Network:
    """The network of a flat graph; ``file`` is put at the head of its last provenance step."""
    if not 0 < input_max < np.inf:
        raise TriodiaError(f"input_max must be above 0, not {input_max}")
    if choices.membrane:
        graph = membranes(graph)
    drives = Drives(graph, choices.dt)
    check_size("inputs", drives.size(graph.source))
    graph, scaling, factor = standardised(graph, drives, input_max / CLIP)
    parts = find_parts(graph, choices)
    timing = find_timing(choices.timing, parts)
    blocks = blocks_of(parts, timing, choices.reset)
    net = blocks.network(choices.reset, choices.tie, scaling, factor)
    net = restore(net, graph.metadata, blocks.clocks)
    places = [
        {"node": name, "type": cells.kind, "first": blocks.place[name].start}
        | {"neurons": cells.size, "steps_behind": timing.depth[name]}
        for name, cells in blocks.cells.items()
    ]
    step = {"nir": nir.version, **vars(choices), "delay": timing.delay, "lead": timing.lead}
    step |= {"populations": places, "readout": _readout(parts, timing)}
    step |= {"clock_neurons": blocks.clocks, "relay_neurons": blocks.relay_neurons}
    step |= {"delays": [*net.delays]}
    step |= {"mapped": _mapped(graph), "approximated": _remarks(graph, blocks, choices)}
    return net.with_provenance(**(file or {}), **step)


def membranes(graph: Graph) -> Graph:
    """``graph`` whose last neurons never spike: the Output gets their potentials."""
    nodes = dict(graph.nodes)
    for name in graph.before(graph.output):
        node = nodes[name]
        if not isinstance(node, SPIKING):
            raise TriodiaError(
                f"node {name!r} leads to the Output and is a {type(node).__name__}; only LIF,"
                " CubaLIF or IF neurons can be read as membranes"
            )
        if isinstance(node, nir.CubaLIF):
            shared = {
                key: getattr(node, key) for key in ("tau_syn", "tau_mem", "r", "v_leak", "w_in")
            }
            nodes[name] = nir.CubaLI(**shared)
        elif isinstance(node, nir.LIF):
            nodes[name] = nir.LI(tau=node.tau, r=node.r, v_leak=node.v_leak)
        else:
            nodes[name] = nir.I(r=node.r)
    return replace(graph, nodes=nodes)


def _readout(parts: Parts, timing: Timing) -> dict:
    cells = parts.readout
    kind = {"node": cells.name, "type": cells.kind} if cells else {"node": None, "type": "values"}
    return kind | {"readouts": parts.out.bias.size, "steps_behind": timing.delay}


def _mapped(graph: Graph) -> dict[str, str]:
    """What became of each node, by name."""
    fields = {nir.Input: "input", nir.Output: "output"}
    fields |= dict.fromkeys(LINEAR, "weights and biases") | dict.fromkeys(READOUTS, "readouts")
    return {
        name: f"{type(node).__name__}: {fields.get(type(node), 'neurons')}"
        for name, node in graph.nodes.items()
    }


def _remarks(graph: Graph, blocks: Blocks, c: Choices) -> list[str]:
    """One sentence for each thing that a reader of the network should know."""
    found = []
    if by_snntorch(graph) and not np.isclose(c.dt, SNNTORCH_DT):
        found.append(
            f"r is tau / {SNNTORCH_DT:g} in every node, as snnTorch writes it for any step, and dt"
            f" is {c.dt:g}: decays are other than there; leave --dt out"
        )
    if c.reset == "zero" and c.reset_from == "NIR's definition":
        found.append(
            "spikes reset to v_reset, as NIR defines it; exporters write that for other resets too:"
            " see --reset if the network was trained with reset by subtraction, or in snnTorch"
        )
    if any(cells.shifted for cells in blocks.cells.values()):
        found.append("potentials are counted from v_reset, and start there")
    if blocks.timing.lead:
        found.append("every sample needs a step of silence in front of it: --data puts it there")
    if blocks.relay_neurons:
        found.append(
            f"{blocks.relay_neurons} relay neurons repeat spikes that two synapses of one pair of"
            " neurons delay differently, or that wait more than 63 steps"
        )
    if any(name == blocks.parts.source for name, _ in blocks.relays):
        found.append(
            "inputs are delayed by relay neurons, which pass on 0 and 1: give spikes, not values"
        )
    if blocks.clocks:
        found.append(
            f"biases that begin late come from clock neurons ({blocks.clocks}), which spike in"
            " every step"
        )
    return found
