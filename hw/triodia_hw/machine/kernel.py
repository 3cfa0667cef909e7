"""The contract's time step as a loop that numba compiles; see :mod:`triodia_hw.machine.trace`.

Equal to ``Reference.step`` and ``LIF.step`` by test, and written from docs/contract.md like them.
"""

import numba
import numpy as np

__all__ = ["run"]

_jit = numba.njit(cache=True, nogil=True)


@_jit
def _decay(x: int, c: int, k: int) -> int:
    """``x * c / 2**k``, rounded toward zero; without a branch, so that the loop is vectorised."""
    product = x * c
    return (product + ((product >> 63) & ((1 << k) - 1))) >> k


@_jit
def _add_row(a: np.ndarray, graph: tuple, source: int, payload: int) -> int:
    """Add the row of ``source`` times ``payload`` to the sums ``a``; how many synapses it has."""
    row_start, target, weight = graph
    first, end = row_start[source], row_start[source + 1]
    for k in range(first, end):
        a[target[k]] += weight[k] * payload
    return np.int64(end - first)


@_jit
def _integrate(a: np.ndarray, state: tuple, neurons: tuple, how: tuple) -> None:
    """Potentials before spikes into ``state[0]``, currents into ``state[1]``; clears the sums."""
    _, beta, alpha, _, _, bias, rho, _, _ = neurons
    (_, _, k, low, high), (synaptic, _, _, _, adaptive), _ = how
    v, u, r, b = state
    if synaptic:
        for i in range(len(a)):
            u[i] = min(max(_decay(u[i], alpha[i], k) + a[i], low), high)
            a[i] = u[i]
    if adaptive:
        for i in range(len(a)):
            b[i] = _decay(b[i], rho[i], k)
    for i in range(len(a)):
        x = min(max(_decay(v[i], beta[i], k) + a[i] + bias[i], low), high)
        v[i] = v[i] if r[i] > 0 else x
        a[i] = 0


@_jit
def _fire(state: tuple, neurons: tuple, how: tuple, fires: np.ndarray) -> None:
    """Reset the neurons that spike and mark them in ``fires``."""
    threshold, _, _, reset_value, refractory, _, _, jump, spiking = neurons
    _, by_value, above, resting, adaptive = how[1]
    high = how[0][4]
    v, _, r, b = state
    for i in range(len(v)):
        fires[i] = (v[i] >= threshold[i] + b[i] + above) & spiking[i] & (r[i] <= 0)
    for i in range(len(v)):
        after = reset_value[i] if by_value else v[i] - threshold[i]
        v[i] = after if fires[i] else v[i]
    if resting:
        for i in range(len(v)):
            rest = refractory[i]
            r[i] = rest if fires[i] else max(r[i] - 1, 0)
    if adaptive:
        for i in range(len(v)):
            rise = min(b[i] + jump[i], high)
            b[i] = rise if fires[i] else b[i]


@_jit
def _list(fires: np.ndarray, sent: np.ndarray) -> int:
    """Put the places of the set ``fires`` into ``sent``, which has one place more; how many."""
    fired = 0
    for i in range(len(fires)):
        sent[fired] = i  # a branch that cannot be foretold would cost more
        fired += fires[i]
    return fired


@_jit
def run(
    events: tuple, graph: tuple, neurons: tuple, readout: np.ndarray, how: tuple, out: tuple
) -> None:
    """Run all steps from reset and fill ``out``; arguments as ``trace`` packs them."""
    start, channel, payload = events
    spikes, readouts, sops, arriving, kept = out
    inputs, one, delays = how[0][0], how[0][1], how[2]
    count = len(neurons[0])
    zero = np.zeros((4, count), np.int64)
    state = zero[0], zero[1], zero[2], zero[3]  # v, u, r, b; a tuple, so that loops are vectorised
    a, fired, sent = np.zeros(count, np.int64), 0, np.zeros(count + 1, np.int64)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            sops[t] += _add_row(a, graph, channel[e], payload[e])
        for e in range(fired):
            sops[t] += _add_row(a, graph, inputs + sent[e], one)
        arriving[t] = start[t + 1] - start[t] + fired
        for group in range(len(delays)):
            first, past = (group + 1) * (inputs + count), t - delays[group]
            if past >= 0:
                for e in range(start[past], start[past + 1]):
                    sops[t] += _add_row(a, graph, first + channel[e], payload[e])
                arriving[t] += start[past + 1] - start[past]
            if past >= 1:
                fired = _list(spikes[past - 1], sent)
                for e in range(fired):
                    sops[t] += _add_row(a, graph, first + inputs + sent[e], one)
                arriving[t] += fired
        _integrate(a, state, neurons, how)
        _fire(state, neurons, how, spikes[t])
        fired = _list(spikes[t], sent)
        for k in range(len(readout)):
            readouts[t, k] = state[0][readout[k]]
        if kept.shape[1]:
            kept[:, t] = zero
