"""What a NIR file leaves open: the time step, its rule, the reset, when spikes arrive."""

from dataclasses import dataclass

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

from .graph import Graph
from .neurons import RULES

__all__ = [
    "RESETS",
    "SIMULATORS",
    "SNNTORCH_DT",
    "TIES",
    "TIMINGS",
    "Choices",
    "by_snntorch",
    "find_choices",
]

RESETS = ("zero", "subtract", "zero-late", "subtract-late")
TIMINGS = ("layered", "pipelined")
TIES = ("above", "at")
SNNTORCH_DT = 1e-4  # s; what snnTorch 1.0 writes its decays with, and takes when it reads


@dataclass(frozen=True, kw_only=True)
class Choices:
    """``dt`` in s and how it is known; rule of discretization, reset, timing.

    ``tie``: neurons spike "above" their threshold or "at" it. ``membrane``: the last neurons never
    spike, and their potential is the output.
    """

    dt: float
    dt_from: str
    discretization: str
    reset: str
    reset_from: str
    timing: str
    tie: str
    membrane: bool


# How each simulator computes, where its NIR files do not say. Each runs itself in
# tests/frameworks, snnTorch in tests/sw/nir.
SIMULATORS = {
    "snntorch": {"reset": "subtract-late", "tie": "above"},
    "norse": {"discretization": "euler-jump", "reset": "zero", "tie": "above"},
    "sinabs": {"discretization": "exponential", "reset": "subtract", "tie": "at"},
    # It exports only neurons that are set to v_reset.
    "spikingjelly": {"discretization": "euler", "reset": "zero", "tie": "at"},
    "rockpool": {
        "discretization": "exponential-euler-gain",
        "reset": "subtract",
        "tie": "at",
    },
    # A neuron sends the spikes of the step before, so each layer runs a step later.
    "spyx": {
        "dt": 1.0,  # its exporter's default
        "discretization": "euler-whole",
        "reset": "subtract-late",
        "tie": "above",
        "timing": "pipelined",
    },
}
_NO_FILES = {"nengo": "Nengo 4.1 writes no NIR files", "brian2": "Brian 2 writes no NIR files"}


def find_choices(
    graph: Graph,
    *,
    dt: float | None = None,
    discretization: str | None = None,
    reset: str | None = None,
    timing: str | None = None,
    tie: str | None = None,
    simulator: str | None = None,
    membrane: bool = False,
) -> Choices:
    """What is given, else what the file's metadata says, else what ``simulator`` does, else NIR.

    "zero" sets a potential to ``v_reset`` in the step of its spike, "subtract" takes the threshold
    from it. "zero-late" and "subtract-late" do so in the step after, behind leak and input, as
    snnTorch does with ``reset_delay``.
    The defaults are NIR's own: euler, zero (``v = v_reset``), above, layered. ``dt`` has none: it
    is taken from metadata, or where every ``tau / r`` (and ``tau_syn / w_in``) is snnTorch's time
    step. ``simulator`` is one of :data:`SIMULATORS`.
    """
    if simulator is None and by_snntorch(graph):
        simulator = "snntorch"
    habits = _habits(simulator) if simulator else {}
    given = {"dt": dt, "discretization": discretization, "reset": reset, "timing": timing}
    given |= {"tie": tie}
    stored = {k: _stored(graph, k) if value is None else None for k, value in given.items()}
    known_dt, dt_from = _dt(graph, dt, stored["dt"], habits.get("dt"), simulator)
    reset_from = "option" if reset else "metadata" if stored["reset"] else simulator

    def chosen(name: str, known: tuple[str, ...], default: str) -> str:
        value = given[name] or stored[name] or habits.get(name) or default
        return _one_of(name, value, known)

    return Choices(
        dt=known_dt,
        dt_from=dt_from,
        discretization=chosen("discretization", RULES, "euler"),
        reset=chosen("reset", RESETS, "zero"),
        reset_from=reset_from or "NIR's definition",
        timing=chosen("timing", TIMINGS, "layered"),
        tie=chosen("tie", TIES, "above"),
        membrane=membrane,
    )


def _habits(simulator: str) -> dict:
    if simulator in _NO_FILES:
        raise TriodiaError(
            f"{_NO_FILES[simulator]}; leave --from out, and say by --reset, --tie and"
            " --discretization how the network in this file computes"
        )
    return SIMULATORS[_one_of("from", simulator, tuple(SIMULATORS))]


def _one_of(name: str, value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise TriodiaError(f"{name} must be {' or '.join(known)}, not {value}")
    return str(value)


def _stored(graph: Graph, key: str) -> object:
    """Value of ``key`` in the metadata of graph and nodes; None if there is none."""
    found = [m[key] for m in (graph.metadata, *_metadata(graph)) if m.get(key) is not None]
    for value in found:
        if np.size(value) != 1:
            raise TriodiaError(
                f"metadata {key!r} of the file must be one value, not {np.size(value)};"
                f" give --{key}"
            )
    found = [v.item() if isinstance(v, np.generic | np.ndarray) else v for v in found]
    if any(v != found[0] for v in found[1:]):
        raise TriodiaError(f"metadata of the file name several values of {key}; give --{key}")
    return found[0] if found else None


def _metadata(graph: Graph) -> list[dict]:
    return [n.metadata for n in graph.nodes.values() if isinstance(n.metadata, dict)]


def _dt(
    graph: Graph, given: float | None, stored: object, usual: float | None, simulator: str | None
) -> tuple[float, str]:
    if given is not None:
        found, where = given, "option"
    elif stored is not None:
        found, where = stored, "metadata"
    elif usual is not None:
        found, where = usual, f"the default of {simulator}'s exporter"
    elif by_snntorch(graph):
        found, where = SNNTORCH_DT, "r = tau / dt in every node, as snnTorch writes it"
    else:
        raise TriodiaError(
            "the file does not say how long a time step is; give --dt in seconds, the one the"
            " network was trained with (--dt 1 for IF neurons that add their input each step)"
        )
    if not isinstance(found, int | float) or not 0 < found < np.inf:
        raise TriodiaError(f"dt must be above 0 seconds, not {found}")
    return float(found), where


@np.errstate(over="ignore")  # such a step is not snnTorch's
def by_snntorch(graph: Graph) -> bool:
    """Whether all gains are 1 by Euler with snnTorch's time step."""
    steps = []
    for node in graph.nodes.values():
        if isinstance(node, nir.LIF):
            steps.append(node.tau / np.where(node.r == 0, np.inf, node.r))
        elif isinstance(node, nir.CubaLIF):
            steps.append(node.tau_mem / np.where(node.r == 0, np.inf, node.r))
            steps.append(node.tau_syn / np.where(node.w_in == 0, np.inf, node.w_in))
    return bool(steps) and all(np.allclose(s, SNNTORCH_DT, rtol=1e-4, atol=0) for s in steps)
