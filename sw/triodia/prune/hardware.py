"""Step H (ours, not the paper's): spread the same number of synapses evenly over the PEs."""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.compile.placement import place
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.params import MachineParams

from ..network.network import Network

__all__ = ["HardwareOptions", "even_places", "even_rows", "fit_lanes", "plan_lanes"]


@dataclass(frozen=True, kw_only=True)
class HardwareOptions:
    """Choices of step H. ``lanes``: PEs of the machine, 1 to 32."""

    lanes: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.lanes <= 32:
            raise TriodiaError(f"lanes must be in 1..32, not {self.lanes!r}")


def plan_lanes(mask: np.ndarray, lanes: int) -> np.ndarray:
    """Assign neurons to PEs, ``(N,)``, so that rows of ``mask`` ``[target, source]`` are even.

    Runs the machine's placer on a recording in which every source spikes alone once. The placer
    then lowers the variance of every row over the PEs.
    """
    n = len(mask)
    p = MachineParams(inputs=1, neurons=n, lanes=lanes)
    source, target = np.nonzero(mask.T)
    row_start = np.concatenate([[0], np.searchsorted(source, np.arange(n + 1))])  # the input's is 0
    return place(p, row_start, target, np.eye(n + 1)) // p.slots


def even_places(
    candidates: np.ndarray,
    preference: np.ndarray,
    count: int,
    lane: np.ndarray,
    load: np.ndarray,
) -> np.ndarray:
    """Choose ``count`` of a row's ``candidates`` (``(N,)`` bool), as evenly over PEs as possible.

    Within a PE, candidates of highest ``preference`` win. If ``count`` is not a multiple of the
    PEs, the least loaded PEs get one more. Updates ``load`` ``(lanes,)``.
    """
    lanes = len(load)
    order = np.lexsort((-preference, lane))
    order = order[candidates[order]]
    place_in_lane = (
        np.arange(order.size) - np.searchsorted(lane[order], np.arange(lanes))[lane[order]]
    )
    # Round by round over the PEs, the least loaded first: all firsts, then all seconds, ...
    chosen = order[np.lexsort((load[lane[order]], place_in_lane))[:count]]
    taken = np.zeros(candidates.size, bool)
    taken[chosen] = True
    load += np.bincount(lane[chosen], minlength=lanes)
    return taken


def even_rows(
    net: Network, candidates: np.ndarray, preference: np.ndarray, lanes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Graph with the out-degrees of ``net`` and even rows, ``[target, source]``, and the PEs.

    ``candidates`` marks the allowed synapses. A row keeps its synapses unless a PE has too many;
    candidates of highest ``preference`` replace the surplus.
    """
    lane = plan_lanes(net.mask_rec, lanes)
    wanted = np.where(net.mask_rec, 2 + preference, preference)  # what is there comes first
    mask, load = np.zeros_like(net.mask_rec), np.zeros(lanes)
    degrees = net.mask_rec.sum(axis=0)
    for source in np.argsort(-degrees, kind="stable"):
        row = (candidates | net.mask_rec)[:, source]
        mask[:, source] = even_places(row, wanted[:, source], degrees[source], lane, load)
    return mask, lane


def fit_lanes(
    net: Network, reference: Network, preference: np.ndarray, options: HardwareOptions
) -> tuple[Network, dict]:
    """Move synapses of ``net`` so that each source has equally many in every PE.

    ``reference`` is the network before any synapse was cut. New synapses come from it, by
    ``preference`` ``(N, N)`` in 0..1. Every source keeps its number of synapses, so the number of
    synaptic operations stays. The result has ``lane``: ``quantize`` places neurons by it and
    ``attach`` spreads inputs by it.
    """
    mask, lane = even_rows(net, reference.mask_rec, preference, options.lanes)
    known = np.where(net.mask_rec, net.w_rec, reference.w_rec)
    fitted = replace(net, w_rec=known * mask, mask_rec=mask, lane=lane)
    return fitted, {
        "step": "H",
        "lanes": options.lanes,
        "moved": int((net.mask_rec & ~mask).sum()),
        "uneven_before": _unevenness(net.mask_rec, lane, options.lanes),
        "uneven_after": _unevenness(mask, lane, options.lanes),
        "synapses_before": net.synapses,
        "synapses_after": fitted.synapses,
    }


def _unevenness(mask: np.ndarray, lane: np.ndarray, lanes: int) -> float:
    """Mean over rows of the busiest PE's synapses divided by the least possible."""
    rows = np.stack([mask[lane == k].sum(axis=0) for k in range(lanes)])
    least = np.ceil(rows.sum(axis=0) / lanes)
    return float((rows.max(axis=0)[least > 0] / least[least > 0]).mean()) if least.any() else 1.0
