"""Designs for delays, side by side: relays compute the same, and the rows say what they are."""

import numpy as np

from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.trace import trace
from triodia_studies.delays import imported, relayed, rows


def events_for(image, samples=2):
    rng = np.random.default_rng(3)
    x = 4.0 * (rng.random((samples, 40, 16)) < 0.5)
    return [image.coding.events(image.params, one) for one in x]


def test_relays_spike_like_synapses_that_wait():
    net = imported(1, most=4, size=24)
    image, chain = (quantize(n, None, QuantizeOptions()) for n in (net, relayed(net)))
    assert image.params.delays == (1, 2, 3, 4) and chain.params.delays == ()
    for events in events_for(image):
        a, b = trace(image, events), trace(chain, events)
        own = a.spikes[:, : net.neurons]
        assert own[:, 24:].sum() > 20 and np.array_equal(own, b.spikes[:, : net.neurons])
        assert np.array_equal(a.readouts, b.readouts)


def test_rows():
    net = imported(2, most=5, size=24)
    found = {row["design"]: row for row in rows(net, events_for, name="small")}
    assert set(found) == {"wheel", "sums", "bits", "relays"}
    image = quantize(net, None, QuantizeOptions())
    assert found["wheel"]["blocks"] == block_rams(image.params)
    assert found["bits"]["cycles"] > found["wheel"]["cycles"]
    assert found["relays"]["relays"] > 48 and "relays" not in found["wheel"]
