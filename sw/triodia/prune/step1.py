"""Step I: prune synapses by the noise rule on the Lyapunov matrix of the graph's edges."""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .covariance import decay_rates, largest_eigenvalue, stationary_covariance
from .products import EXACT
from .sampling import keep_count, keep_probabilities, sample
from .sight import what_the_rule_sees
from .spectrum import network_spectrum

__all__ = [
    "NoiseOptions",
    "deflated",
    "dominant_system",
    "edge_matrix",
    "harmonic_matrix",
    "keep_matrix",
    "noise_prune",
    "noise_score",
    "spectrum_steps",
    "stable_system",
]


@dataclass(frozen=True, kw_only=True)
class NoiseOptions:
    """Options of step I; docs/lnp.md says which are the paper's, docs/tried.md why.

    Parameters
    ----------
    edges : "lyapunov" (harmonic means) or "weights" (the base rule of Moore & Chaudhuri).
    neighbourhood : "graph" (every neighbour counts equally) or "weighted" (by ``|w|``).
    covariance : whether the rule sees ``C_ij``; without, a control that knows variances only.
    equal_tau : take the mean time constant for every neuron in the rule, another control.
    symmetric : the setting of the base paper's theorem: the coupling is made symmetric, and each
        leak at least the sum of its row of ``|s L|``. Take ``rescale`` with it.
    deflate : leading modes of the symmetric part that are taken out of the coupling before it is
        scaled. One outlier sets the scale else.
    iterations : cuts, each keeping the same fraction; the spectrum is computed anew for each.
    floor : smallest ``|lambda|`` as a fraction of the median ``|lambda|``.
    margin : stability margin, as a fraction of the slowest leak.
    rescale : divide kept weights by their keep probability.
    by_layer : keep the same fraction of every block, the synapses from one layer to another.
    compensate : change ``tau_mem`` so that the diagonal makes up for cut synapses.
    steps : steps that the spectrum averages; default 200, beyond 600 neurons ``120,000 / N``,
        at least 40.
    noise, slope, reset : see ``network_spectrum``.
    """

    edges: str = "lyapunov"
    neighbourhood: str = "graph"
    covariance: bool = True
    equal_tau: bool = False
    symmetric: bool = False
    deflate: int = 0
    iterations: int = 1
    floor: float = 0.05
    margin: float = 0.1
    rescale: bool = False
    compensate: bool = False
    by_layer: bool = False
    steps: int | None = None
    noise: float = 1.0
    slope: float = 10.0
    reset: bool = False

    def __post_init__(self) -> None:
        if self.edges not in ("lyapunov", "weights"):
            raise TriodiaError(f"edges must be 'lyapunov' or 'weights', not {self.edges!r}")
        if self.neighbourhood not in ("graph", "weighted"):
            raise TriodiaError(
                f"neighbourhood must be 'graph' or 'weighted', not {self.neighbourhood!r}"
            )
        if not 1 <= self.iterations <= 1000:
            raise TriodiaError(f"iterations must be in 1..1000, not {self.iterations!r}")
        if self.deflate < 0:
            raise TriodiaError(f"deflate must be 0 or more, not {self.deflate!r}")
        if not (0 < self.floor <= 1 and 0 < self.margin < 1):
            raise TriodiaError("floor and margin must be between 0 and 1")


