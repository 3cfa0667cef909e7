import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

from triodia.prune.covariance import _inner, stationary_covariance
from triodia_hw.errors import TriodiaError


def stable(n, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((n, n)) / np.sqrt(n)
    return -np.diag(np.geomspace(1 / spread, 1, n)) + 0.3 * (basis - basis.T)


@pytest.mark.parametrize("n", [1, 2, 17, 60])
@pytest.mark.parametrize("spread", [1.0, 1e3, 1e6])
def test_against_scipy(n, spread):
    a = stable(n, n, spread)
    c = stationary_covariance(a, 0.7)
    oracle = solve_continuous_lyapunov(a, -0.49 * np.eye(n))
    assert c == pytest.approx(oracle, rel=1e-6, abs=1e-8 * np.abs(oracle).max())
    assert np.array_equal(c, c.T)
    assert np.linalg.eigvalsh(c).min() > 0


def test_ill_conditioned_and_not_normal():
    # Rates over six decades and a shear: the eigenvectors have condition about 1e3.
    a = np.diag(-np.geomspace(1e-6, 1, 8)) + np.diag(np.full(7, 0.01), 1)
    c = stationary_covariance(a)
    residual = a @ c + c @ a.T + np.eye(8)
    scale = np.abs(a).max() * np.abs(c).max()
    assert np.abs(residual).max() < 1e-12 * scale
    oracle = solve_continuous_lyapunov(a, -np.eye(8))
    assert c == pytest.approx(oracle, rel=1e-5, abs=1e-8 * np.abs(oracle).max())


def test_simulated_noise_has_this_covariance():
    a = np.array([[-1.0, 0.5], [-0.2, -0.5]])
    rng, dt, x, total = np.random.default_rng(0), 0.05, np.zeros((4000, 2)), 0.0
    from scipy.linalg import expm

    step = expm(a * dt)
    c = stationary_covariance(a)
    # Exact discretisation of the same process: noise covariance C - E C E^T.
    root = np.linalg.cholesky(np.eye(2) * dt + (a + a.T) * dt**2 / 2)
    for _ in range(400):
        x = x @ step.T + rng.standard_normal(x.shape) @ root.T
    total = x.T @ x / len(x)
    assert total == pytest.approx(c, abs=0.06)


def test_unstable_is_refused():
    with pytest.raises(TriodiaError, match=r"^A must be stable, not with spectral abscissa 0\.1;"):
        stationary_covariance(np.diag([-1.0, 0.1]))
    with pytest.raises(ValueError, match=r"^A must be a finite square matrix"):
        stationary_covariance(np.zeros((2, 3)))


def test_inner_products_of_large_matrices_keep_their_digits():
    """As a float32 dot of 4 million terms does not: GMRES would stand still at 5,000 neurons."""
    x = np.random.default_rng(0).random((2000, 2000), dtype=np.float32)
    assert _inner(x, x) == pytest.approx(float((x.astype(np.float64) ** 2).sum()), rel=1e-6)
