"""Lyapunov spectra by QR iteration, and the spectrum of a noise-driven spiking network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dtrsm, strsm
from scipy.linalg.lapack import spotrf

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from .products import EXACT, Product

__all__ = [
    "Spectrum",
    "lyapunov_spectrum",
    "mean_square_slopes",
    "network_spectrum",
    "orthonormal",
]

Advance = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Spectrum:
    """Lyapunov exponents, and their distribution over coordinates.

    Parameters
    ----------
    exponents : ``(k,)`` per step, descending.
    participation : ``(dimension, k)`` time average of the squared components of the orthonormal
        vectors; columns sum to 1, and rows too when ``k`` is the dimension.
    steps : steps averaged over.
    rate : mean spikes per neuron and step of the driven network, NaN for other systems.
    """

    exponents: np.ndarray
    participation: np.ndarray
    steps: int
    rate: float = float("nan")

    def of_coordinates(self) -> np.ndarray:
        """Exponent per coordinate: ``lambda_i = sum_k lambda_k <q_ik^2> / sum_k <q_ik^2>``."""
        return self.participation @ self.exponents / self.participation.sum(axis=1)


def orthonormal(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``Q, R`` of ``v`` ``(n, k)`` by Cholesky's factor of ``v^T v``: matrix products throughout.

    Orthogonal to about ``cond(v)^2`` times the rounding of ``v``'s type. Where the diagonal of
    ``R`` spans more than four decades (float32: 200), or ``v^T v`` is not positive definite,
    Householder's QR takes over.
    """
    single = v.dtype == np.float32
    try:
        r = _single_factor(v.T @ v) if single else np.linalg.cholesky(v.T @ v).T
    except np.linalg.LinAlgError:
        return np.linalg.qr(v)
    size = np.diag(r)
    if not size.min() > (5e-3 if single else 1e-4) * size.max():
        return np.linalg.qr(v)
    # Q^T = R^-T V^T; the transpose of a C-ordered array is what BLAS takes without a copy.
    return (strsm if single else dtrsm)(
        1.0, np.asfortranarray(r), v.T, side=0, lower=0, trans_a=1
    ).T, r


def _single_factor(gram: np.ndarray) -> np.ndarray:
    """Cholesky's ``R`` of a float32 matrix; LAPACK's own routine takes a third of numpy's time."""
    r, failed = spotrf(gram.T, lower=0)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    return r


