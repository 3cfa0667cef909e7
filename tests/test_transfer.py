"""What limits free runs: the comparison with units that do not spike is of the same drive."""

from dataclasses import replace

import numpy as np
import pytest

from triodia.forecast import ForecastSettings, SpikingReservoir
from triodia.network import new_network
from triodia.study.transfer import RateUnits, kinds, lif_rate


def test_lif_rate_is_what_the_reservoirs_neurons_do():
    s = ForecastSettings(substeps=20000)
    net = new_network(40, 0, tau_mean=400.0)
    alone = replace(net, w_rec=0 * net.w_rec, mask_rec=np.zeros_like(net.mask_rec))
    reservoir, x = SpikingReservoir(alone, 2, 0, s), np.array([[0.7, -0.4]])
    reservoir.step(x)
    units = RateUnits(40, 2, 0, s, lif_rate)
    assert np.array_equal(units.w_in, reservoir.w_in)
    seen = reservoir.spikes / reservoir.steps
    rates = units.step(x)[0] / net.tau_mem
    assert (rates > 0).sum() > 5
    # The reset leaves what a step overshoots, so fast neurons spike a little more often.
    assert seen == pytest.approx(rates, rel=0.1, abs=1e-4)
    assert lif_rate(np.array([0.5, 1.0])).tolist() == [0, 0]


@pytest.mark.slow
def test_rows():
    rows = {row["units"]: row for row in kinds(2, quick=True)}
    assert len(rows) == 6 and all(row["seeds"] == 2 for row in rows.values())
    error = {name: row["rmse"][0] for name, row in rows.items()}
    assert all(error[name] < error["LIF, 10 steps a sample"] for name in error if "no rec" in name)
