"""Two designs for late biases compute the same; the rows say what each takes."""

import numpy as np
import pytest

from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.trace import trace
from triodia_studies.clocks import layered, rows, waiting_clock


def events_of(image):
    x = (np.random.default_rng(1).random((2, 30, 16)) < 0.3).astype(float)
    return [image.coding.events(image.params, one) for one in x]


@pytest.mark.parametrize(("current", "clocks"), [(False, 1), (True, 2)])
def test_one_clock_that_waits_computes_what_the_chain_does(current, clocks):
    net = layered(3, skips=True, current=current, size=12)
    chain, waits = rows(net, events_of, name="small")
    assert (chain["clocks"], waits["clocks"]) == (4 if current else 3, clocks)
    assert waits["delays"] == (3 if current else 2) and chain["delays"] == 1
    assert waits["sops"] < chain["sops"] and waits["synapses"] < chain["synapses"]
    image = quantize(waiting_clock(net), None, QuantizeOptions())
    assert waits["blocks"] == block_rams(image.params)
    last = trace(image, events_of(image)[0]).spikes[:, 24:36]
    assert last.any()  # the last layer has something to differ in


def test_other_words_stop_the_study(monkeypatch):
    def wrong(net):
        return waiting_clock(net).with_head(bias_out=np.full(10, 0.5))

    monkeypatch.setattr("triodia_studies.clocks.waiting_clock", wrong)
    with pytest.raises(RuntimeError, match="designs of small compute different words"):
        rows(layered(3, size=12), events_of, name="small")


def test_a_network_without_late_biases_is_refused():
    net = layered(3, size=12)
    with pytest.raises(ValueError, match="must have clock neurons"):
        waiting_clock(net.with_provenance(clock_neurons=0))
