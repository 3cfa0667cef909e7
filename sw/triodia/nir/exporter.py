"""A ``Network`` as a NIR graph, and as a file that other simulators read."""

import io
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.files import write_atomic

from ..network.network import Network
from .neurons import RULES
from .origin import STANDARDISE, metadata_of
from .settings import SNNTORCH_DT

__all__ = ["export_nir", "graph_of"]


def export_nir(
    net: Network, path: str | Path, *, dt: float = SNNTORCH_DT, discretization: str = "euler"
) -> list[str]:
    """Write ``net`` as a NIR file, whole or not at all; equal networks give equal bytes.

    Returns one sentence for each thing that only our own import will find in it.
    """
    graph = graph_of(net, dt=dt, discretization=discretization)
    content = io.BytesIO()
    nir.write(content, graph)
    write_atomic(path, content.getvalue())
    return _remarks(net)


def graph_of(
    net: Network, *, dt: float = SNNTORCH_DT, discretization: str = "euler"
) -> nir.NIRGraph:
    """``Input -> standardise -> w_in -> neurons -> w_out -> readout -> Output``, and
    ``neurons -> w_rec -> neurons``; without input and readout weights, neurons only. Synapses that
    wait ``d`` steps are in a node of their own, ``w_rec_d``, after a Delay ``delay_w_rec_d``.

    Time constants are those of which ``discretization`` makes our decays with a step of ``dt``
    seconds, resistances those that leave the weights as they are.
    """
    _check(net, dt, discretization)
    cells, readout = _cells(net, dt, discretization), _readout(net, dt, discretization)
    delays = {"w_rec": net.delay_rec}
    nodes = {"neurons": cells, "w_rec": _sum(net.w_rec, net.bias, net.tau_syn)}
    edges = [("neurons", "w_rec"), ("w_rec", "neurons")]
    chain = ["input", "neurons", "output"]
    if readout is not None:
        head = net.trained()
        nodes["w_in"] = nir.Linear(_wide(head.w_in))
        nodes["w_out"] = _sum(head.w_out, head.bias_out, head.tau_syn_out)
        nodes["readout"] = readout
        delays |= {"w_in": head.delay_in, "w_out": head.delay_out}
        chain = ["input", "w_in", "neurons", "w_out", "readout", "output"]
        if head.input_mean.any() or np.any(head.input_std != 1):
            std = _wide(head.input_std)
            scale = nir.Affine(np.diag(1 / std), -head.input_mean / std)
            scale.metadata = {"triodia": STANDARDISE}
            nodes["standardise"] = scale
            chain.insert(1, "standardise")
    nodes["input"] = nir.Input(np.array([net.inputs or net.neurons]))
    nodes["output"] = nir.Output(np.array([net.readouts or net.neurons]))
    edges += list(pairwise(chain))
    for name, delay in delays.items():
        _split(nodes, edges, name, delay, dt)
    said = {"dt": float(dt), "discretization": discretization, "reset": net.reset}
    said |= {"timing": "pipelined", "triodia": metadata_of(net)}
    return nir.NIRGraph(nodes=nodes, edges=sorted(edges), metadata=said)


def _split(nodes: dict, edges: list, name: str, delay: np.ndarray | None, dt: float) -> None:
    """Move the synapses of node ``name`` that wait into nodes of their own, one for each delay."""
    if delay is None:
        return
    whole, w = nodes[name], nodes[name].weight
    (before,) = (a for a, b in edges if b == name)
    (after,) = (b for a, b in edges if a == name)
    for steps in np.unique(delay[w != 0]):
        if steps:
            late, own = f"delay_{name}_{steps}", f"{name}_{steps}"
            nodes[late] = nir.Delay(np.full(w.shape[1], steps * float(dt)))
            nodes[own] = nir.Linear(np.where(delay == steps, w, 0))
            edges += [(before, late), (late, own), (own, after)]
    whole.weight = np.where(delay == 0, w, 0)


