"""Fast routines of LNP equal the plain ones; the benchmark and its commands."""

import json

import numpy as np
import pytest

from tests.support.commands import call, ok
from triodia.network.random import new_network
from triodia.prune import covariance
from triodia.prune.covariance import decay_rates, stationary_covariance
from triodia.prune.spectrum import network_spectrum, orthonormal
from triodia_hw.errors import CheckFailed
from triodia_studies.bench import pruning, selection
from triodia_studies.bench.pruning import STEPS, growth, measure_steps


@pytest.mark.parametrize("shape", [(5, 5), (40, 40), (40, 7), (3, 1)])
def test_cholesky_qr_is_qr(shape):
    v = np.random.default_rng(0).standard_normal(shape)
    q, r = orthonormal(v)
    assert q @ r == pytest.approx(v, abs=1e-10)
    assert q.T @ q == pytest.approx(np.eye(shape[1]), abs=1e-9)
    assert np.array_equal(r, np.triu(r)) and np.all(np.diag(r) > 0)
    _, plain = np.linalg.qr(v)
    assert np.diag(r) == pytest.approx(np.abs(np.diag(plain)))


@pytest.mark.parametrize("scale", [1e-7, 0.0])
def test_badly_conditioned_falls_back(scale):
    v = np.random.default_rng(0).standard_normal((20, 6))
    v[:, 5] = v[:, 4] + scale * v[:, 3] + 1e-9 * v[:, 5]
    q, r = orthonormal(v)
    assert q.T @ q == pytest.approx(np.eye(6), abs=1e-12) and q @ r == pytest.approx(v)


def test_spectrum_by_either_factor():
    net = new_network(60, 0, density=0.2)
    fast, plain = network_spectrum(net), network_spectrum(net, factor=np.linalg.qr)
    assert fast.exponents == pytest.approx(plain.exponents, abs=1e-10)
    assert fast.participation == pytest.approx(plain.participation, abs=1e-7)


def test_rates_by_arnoldi_are_the_eigenvalues(monkeypatch):
    net = new_network(300, 0, density=0.1)
    a = 0.03 * net.w_rec.astype(float) - np.diag(1 / net.tau_mem.astype(float))
    whole = decay_rates(a)
    monkeypatch.setattr(covariance, "EXACT", 100)
    assert decay_rates(a) == pytest.approx(whole, rel=1e-8)
    assert stationary_covariance(a) == pytest.approx(stationary_covariance(a, rates=whole))


def test_benchmark_checks_itself_against_the_libraries():
    row = measure_steps(60, library=True)
    assert set(STEPS) == set(row["steps"]) and max(row["difference"]) < 1e-6
    assert row["times_faster"] > 0 and len(row["library"]) == 3


def test_it_checks_the_covariance_of_large_networks(monkeypatch):
    for module in (covariance, pruning):
        monkeypatch.setattr(module, "EXACT", 50)
    row = measure_steps(90, library=True)
    assert 1e-12 < row["difference"][1] < 1e-5  # GMRES did it
    monkeypatch.setattr(covariance, "_TOLERANCE", 0.1)
    monkeypatch.setattr(covariance, "_SINGLE", 0.1)
    with pytest.raises(CheckFailed, match=r"^covariance: fast and plain differ by "):
        measure_steps(90, library=True)


def test_growth_is_the_slope_of_logarithms():
    rows = [
        {"neurons": n, "steps": {"spectrum": {"seconds": 1e-6 * n**2.5}}} for n in (250, 500, 1000)
    ]
    rows[0]["steps"]["spectrum"]["seconds"] = 99.0  # small sizes do not count
    assert growth(rows, "spectrum") == pytest.approx(2.5)
    assert growth(rows[:2], "spectrum") is None


def test_commands(tmp_path, capsys):
    speed = tmp_path / "speed.json"
    to = ("--library", 0, "--results", speed, "--cache", tmp_path / "cache")
    data = ok(capsys, "bench-lnp", "--neurons", "40,30", *to)
    assert [row["neurons"] for row in data["rows"]] == [30, 40]
    assert json.loads(speed.read_text())["rows"] == data["rows"]
    for wrong in ("x", "10"):
        code, _, err = call(capsys, "bench-lnp", "--neurons", wrong, "--results", speed)
        assert code == 2 and err.startswith("triodia: neurons must be")
    net, out = tmp_path / "a.net", tmp_path / "b.net"
    options = ["--neurons", 40, "--clusters", 4, "--density", 0.3]
    ok(capsys, "new", *options, "-o", net)
    pruned = ok(capsys, "prune", net, "-o", out, "--nodes", 0.5, "--steps", "I,II,III,IV")
    assert [entry["step"] for entry in pruned["report"]["passes"]] == ["I", "II", "III", "IV"]
    code, text, _ = call(capsys, "prune", net, "-o", out, "--steps", "I")
    assert code == 0 and "Measures by step" in text


def test_selection_by_the_fast_way_and_with_another_noise():
    row = selection.row(60)
    assert row["kept"] == [round(row["synapses"] * keep) for keep in (0.5, 0.1)]
    for name in ("fast_changed", "other_noise_changed"):
        assert all(0 <= k <= 0.2 * kept for k, kept in zip(row[name], row["kept"], strict=True))
    assert max(row["other_noise_changed"]) > 0
