"""What limits free runs: the comparison with units that do not spike is of the same drive."""

import numpy as np
import pytest

from triodia.network.random import new_network
from triodia_studies.forecast import ForecastSettings, SpikingReservoir
from triodia_studies.lnp.cells import without_synapses
from triodia_studies.transfer import Products, RateUnits, kinds, lif_rate


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


@pytest.mark.slow
def test_rows():
    rows = {(row["units"], row["readout"]): row for row in kinds(2, quick=True)}
    assert len(rows) == 17 and all(row["seeds"] == 2 for row in rows.values())
    error = {name: row["rmse"][0] for name, row in rows.items()}
    spiking = error["LIF, 10 steps a sample", "linear"]
    assert all(error[n] < spiking for n in error if "rate" in n[0] or "rectified" in n[0])
    assert all(error[n, "squares"] < error[n, "linear"] for n, _ in error if "products" not in n)