def harmonic_matrix(closeness: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Harmonic mean of ``exponents`` over the union of two neighbourhoods, ``(N, N)``.

    ``closeness`` is bool (``B_ik``: k is a neighbour of i) or ``(N, N)`` weights at least 0.
    Bool: ``L_ij = |U_ij| / sum_{k in U_ij} 1 / lambda_k``, the union by inclusion and exclusion.
    Weights: ``k`` counts with ``max(c_ik, c_jk)``, which for 0 and 1 is the union.
    Pairs without any neighbour have no mean and get 0.
    """
    b, inverse = closeness.astype(np.float64), 1 / exponents
    if closeness.dtype == bool:
        if len(b) > EXACT:  # float32 halves the time; counts stay exact
            b, inverse = b.astype(np.float32), inverse.astype(np.float32)
        size, total = b.sum(axis=1), b @ inverse
        count = size[:, None] + size - b @ b.T
        below = total[:, None] + total - (b * inverse) @ b.T
    else:
        count, below = np.empty(b.shape), np.empty(b.shape)
        for i, row in enumerate(b):  # max() has no matrix product; N rows of N x N
            union = np.maximum(row, b)
            count[i], below[i] = union.sum(axis=1), union @ inverse
    return np.divide(count, below, out=np.zeros_like(count), where=below > 0)


def edge_matrix(net: Network, exponents: np.ndarray, neighbourhood: str = "graph") -> np.ndarray:
    """Lyapunov matrix on the synapses, ``(N, N)``, with the sign of each weight.

    A neighbour of ``i`` is any neuron with a synapse from or to ``i``, and ``i`` itself.
    ``exponents`` ``(N,)`` must be above 0 (take ``|lambda|`` with a floor first).
    """
    if neighbourhood == "graph":
        closeness = net.mask_rec | net.mask_rec.T | np.eye(net.neurons, dtype=bool)
    else:
        size = np.abs(net.w_rec).astype(np.float64)
        closeness = np.maximum(size, size.T)
        np.fill_diagonal(closeness, closeness.max())
    return np.sign(net.w_rec) * harmonic_matrix(closeness, exponents)


def stable_system(
    coupling: np.ndarray, leak: np.ndarray, margin: float
) -> tuple[np.ndarray, float]:
    """``A = -D + s L`` and ``s``, such that ``(A + A^T) / 2 <= -margin * min(D)``.

    The bound on the symmetric part is sharp (it is reached) and keeps every eigenvalue of ``A`` at
    a real part of at most that, without a search.
    """
    root = 1 / np.sqrt(leak - margin * leak.min())
    symmetric = (coupling + coupling.T) / 2
    greatest = largest_eigenvalue(root[:, None] * symmetric * root)
    scale = 1 / greatest if greatest > 0 else 1.0
    return np.diag(-leak) + scale * coupling, float(scale)


def deflated(coupling: np.ndarray, leak: np.ndarray, margin: float, modes: int) -> np.ndarray:
    """``coupling`` without the ``modes`` of its symmetric part that limit the scale most (ours).

    The modes are those of :func:`stable_system`; what is left has entries off the graph.
    """
    root = 1 / np.sqrt(leak - margin * leak.min())
    values, vectors = np.linalg.eigh(root[:, None] * ((coupling + coupling.T) / 2) * root)
    limiting = int((values > 1e-9 * np.abs(values).max()).sum())
    if modes >= limiting:
        raise TriodiaError(f"deflate must be below {limiting}, the modes there are, not {modes}")
    lead = vectors[:, len(leak) - modes :] / root[:, None]
    return coupling - (lead * values[len(leak) - modes :]) @ lead.T


def dominant_system(a: np.ndarray) -> np.ndarray:
    """The symmetric part of ``a``, each leak raised to the sum of its row of absolute couplings.

    Moore & Chaudhuri 2020 prove their rule for such a system.
    """
    symmetric = (a + a.T) / 2
    off = symmetric - np.diag(np.diag(symmetric))
    leak = np.maximum(-np.diag(symmetric), np.abs(off).sum(axis=1) * (1 + 1e-6) + 1e-9)
    return off - np.diag(leak)


def noise_score(a: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """``|A_ij| (C_ii + C_jj - 2 sgn(A_ij) C_ij)`` off the diagonal: keep probability over rho.

    Moore & Chaudhuri 2020, eq. for ``p_ij``; positive couplings are kept when their ends
    fluctuate apart, negative ones when they fluctuate together.
    """
    off = a - np.diag(np.diag(a))
    own = np.diag(covariance)
    return np.abs(off) * (own[:, None] + own - 2 * np.sign(off) * covariance)


def keep_matrix(
    net: Network, keep: float, seed: int, options: NoiseOptions
) -> tuple[np.ndarray, np.ndarray, dict]:
    """Keep probabilities by the noise rule, ``(N, N)``; the system ``A``; and a report.

    Probabilities are 0 off the graph and sum to ``round(keep * synapses)``.
    """
    leak = 1 / net.tau_mem.astype(np.float64)
    if options.equal_tau:
        leak = np.full_like(leak, leak.mean())
    report = {"step": "I", "edges": options.edges}
    if options.edges == "weights":
        coupling = net.w_rec.astype(np.float64)
    else:
        coupling, seen = _lyapunov_edges(net, seed, options)
        report |= seen
    if options.deflate:
        coupling = deflated(coupling, leak, options.margin, options.deflate)
    a, scale = stable_system(coupling, leak, options.margin)
    if options.symmetric:
        a = dominant_system(a)
    rates = decay_rates(a)
    covariance = stationary_covariance(a, rates=rates)
    report |= what_the_rule_sees(net, a, covariance)
    own = np.diag(np.diag(covariance))
    score = noise_score(a, covariance if options.covariance else own)
    p = np.zeros(net.w_rec.shape)
    p[net.mask_rec] = keep_probabilities(score[net.mask_rec], keep, _blocks(net, options))
    report |= {"scale": scale, "margin": options.margin * float(leak.min()), "abscissa": rates[0]}
    return p, a, report


def noise_prune(
    net: Network, keep: float, seed: int, options: NoiseOptions
) -> tuple[Network, dict]:
    """Keep a fraction ``keep`` of the synapses by the noise rule; return network and report.

    With ``iterations`` in as many cuts, down to ``keep^(k / iterations)``. It stops when the
    fraction is reached. The report is that of the first cut, ``cuts`` the count of synapses after
    each.
    """
    whole, now, cuts, first = net.synapses, net, [], {}
    keep_count(whole, keep)
    for k in range(1, options.iterations + 1):
        left = max(1, round(whole * keep ** (k / options.iterations)))
        now, report = _cut(now, min(left / now.synapses, 1.0), seed + 1000 * (k - 1), options)
        first, cuts = first or report, [*cuts, now.synapses]
    return now, first | {"synapses_after": now.synapses} | ({"cuts": cuts} if len(cuts) > 1 else {})


def _cut(net: Network, keep: float, seed: int, options: NoiseOptions) -> tuple[Network, dict]:
    p, a, report = keep_matrix(net, keep, seed, options)
    probability = p[net.mask_rec]
    mask = np.zeros_like(net.mask_rec)
    rng, group = np.random.default_rng([seed, 3]), _blocks(net, options)
    mask[net.mask_rec] = sample(probability, rng, group)
    pruned, diagonal = _apply(net, mask, p, a, options)
    report |= diagonal | {"certain": float((probability >= 1).mean())}
    report |= {"synapses_before": net.synapses, "synapses_after": pruned.synapses}
    return pruned, report


def _blocks(net: Network, options: NoiseOptions) -> np.ndarray | None:
    """Block of each synapse, if every block is to keep the same fraction."""
    return net.blocks()[net.mask_rec] if options.by_layer else None


def spectrum_steps(neurons: int) -> int:
    """Steps that the spectrum of step I averages: 200, beyond 600 neurons fewer, at least 40."""
    return max(40, min(200, 120_000 // neurons))


def _lyapunov_edges(net: Network, seed: int, o: NoiseOptions) -> tuple[np.ndarray, dict]:
    steps = o.steps or spectrum_steps(net.neurons)
    drive = {"noise": o.noise, "slope": o.slope, "reset": o.reset}
    found = network_spectrum(net, seed=seed, steps=steps, **drive)
    local = found.of_coordinates()
    size = np.abs(local)
    floor = o.floor * float(np.median(size))
    coupling = edge_matrix(net, np.maximum(size, floor), o.neighbourhood)
    values = np.abs(coupling[net.mask_rec])
    return coupling, {
        "largest_exponent": float(found.exponents[0]),
        "smallest_exponent": float(found.exponents[-1]),
        "positive_exponents": int((found.exponents > 0).sum()),
        "rate": found.rate,
        "floored": int((size < floor).sum()),
        # 1: the exponents are the leaks, the coupling hardly moves them (docs/lnp.md).
        "leak_correlation": _correlation(size, 1 / net.tau_mem),
        # 0 on a complete graph: every union is the whole network (docs/lnp.md).
        "edge_spread": float(values.std() / values.mean()) if values.size else 0.0,
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation; 0 if either does not vary."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def _apply(
    net: Network, mask: np.ndarray, p: np.ndarray, a: np.ndarray, o: NoiseOptions
) -> tuple[Network, dict]:
    """Cut synapses; depending on options, rescale the rest and move the diagonal."""
    inverse = np.divide(1.0, p, out=np.zeros_like(p), where=mask & (p > 0))
    weights = net.w_rec * (inverse if o.rescale else mask)
    tau, changed = net.tau_mem, 0
    if o.compensate:
        off = np.abs(a - np.diag(np.diag(a)))
        left = off * (inverse if o.rescale else mask)
        leak = 1 / tau + (left - off).sum(axis=1)
        # A leak must be above 0: tau stays between one step and ten times its old value.
        tau, free = np.clip(1 / np.where(leak > 0, leak, 1e-9), 1.0, 10 * tau), 1 / tau
        changed = int((np.abs(1 / tau - free) > 1e-9).sum())
    return replace(net, w_rec=weights, mask_rec=mask, tau_mem=tau), {"tau_changed": changed}
