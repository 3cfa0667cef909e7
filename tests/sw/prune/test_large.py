"""Ways that only large networks take, on small ones: float32, sparse products, GMRES."""

import numpy as np
import pytest

from tests.support.commands import ok
from triodia.network.random import new_network
from triodia.prune import covariance, measures, products, step1
from triodia.prune.covariance import largest_eigenvalue, stationary_covariance
from triodia.prune.pipeline import prune
from triodia.prune.products import Product
from triodia.prune.spectrum import network_spectrum, orthonormal
from triodia.prune.step1 import edge_matrix, stable_system


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("density", "sparse"), [(0.1, True), (0.15, True), (0.6, False)])
def test_products_are_those_of_dense_matrices(kind, density, sparse):
    rng = np.random.default_rng(0)
    w = (rng.random((70, 70)) < density) * rng.standard_normal((70, 70))
    w[3] = 0  # a neuron without synapses
    product = Product(w.astype(kind))
    assert (product.rows is not None) == sparse
    scale = rng.random(70)
    for q in (rng.standard_normal((70, 300)), rng.standard_normal((300, 70)).T):
        found = product(q, scale)
        assert found.dtype == kind
        assert found == pytest.approx(w @ (scale[:, None] * q), abs=3e-5)
    assert product(q) == pytest.approx(w @ q, abs=3e-5)


def test_without_numba_products_are_dense(monkeypatch):
    monkeypatch.setattr(products, "_compiled", lambda: False)
    assert Product(np.eye(20)).rows is None


@pytest.mark.parametrize("spread", [1.0, 1e-3])
def test_single_precision_vectors_are_orthonormal(spread):
    v = np.random.default_rng(0).standard_normal((40, 40)).astype(np.float32)
    v[:, 7] *= spread  # so small that Householder's QR takes over
    q, r = orthonormal(v)
    assert q.dtype == np.float32
    assert q.T @ q == pytest.approx(np.eye(40), abs=1e-3 if spread == 1 else 1e-5)
    assert q @ r == pytest.approx(v, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"tau_syn_mean": 4.0}, {"reset": "zero"}])
def test_fast_spectrum_is_the_exact_one(options):
    net = new_network(80, 0, density=0.15, **options)
    # A reset to 0 may wipe a direction out, which every fourth step hides.
    run = {"steps": 80, "interval": 2 if "reset" in options else 4, "transient": 16}
    fast, exact = (network_spectrum(net, fast=k, leading=20, **run) for k in (True, False))
    assert fast.exponents == pytest.approx(exact.exponents, abs=1e-4)
    assert fast.participation == pytest.approx(exact.participation, abs=2e-3)
    assert fast.rate == exact.rate
    # From other first vectors: the volume shrinks alike, and neurons' exponents soon are.
    fast, exact = (network_spectrum(net, fast=k, **run) for k in (True, False))
    assert fast.exponents.sum() == pytest.approx(exact.exponents.sum(), rel=1e-4)
    local = fast.of_coordinates(), exact.of_coordinates()
    assert np.corrcoef(*local)[0, 1] > 0.98


def _system(**options):
    net = new_network(90, 1, density=0.2, **options)
    leak = 1 / net.tau_mem.astype(float)
    return stable_system(edge_matrix(net, leak), leak, 0.1)[0]


def test_covariance_by_gmres_is_that_by_smith(monkeypatch):
    a = _system()
    exact, greatest = stationary_covariance(a, 0.7), largest_eigenvalue(a + a.T)
    monkeypatch.setattr(covariance, "EXACT", 20)
    with monkeypatch.context() as patch:  # no way out
        patch.setattr(np.linalg, "inv", lambda a: pytest.fail("Smith's iteration ran"))
        found = stationary_covariance(a, 0.7)
    assert found == pytest.approx(exact, abs=2e-6 * np.abs(exact).max())
    assert largest_eigenvalue(a + a.T) == pytest.approx(greatest, rel=1e-9)
    monkeypatch.setattr(covariance, "_BASIS", 2)  # too few to converge
    assert stationary_covariance(a, 0.7) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_a_large_network_keeps_the_synapses_of_an_exact_step(monkeypatch):
    net = new_network(120, 0, density=0.3)
    exact, _ = prune(net, steps=("I",))
    for module in (step1, covariance):
        monkeypatch.setattr(module, "EXACT", 50)
    monkeypatch.setattr("triodia.prune.spectrum.EXACT", 50)
    fast, report = prune(net, steps=("I",))
    both = (fast.mask_rec & exact.mask_rec).sum()
    assert fast.synapses == exact.synapses and both > 0.99 * exact.synapses
    assert report["passes"][0]["largest_exponent"] < 0


def test_large_networks_are_measured_when_asked(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("triodia.cli.prune._MEASURED", 20)
    net, out = tmp_path / "a.net", tmp_path / "b.net"
    ok(capsys, "new", "--neurons", 30, "--density", 0.5, "-o", net)
    run = ("prune", net, "-o", out, "--method", "magnitude", "--steps", "I")
    assert "before" not in ok(capsys, *run)["report"]["passes"][0]
    assert "before" in ok(capsys, *run, "--measures")["report"]["passes"][0]
    monkeypatch.setattr("triodia.cli.prune._MEASURED", 40)
    assert "before" in ok(capsys, *run)["report"]["passes"][0]
    assert "before" not in ok(capsys, *run, "--no-measures")["report"]["passes"][0]


def test_localisation_of_a_sample_is_close(monkeypatch):
    net = new_network(200, 0, density=0.3)
    whole = measures.localisation(net)
    monkeypatch.setattr(measures, "_LARGEST", 120)
    assert measures.localisation(net) == pytest.approx(whole, rel=0.05)
