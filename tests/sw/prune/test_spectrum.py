from dataclasses import replace

import numpy as np
import pytest

from triodia.network.random import new_network
from triodia.prune.spectrum import _Driven, lyapunov_spectrum, network_spectrum
from triodia_hw.errors import TriodiaError


def lorenz(dt):
    """RK4 step of Lorenz 1963 (10, 28, 8/3) and of its tangent, as one system."""

    def flow(x, q):
        a, b, c = x
        jacobian = np.array([[-10, 10, 0], [28 - c, -1, -a], [b, a, -8 / 3]])
        return np.array([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c]), jacobian @ q

    def advance(x, q):
        k1, m1 = flow(x, q)
        k2, m2 = flow(x + dt / 2 * k1, q + dt / 2 * m1)
        k3, m3 = flow(x + dt / 2 * k2, q + dt / 2 * m2)
        k4, m4 = flow(x + dt * k3, q + dt * m3)
        return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4), q + dt / 6 * (m1 + 2 * m2 + 2 * m3 + m4)

    return advance


def test_lorenz():
    # Sprott (2003), Chaos and Time-Series Analysis: 0.9056, 0, -14.5723 per time unit.
    dt, options = 0.01, {"steps": 20_000, "transient": 1000}
    found = lyapunov_spectrum(lorenz(dt), np.array([1.0, 1.0, 20.0]), **options)
    assert found.exponents / dt == pytest.approx([0.9056, 0, -14.5723], abs=0.03)
    # Exact: the divergence of the flow is -(10 + 1 + 8/3) everywhere.
    assert found.exponents.sum() / dt == pytest.approx(-13.6667, abs=1e-3)


def test_linear_map_has_log_moduli_of_eigenvalues():
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((5, 5))
    j = basis @ np.diag([1.5, 0.9, -0.5, 0.2, 0.05]) @ np.linalg.inv(basis)
    found = lyapunov_spectrum(lambda x, q: (x, j @ q), np.zeros(5), steps=2000)
    assert found.exponents == pytest.approx(np.log([1.5, 0.9, 0.5, 0.2, 0.05]), abs=1e-6)
    two = lyapunov_spectrum(lambda x, q: (x, j @ q), np.zeros(5), steps=2000, leading=2, interval=4)
    assert two.exponents == pytest.approx(np.log([1.5, 0.9]), abs=1e-6)


def test_products_of_gaussian_matrices():
    # Newman (1986): iid N(0, g^2 / n) matrices, a random rate network that forgets its state in a
    # step, have exponents log g + (log(2 / n) + digamma((n - k + 1) / 2)) / 2, k = 1..n.
    n, g, rng = 20, 1.7, np.random.default_rng(1)

    def advance(x, q):
        return x, g / np.sqrt(n) * rng.standard_normal((n, n)) @ q

    from scipy.special import digamma

    k = np.arange(1, n + 1)
    known = np.log(g) + (np.log(2 / n) + digamma((n - k + 1) / 2)) / 2
    found = lyapunov_spectrum(advance, np.zeros(n), steps=8000)
    assert found.exponents == pytest.approx(known, abs=0.05)
    assert found.exponents[0] == pytest.approx(known[0], abs=0.01)


def test_place_of_an_exponent():
    # Uncoupled coordinates: each has its own exponent.
    rates = np.array([0.3, 0.9, 0.6])
    found = lyapunov_spectrum(lambda x, q: (x, rates[:, None] * q), np.zeros(3), steps=500)
    assert found.of_coordinates() == pytest.approx(np.log(rates), abs=1e-3)
    assert found.participation.sum(axis=0) == pytest.approx(np.ones(3))


@pytest.mark.parametrize("tau_syn_mean", [None, 5.0])
def test_without_synapses_only_the_leaks_are_left(tau_syn_mean):
    net = new_network(8, 0, tau_syn_mean=tau_syn_mean)
    net = replace(net, w_rec=np.zeros((8, 8)))
    found = network_spectrum(net, steps=400)
    leaks = [-1 / net.tau_mem] + ([] if tau_syn_mean is None else [-1 / net.tau_syn])
    known = -np.sort(-np.concatenate(leaks))
    # Crossing of close exponents converges slowly, hence the tolerance.
    assert found.exponents == pytest.approx(known, abs=0.01)
    assert found.exponents.sum() == pytest.approx(known.sum(), abs=1e-6)


@pytest.mark.parametrize("tau_syn_mean", [None, 5.0])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("with_reset", [False, True])
def test_jacobian_against_differences_of_the_smooth_map(reset, tau_syn_mean, with_reset):
    """Where the spike is replaced by the surrogate's integral, differences must give J."""
    net = new_network(6, 1, tau_syn_mean=tau_syn_mean, reset=reset)
    dimension = 6 if tau_syn_mean is None else 12
    x = np.random.default_rng(2).normal(0.9, 0.5, dimension)
    _, jacobian = _Driven(net, 0.5, 4.0, with_reset, 0)(x, np.eye(dimension))
    fired = (x[:6] >= 1).astype(float)

    def smooth(y):
        d = y[:6] - 1  # thresholds are 1; F(0) = 0 and F' is the surrogate
        s = fired + d / (4 * np.abs(d) + 1) - (x[:6] - 1) / (4 * np.abs(x[:6] - 1) + 1)
        r = s if with_reset else fired
        after = y[:6] * (1 - r) if reset == "zero" else y[:6] - r
        a = net.w_rec @ s
        beta = np.exp(-1 / net.tau_mem.astype(float))
        if tau_syn_mean is None:
            return beta * after + a
        u = np.exp(-1 / net.tau_syn.astype(float)) * y[6:] + a
        return np.concatenate([beta * after + u, u])

    h = 1e-6
    for column, unit in zip(jacobian.T, np.eye(dimension), strict=True):
        slope = (smooth(x + h * unit) - smooth(x - h * unit)) / (2 * h)
        assert column == pytest.approx(slope, abs=1e-5)


def test_network_spectrum_report():
    net = new_network(30, 0, tau_syn_mean=4.0)
    a, b = network_spectrum(net, seed=5, steps=40), network_spectrum(net, seed=5, steps=40)
    assert np.array_equal(a.exponents, b.exponents)
    assert a.exponents.shape == (60,) and a.participation.shape == (30, 60)
    assert a.participation.sum(axis=1) == pytest.approx(np.ones(30))
    assert a.of_coordinates().sum() == pytest.approx(a.exponents.sum() / 2)
    assert 0 < a.rate < 1
    assert np.all(np.diff(a.exponents) <= 0)


def test_refusals():
    with pytest.raises(ValueError, match=r"^leading must be in 1\.\.3, not 4$"):
        lyapunov_spectrum(lambda x, q: (x, q), np.zeros(3), steps=5, leading=4)
    with pytest.raises(ValueError, match=r"^steps must be at least the interval 4, not 2$"):
        lyapunov_spectrum(lambda x, q: (x, q), np.zeros(3), steps=2, interval=4)
    with pytest.raises(TriodiaError, match=r"^noise and slope must be above 0$"):
        network_spectrum(new_network(4, 0), noise=0)