def lyapunov_spectrum(
    advance: Advance,
    state: np.ndarray,
    *,
    steps: int,
    transient: int = 100,
    leading: int | None = None,
    interval: int = 1,
    seed: int = 0,
    factor: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] = orthonormal,
    start: np.ndarray | None = None,
) -> Spectrum:
    """Lyapunov exponents of a map by QR iteration (Benettin et al. 1980).

    ``advance(x, Q)`` returns the next state and ``J(x) Q``. After ``transient`` steps, the mean of
    ``log |R_kk|`` over ``steps`` is taken; vectors are made orthonormal every ``interval`` steps
    (larger is faster, but rounding then hides small exponents). ``leading``: number of exponents,
    all by default. ``factor`` returns ``Q, R``; ``numpy.linalg.qr`` is the plain alternative.
    ``start`` ``(dimension, count)``: the first orthonormal vectors, by default random and float64.
    """
    dimension = state.size
    count = dimension if leading is None else leading
    if not 1 <= count <= dimension:
        raise ValueError(f"leading must be in 1..{dimension}, not {leading!r}")
    if steps < interval or interval < 1:
        raise ValueError(f"steps must be at least the interval {interval}, not {steps!r}")
    x = np.asarray(state, np.float64)
    q = _random_vectors(dimension, count, seed) if start is None else start
    growth, place = np.zeros(count), np.zeros((dimension, count))
    warm, rounds = -(-transient // interval), steps // interval
    for turn in range(warm + rounds):
        for _ in range(interval):
            x, q = advance(x, q)
        q, r = factor(q)
        if turn >= warm:
            # A direction that is wiped out exactly has exponent -inf; the floor keeps sums finite.
            growth += np.log(np.maximum(np.abs(np.diag(r)), 1e-300))
            place += q**2
    exponents = growth / (rounds * interval)
    order = np.argsort(-exponents)
    return Spectrum(exponents[order], place[:, order] / rounds, rounds * interval)


def _random_vectors(dimension: int, count: int, seed: int) -> np.ndarray:
    """Orthonormal columns ``(dimension, count)``."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, count)))[0]


class _Driven:
    """Noise-driven network as a map of the potential before reset (and the synaptic current).

    With ``x`` the potential before reset, ``s = [x >= threshold]`` and white noise ``xi``::

        u' = alpha u + W s            (u' = W s without synaptic current)
        x' = beta (x - threshold s) + u' + bias + xi       (reset "zero": beta x (1 - s))

    The Jacobian replaces ``ds/dx`` by ``1 / (threshold (slope |x / threshold - 1| + 1)^2)`` and,
    unless ``reset``, leaves the derivative of the reset out. ``fast``: the weights
    multiply the vectors as a sparse matrix, and the vectors are float32 unless the reset may wipe
    a direction out, which float32 would hide. The state stays as it is.
    """

    def __init__(
        self,
        net: Network,
        noise: float,
        slope: float,
        reset: bool,
        seed: int,
        fast: bool = False,
    ) -> None:
        self.net, self.slope, self.reset = net, slope, reset
        self.rng = np.random.default_rng([seed, 2])
        self.w, self.threshold = net.w_rec.astype(np.float64), net.threshold.astype(np.float64)
        self.beta = np.exp(-1.0 / net.tau_mem.astype(np.float64))
        self.alpha = None if net.tau_syn is None else np.exp(-1.0 / net.tau_syn.astype(np.float64))
        # Alone, a neuron would fluctuate with a standard deviation of noise * threshold.
        self.sigma = noise * self.threshold * np.sqrt(1 - self.beta**2)
        self.spikes, self.calls = 0.0, 0
        wipes = reset or net.reset == "zero"
        self.kind = np.float32 if fast and not wipes else np.float64
        self.product = Product(self.w.astype(self.kind)) if fast else None

    def axes(self) -> np.ndarray:
        """All axes of the state, the slowest variable's first: already close to the vectors."""
        decay = self.beta if self.alpha is None else np.concatenate([self.beta, self.alpha])
        return np.eye(len(decay), dtype=self.kind)[:, np.argsort(-decay, kind="stable")]

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Surrogate derivative of the spikes at potentials ``x`` ``(N,)``."""
        return 1 / (self.threshold * (self.slope * np.abs(x / self.threshold - 1) + 1) ** 2)

    def __call__(self, state: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, zero = self.net.neurons, self.net.reset == "zero"
        x, beta = state[:n], self.beta
        s = (x >= self.threshold).astype(np.float64)
        slope = self.slopes(x)
        after = x * (1 - s) if zero else x - self.threshold * s
        factor = 1 - s if zero else np.ones(n)
        if self.reset:
            factor = factor - (x if zero else self.threshold) * slope
        a = self.w @ s
        if self.product:
            q = np.ascontiguousarray(q)  # sums of unlike orders are slow
            qa = self.product(q[:n], slope)
        else:
            qa = self.w @ (slope[:, None] * q[:n])
        if self.alpha is not None:
            a, qa = a + self.alpha * state[n:], qa + self._column(self.alpha, q) * q[n:]
        noise = self.sigma * self.rng.standard_normal(n)
        x = beta * after + a + self.net.bias + noise
        qx = self._column(beta * factor, q) * q[:n] + qa
        self.spikes, self.calls = self.spikes + s.mean(), self.calls + 1
        if self.alpha is None:
            return x, qx
        return np.concatenate([x, a]), np.concatenate([qx, qa])

    def _column(self, values: np.ndarray, q: np.ndarray) -> np.ndarray:
        """``values`` ``(N,)`` as a column in the type of ``q``."""
        return values.astype(q.dtype)[:, None]


def network_spectrum(
    net: Network,
    *,
    seed: int = 0,
    steps: int = 200,
    transient: int | None = None,
    noise: float = 1.0,
    slope: float = 10.0,
    reset: bool = False,
    interval: int | None = None,
    leading: int | None = None,
    factor: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] = orthonormal,
    fast: bool | None = None,
) -> Spectrum:
    """Spectrum of the recurrent part, driven by white noise, with surrogate Jacobians.

    Spikes are hard in the forward run; the Jacobian's form follows surrogate gradient flossing
    (see ``_Driven``). ``noise`` is the standard deviation, in thresholds, that the noise alone
    gives the potential. Refractory steps, adaptation and delays are not modelled: thresholds stay,
    and every synapse acts in the next step.
    ``participation`` has one row per neuron; with a synaptic current, both rows of a neuron are
    averaged, so rows still sum to 1.

    Vectors are float64 and made orthonormal every second step, after 50 transient ones, but no more
    than ``steps``. ``fast``,
    by default beyond 600 neurons: float32 and every fourth step, unless spikes reset to 0 or
    ``reset``. If all exponents are asked for, vectors then start from the axes, so that 16
    transient steps do.
    """
    if noise <= 0 or slope <= 0:
        raise TriodiaError("noise and slope must be above 0")
    fast = net.neurons > EXACT if fast is None else fast
    system = _Driven(net, noise, slope, reset, seed, fast)
    variables = net.neurons * (1 if net.tau_syn is None else 2)
    interval = interval or (4 if system.kind is np.float32 else 2)
    whole = leading is None
    if transient is None:
        transient = min(16 if fast and whole else 50, steps)
    options = {"steps": steps, "transient": transient, "interval": interval, "leading": leading}
    if fast:
        random = None if whole else _random_vectors(variables, leading, seed)
        options["start"] = system.axes() if whole else random.astype(system.kind)
    found = lyapunov_spectrum(system, np.zeros(variables), seed=seed, factor=factor, **options)
    place = found.participation.reshape(-1, net.neurons, found.exponents.size).mean(axis=0)
    return Spectrum(found.exponents, place, found.steps, float(system.spikes / system.calls))


def mean_square_slopes(net: Network, seed: int, *, steps: int = 200) -> np.ndarray:
    """Mean square of each neuron's surrogate derivative over a noise-driven run, ``(N,)``."""
    driven, total = _Driven(net, 1.0, 10.0, False, seed), np.zeros(net.neurons)
    state = np.zeros(net.neurons * (1 if net.tau_syn is None else 2))
    for _ in range(steps):
        state, _ = driven(state, np.zeros((state.size, 1)))
        total += driven.slopes(state[: net.neurons]) ** 2
    return total / steps
