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
def _add_row(a: np.ndarray, target: np.ndarray, weight: np.ndarray, payload: int) -> None:
    """Add a source's row times ``payload`` to the sums ``a``."""
    for k in range(len(target)):
        a[target[k]] += weight[k] * payload


@_jit
def _integrate(a: np.ndarray, state: np.ndarray, neurons: tuple, how: tuple) -> None:
    """Potentials before spikes into ``state[0]``, currents into ``state[1]``; clears the sums."""
    _, beta, alpha, _, _, bias, _, _, _ = neurons
    (_, _, k, low, high), (synaptic, _, _, resting, _) = how
    v, u, r, _ = state
    for i in range(len(a)):
        current = a[i]
        if synaptic:
            current = min(max(_decay(u[i], alpha[i], k) + current, low), high)
            u[i] = current
        x = min(max(_decay(v[i], beta[i], k) + current + bias[i], low), high)
        v[i] = v[i] if resting and r[i] > 0 else x
        a[i] = 0


@_jit
def _fire(state: np.ndarray, neurons: tuple, how: tuple, sent: np.ndarray) -> int:
    """Reset the neurons that spike and list them in ``sent``; how many."""
    threshold, _, _, reset_value, refractory, _, rho, jump, spiking = neurons
    _, by_value, above, resting, adaptive = how[1]
    k, high = how[0][2], how[0][4]
    v, _, r, b = state
    fired = 0
    for i in range(len(v)):
        if adaptive:
            b[i] = _decay(b[i], rho[i], k)
        if resting and r[i] > 0:
            r[i] -= 1
        elif v[i] >= threshold[i] + b[i] + above and spiking[i]:
            v[i] = reset_value[i] if by_value else v[i] - threshold[i]
            r[i] = refractory[i]
            b[i] = min(b[i] + jump[i], high)
            sent[fired] = i
            fired += 1
    return fired


@_jit
def run(
    events: tuple, graph: tuple, neurons: tuple, readout: np.ndarray, how: tuple, out: tuple
) -> None:
    """Run all steps from reset and fill ``out``; arguments as ``trace`` packs them."""
    start, channel, payload = events
    row_start, target, weight = graph
    spikes, readouts, sops, arriving, kept = out
    inputs, one = how[0][0], how[0][1]
    count = len(neurons[0])
    state = np.zeros((4, count), np.int64)  # v, u, r, b
    a, fired, sent = np.zeros(count, np.int64), 0, np.zeros(count, np.int64)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            row = slice(row_start[channel[e]], row_start[channel[e] + 1])
            _add_row(a, target[row], weight[row], payload[e])
            sops[t] += row.stop - row.start
        for e in range(fired):
            row = slice(row_start[inputs + sent[e]], row_start[inputs + sent[e] + 1])
            _add_row(a, target[row], weight[row], one)
            sops[t] += row.stop - row.start
        arriving[t] = start[t + 1] - start[t] + fired
        _integrate(a, state, neurons, how)
        fired = _fire(state, neurons, how, sent)
        for e in range(fired):
            spikes[t, sent[e]] = True
        for k in range(len(readout)):
            readouts[t, k] = state[0, readout[k]]
        if kept.shape[1]:
            kept[:, t] = state
