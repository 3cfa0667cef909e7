"""Series, reservoirs, and the report of a forecast."""

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.tasks.series import SERIES, Series, get_series, integrate, lorenz, read_column
from triodia.train.bptt import run_lif
from triodia_hw.errors import MissingTool, TriodiaError
from triodia_studies.forecast import EchoState, ForecastSettings, SpikingReservoir, forecast


@pytest.mark.parametrize("name", SERIES)
def test_series_are_standardised(name):
    s = get_series(name)
    assert s.train.mean(0) == pytest.approx(np.zeros(s.train.shape[1]), abs=1e-9)
    assert s.train.std(0) == pytest.approx(np.ones(s.train.shape[1]))
    assert len(s.test) > 400 and np.isfinite(s.test).all() and s.name == name


def test_integration_is_of_fourth_order():
    step = [_three(parts) for parts in (1, 2, 4)]
    ratio = np.abs(step[0] - step[2]).max() / np.abs(step[1] - step[2]).max()
    assert 12 < ratio < 20  # 16 (and a little, as the last is not exact)
    assert np.abs(integrate(lorenz, 200, 0.02, 0)).max() < 60  # on the attractor


def _three(parts):
    x, h = np.array([1.0, 2.0, 20.0]), 0.02 / parts
    for _ in range(parts):
        k1 = lorenz(x)
        k2 = lorenz(x + h / 2 * k1)
        k3 = lorenz(x + h / 2 * k2)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + lorenz(x + h * k3))
    return x


def test_user_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,x\n" + "".join(f"{k},{np.sin(k)}\n" for k in range(200)))
    assert len(get_series(f"{path}:x").train) == 140
    for name, message in (
        ("nothing", "The series must be one of"),
        (f"{path}:y", "has no column 'y' of numbers"),
    ):
        with pytest.raises(TriodiaError, match=message):
            get_series(name)
    with pytest.raises(TriodiaError, match="cannot be read as a CSV file"):
        read_column(tmp_path / "b.csv", "x")


def test_missing_package(monkeypatch):
    monkeypatch.setattr("triodia.tasks.series.find_spec", lambda _: None)
    with pytest.raises(MissingTool, match=r"pip install vega_datasets"):
        get_series("wind")


def test_reservoir_is_the_models_neuron():
    net = new_network(20, 0)
    s = ForecastSettings(substeps=1)
    reservoir = SpikingReservoir(net, 2, 0, s)
    x = np.random.default_rng(0).standard_normal((30, 2))
    drive = (x @ reservoir.w_in + reservoir.bias) * reservoir.leak * 4
    parts = (drive[:, None], reservoir.w, reservoir.beta, reservoir.threshold)
    spikes, _ = run_lif(*(torch.tensor(part) for part in parts))
    for row in x:
        reservoir.step(row[None])
    assert reservoir.spikes == pytest.approx(spikes[:, 0].sum(0).numpy())
    sent = spikes[:, 0].sum(0).numpy() @ net.mask_rec.sum(0)
    assert reservoir.operations() == pytest.approx(sent / 30)
    with pytest.raises(TriodiaError, match="never rest"):
        SpikingReservoir(new_network(5, 0, refractory=1), 1, 0, s)


def test_readout_sees_mean_potentials():
    net, x = new_network(20, 0), np.random.default_rng(0).standard_normal((4, 2))
    plain = SpikingReservoir(net, 2, 0, ForecastSettings(substeps=1, tau_out=3.0))
    seen = SpikingReservoir(net, 2, 0, ForecastSettings(substeps=1, tau_out=3.0, potentials=True))
    decay, mean = np.exp(-1 / 3), np.zeros(20)
    for row in x:
        mean = decay * mean + (1 - decay) * plain.v[0]
        assert np.array_equal(seen.step(row[None])[:, :20], plain.step(row[None]))
        assert np.array_equal(seen.v, plain.v)
        assert seen.p[0] * (1 - decay) == pytest.approx(mean)
    assert seen.step(x[:1])[0, 20:] == pytest.approx(decay * mean + (1 - decay) * plain.v[0])


def test_squares_let_a_linear_readout_multiply():
    class Itself:
        def reset(self, batch):
            pass

        def step(self, x):
            return x

    x = np.empty((1200, 1))
    x[0] = 0.3
    for k in range(1, len(x)):
        x[k] = 1 - 1.9 * x[k - 1] ** 2  # chaotic, and no linear map
    logistic = Series(name="l", source="", train=x[:800], test=x[800:])
    plain = forecast(Itself(), logistic, ForecastSettings())
    squares = forecast(Itself(), logistic, ForecastSettings(squares=True))
    assert plain["rmse"] > 0.3 and squares["rmse"] < 1e-3


def circle(steps):
    t = np.arange(steps) * 0.1
    x = np.stack([np.sin(t), np.cos(t)], 1) * np.sqrt(2)
    return Series(name="c", source="", train=x, test=x, lyapunov_time=60.0)


def test_forecast_of_a_circle():
    s = ForecastSettings(windows=4, horizon=3.0)
    found = forecast(EchoState(30, 100, 2, 0), circle(800), s)
    assert found["vpt"] == pytest.approx(3, abs=0.05)  # all of the horizon
    assert found["rmse"] < 0.01 * found["persistence"]
    spiking = forecast(SpikingReservoir(new_network(40, 0, density=0.2), 2, 0, s), circle(800), s)
    assert spiking["rmse"] < spiking["persistence"] and 0 < spiking["rate"] < 1
    again = forecast(SpikingReservoir(new_network(40, 0, density=0.2), 2, 0, s), circle(800), s)
    assert again == spiking


def test_constant_prediction_is_not_valid_for_long():
    class Nothing:
        def reset(self, batch):
            self.batch = batch

        def step(self, x):
            return np.zeros((self.batch, 1))

    x = np.random.default_rng(0).standard_normal((900, 2))
    noise = Series(name="n", source="", train=x, test=x, lyapunov_time=50.0)
    assert forecast(Nothing(), noise, ForecastSettings(windows=5))["vpt"] < 0.05
