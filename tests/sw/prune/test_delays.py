"""What pruning makes of synapses that wait: which methods see them, and that it says so."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import call
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.prune.criteria import Samples
from triodia.prune.pipeline import prune
from triodia.tasks.catalog import get_task
from triodia_hw.errors import TriodiaError
from triodia_studies.forecast import ForecastSettings, SpikingReservoir

BLIND = ["lnp", "magnitude", "weight-sampling", "jacobian", "synflow", "random"]


def twins():
    net = new_network(24, 1, density=0.6, max_delay=9)
    return net, replace(net, delay_rec=None)


@pytest.mark.parametrize("method", BLIND)
def test_these_rank_as_if_none_waited(method):
    (net, report), (twin, other) = (prune(one, method=method, synapses=0.4) for one in twins())
    assert np.array_equal(net.mask_rec, twin.mask_rec) and net.delays and not twin.delays
    assert report["delays_seen"] is False and "delays_seen" not in other
    whole, _ = twins()
    assert np.array_equal(net.delay_rec[net.mask_rec], whole.delay_rec[net.mask_rec])


def test_those_that_look_at_data_see_them():
    samples = Samples(get_task("digits"), get_task("digits").load().subset(60, 10))
    how = {"method": "snip", "synapses": 0.4, "samples": samples}
    (net, report), (twin, _) = (prune(one, **how) for one in twins())
    assert report["delays_seen"] is True
    assert not np.array_equal(net.mask_rec, twin.mask_rec)


@pytest.mark.parametrize("delayed", [True, False])
def test_the_terminal_says_it(delayed, capsys, tmp_path):
    save_network(twins()[0] if delayed else twins()[1], tmp_path / "a.net")
    given = ("--method", "lnp", "--synapses", 0.4)
    code, out, err = call(capsys, "prune", tmp_path / "a.net", "-o", tmp_path / "b.net", *given)
    said = " ".join((out + err).split())
    assert code == 0
    text = "Synapses of this network wait up to 9 steps: lnp ranks synapses as if none did"
    assert (text in said) == delayed
    assert bool(load_network(tmp_path / "b.net").delays) == delayed


def test_a_reservoir_without_delays_refuses_them():
    net, twin = twins()
    SpikingReservoir(twin, 2, 0, ForecastSettings())
    with pytest.raises(TriodiaError, match=r"takes no delays, and synapses .* wait up to 9 steps"):
        SpikingReservoir(net, 2, 0, ForecastSettings())