def _check(net: Network, dt: float, discretization: str) -> None:
    if not 0 < dt < np.inf:
        raise TriodiaError(f"dt must be above 0 seconds, not {dt}")
    known = RULES[:2]
    if discretization not in known:
        raise TriodiaError(f"discretization must be {' or '.join(known)}, not {discretization}")
    if net.refractory.any():
        raise TriodiaError(
            f"{np.count_nonzero(net.refractory)} neurons have refractory periods, which NIR cannot"
            " say; train a network without (`triodia new --refractory 0`)"
        )
    if net.adaptive:
        raise TriodiaError(
            f"{np.count_nonzero(net.jump)} neurons adapt their thresholds, and NIR has no node of"
            " such neurons; train a network without (`triodia new` without `--adaptive`)"
        )


def _wide(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64)


def _sum(weights: np.ndarray, bias: np.ndarray, current: np.ndarray | None) -> nir.NIRNode:
    """Weights and biases; with a current, which our biases pass by, they are in ``v_leak``."""
    if current is not None:
        return nir.Linear(_wide(weights))
    return nir.Affine(_wide(weights), _wide(bias))


def _decay(tau: np.ndarray, dt: float, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """NIR's time constants of ours ``tau`` (steps), and the gains that make inputs count whole."""
    loss = -np.expm1(-1 / _wide(tau))  # 1 - decay
    return (dt / loss if rule == "euler" else dt * _wide(tau)), 1 / loss


def _cells(net: Network, dt: float, rule: str) -> nir.NIRNode:
    zero = np.zeros(net.neurons)
    threshold = net.threshold if net.fires == "above" else _below(net.threshold)
    firing = {"v_threshold": _wide(threshold), "v_reset": zero}
    stays = np.exp(-1 / _wide(net.tau_mem)) == 1
    if stays.all() and net.tau_syn is None:
        return nir.IF(r=zero + 1 / dt, **firing)
    if stays.any():
        raise TriodiaError(
            f"neuron {int(stays.argmax())} has no leak and others have, or a synaptic current,"
            " which no node of NIR can say; give it a finite time constant"
        )
    tau, r = _decay(net.tau_mem, dt, rule)
    if net.tau_syn is None:
        return nir.LIF(tau=tau, r=r, v_leak=zero, **firing)
    tau_syn, w_in = _decay(net.tau_syn, dt, rule)
    return nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau, r=r, w_in=w_in, v_leak=net.bias * r, **firing)


def _readout(net: Network, dt: float, rule: str) -> nir.NIRNode | None:
    head = net.head
    if head is None:
        return None
    if np.any(np.exp(-1 / _wide(head.tau_out)) == 1):
        raise TriodiaError("readouts must have a finite time constant to be a LI node of NIR")
    tau, r = _decay(head.tau_out, dt, rule)
    zero = np.zeros(head.readouts)
    if head.tau_syn_out is None:
        return nir.LI(tau=tau, r=r, v_leak=zero)
    tau_syn, w_in = _decay(head.tau_syn_out, dt, rule)
    return nir.CubaLI(tau_syn=tau_syn, tau_mem=tau, r=r, w_in=w_in, v_leak=head.bias_out * r)


def _below(threshold: np.ndarray) -> np.ndarray:
    """Greatest float32 below ``threshold``: exceeding it, ``>``, is reaching that, ``>=``."""
    return np.nextafter(threshold, np.float32(-np.inf))


def _remarks(net: Network) -> list[str]:
    found = []
    if net.reset == "subtract":
        found.append("NIR has no reset by subtraction: it says v_reset 0, and metadata 'subtract'")
    if net.task is not None:
        found.append(
            "NIR has no clipping of inputs, and no step from spike to readout: others put the"
            " readout out one step earlier"
        )
    if net.head is not None and net.head.input_tail:
        found.append(
            f"NIR has no steps after a sample: give {net.head.input_tail} without input, and count"
            " the readouts there too"
        )
    return found
