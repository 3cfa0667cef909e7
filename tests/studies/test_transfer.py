"""Units without spikes get the same drive as the neurons they are compared with."""

import numpy as np
import pytest

from triodia.network.random import new_network
from triodia_studies.forecast import ForecastSettings, SpikingReservoir
from triodia_studies.lnp.cells import without_synapses
from triodia_studies.transfer import STUDY, Products, RateUnits, freely, lif_rate, plan


def test_lif_rate_is_what_the_reservoirs_neurons_do():
    s = ForecastSettings(substeps=20000)
    net = new_network(40, 0, tau_mean=400.0)
    reservoir = SpikingReservoir(without_synapses(net), 2, 0, s)
    x = np.array([[0.7, -0.4]])
    reservoir.step(x)
    units = RateUnits(40, 2, 0, s, lif_rate)
    assert np.array_equal(units.w_in, reservoir.w_in)
    seen = reservoir.spikes / reservoir.steps
    rates = units.step(x)[0] / net.tau_mem
    assert (rates > 0).sum() > 5
    # The reset leaves what a step overshoots, so fast neurons spike a little more often.
    assert seen == pytest.approx(rates, rel=0.1, abs=1e-4)
    assert lif_rate(np.array([0.5, 1.0])).tolist() == [0, 0]


def test_products_are_of_every_two_inputs():
    assert Products().step(np.array([[2.0, 3.0, 5.0]])).tolist() == [[4, 6, 10, 9, 15, 25]]


def test_rows_are_intervals_over_seeds():
    choices = plan([0, 1], quick=True)
    results = [{"vpt": 1.0 + one["seed"], "rmse": 2.0} for one in choices]
    rows = list(STUDY.rows(choices, results))
    assert len(rows) == 17 and all(row["seeds"] == 2 for row in rows)
    assert len({(row["units"], row["readout"]) for row in rows}) == 17
    assert all(row["vpt"][0] == 1.5 and row["rmse"] == (2.0, 0.0) for row in rows)


@pytest.mark.slow
def test_units_without_noise_predict_better(tmp_path):
    choices = [one for one in plan([0], quick=True) if "echo" not in one["units"]]
    error = {(c["units"], c["squares"]): freely.work(tmp_path, c)["rmse"] for c in choices}
    spiking = error["LIF, 10 steps per sample", False]
    assert all(error[n] < spiking for n in error if "rate" in n[0] or "rectified" in n[0])
    assert all(error[n, True] < error[n, False] for n, _ in error if "products" not in n)
