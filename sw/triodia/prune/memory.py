"""Linear memory of a recurrent network: how well its spikes tell what came before."""

import numpy as np

from ..network.network import Network

__all__ = ["memory_and_rate", "recalled"]

_STEPS, _LAGS, _TAU = 1200, 20, 3.0


def recalled(spikes: np.ndarray, signal: np.ndarray, lags: int, tau: float = _TAU) -> float:
    """Memory capacity (Jaeger 2001) of ``spikes`` ``(T, N)`` for ``signal`` ``(T,)``.

    Ridge regression on the spikes' traces (time constant ``tau`` steps) recalls the signal of ``k``
    = 1..``lags`` steps ago; it is fitted on the first half and judged on the second. The capacity
    is the sum of the squared correlations, ``0 .. lags``.
    """
    trace = np.zeros(spikes.shape)
    for t in range(1, len(spikes)):
        trace[t] = trace[t - 1] * np.exp(-1 / tau) + spikes[t]
    seen = np.hstack([trace, np.ones((len(trace), 1))])[lags:]
    end = len(signal)
    asked = np.stack([signal[lags - k : end - k] for k in range(1, lags + 1)], axis=1)
    half = len(seen) // 2
    gram = seen[:half].T @ seen[:half] + np.eye(seen.shape[1])
    told = seen[half:] @ np.linalg.solve(gram, seen[:half].T @ asked[:half])
    varied = told.std(axis=0) > 1e-6
    pairs = zip(told[:, varied].T, asked[half:][:, varied].T, strict=True)
    return float(sum(np.corrcoef(a, b)[0, 1] ** 2 for a, b in pairs))


def memory_and_rate(net: Network, seed: int) -> tuple[float, float]:
    """Memory capacity of ``net`` for uniform noise into all neurons, and spikes a neuron and step.

    The noise reaches each neuron with a random weight and gives its potential a standard deviation
    of one threshold. The network runs 1,200 steps without synaptic current, refractory steps and
    adaptation; 20 lags count.
    """
    rng = np.random.default_rng([seed, 21])
    signal = rng.uniform(-1, 1, _STEPS)
    beta = np.exp(-1 / net.tau_mem.astype(np.float64))
    weight = rng.standard_normal(net.neurons) * net.threshold * np.sqrt(3 * (1 - beta**2))
    w, v, s = net.w_rec.astype(np.float64), np.zeros(net.neurons), np.zeros(net.neurons)
    spikes = np.zeros((_STEPS, net.neurons))
    for t in range(_STEPS):
        v = beta * v + w @ s + net.bias + weight * signal[t]
        s = (v >= net.threshold).astype(np.float64)
        v, spikes[t] = v - s * net.threshold, s
    return recalled(spikes, signal, _LAGS), float(spikes.mean())
