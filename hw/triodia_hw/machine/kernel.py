"""The contract's time step as a loop that numba compiles; see :mod:`triodia_hw.machine.trace`.

Equal to ``Reference.step`` and ``LIF.step`` by test, and written from docs/contract.md like them.
"""

import numba
import numpy as np

__all__ = ["run"]

_jit = numba.njit(cache=True, nogil=True)


@_jit
def _clip(x: int, low: int, high: int) -> int:
    return low if x < low else min(x, high)


@_jit
def _decay(x: int, c: int, k: int) -> int:
    """``x * c / 2**k``, rounded toward zero."""
    product = x * c
    return product >> k if product >= 0 else -((-product) >> k)


@_jit
def _add_row(a: np.ndarray, graph: tuple, source: int, payload: int) -> int:
    """Add a source's row times ``payload`` to the sums ``a``; how many synapses that took."""
    row_start, target, weight = graph
    for k in range(row_start[source], row_start[source + 1]):
        a[target[k]] += weight[k] * payload
    return row_start[source + 1] - row_start[source]


@_jit
def _update(i: int, a: int, state: np.ndarray, neurons: tuple, how: tuple) -> bool:
    """Advance neuron ``i`` by a step; whether it spikes."""
    threshold, beta, alpha, reset_value, refractory, bias, spiking, _ = neurons
    (_, _, k, low, high), (synaptic, by_value, above) = how
    u = a
    if synaptic:
        u = _clip(_decay(state[1, i], alpha[i], k) + a, low, high)
        state[1, i] = u
    if state[2, i] > 0:
        state[2, i] -= 1
        return False
    v = _clip(_decay(state[0, i], beta[i], k) + u + bias[i], low, high)
    spike = spiking[i] and (v > threshold[i] if above else v >= threshold[i])
    if spike:
        v = reset_value[i] if by_value else v - threshold[i]
        state[2, i] = refractory[i]
    state[0, i] = v
    return spike


@_jit
def run(events: tuple, graph: tuple, neurons: tuple, how: tuple, out: tuple) -> None:
    """Run all steps from reset and fill ``out``; arguments as ``trace`` packs them."""
    start, channel, payload = events
    spikes, readouts, sops, arriving, kept = out
    inputs, one = how[0][0], how[0][1]
    count = len(neurons[0])
    state = np.zeros((3, count), np.int64)  # v, u, r
    a, fired, sent = np.zeros(count, np.int64), 0, np.zeros(count, np.int64)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            sops[t] += _add_row(a, graph, channel[e], payload[e])
        for e in range(fired):
            sops[t] += _add_row(a, graph, inputs + sent[e], one)
        arriving[t] = start[t + 1] - start[t] + fired
        fired = 0
        for i in range(count):
            if _update(i, a[i], state, neurons, how):
                spikes[t, i] = True
                sent[fired] = i
                fired += 1
            a[i] = 0
        for k in range(len(neurons[7])):
            readouts[t, k] = state[0, neurons[7][k]]
        if kept.shape[1]:
            kept[:, t] = state
