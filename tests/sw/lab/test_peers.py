"""Software peers compute about the same spikes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from triodia.lab.peers import peer_times
from triodia.network.random import new_network
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.loop import train
from triodia.train.model import SpikingModel


@pytest.fixture(scope="module")
def made():
    task = get_task("digits")
    data = task.load()
    net, _ = train(new_network(24, 0), task, data=data, seed=0, epochs=2)
    image = quantize(net, data, QuantizeOptions(lanes=1))
    return net, image, data, input_events(image, data.x_test, data.len_test, limit=12)


def test_same_network(made):
    """Equal spikes by torch, dense or sparse, as the model trains; others within rounding."""
    net, _, data, sequences = made
    rows = {row["name"]: row for row in peer_times(*made)}
    chosen = np.linspace(0, len(data.x_test) - 1, len(sequences)).astype(int)
    h = net.head
    x = (data.x_test[chosen] - h.input_mean) / h.input_std
    x = np.clip(x, -h.input_clip, h.input_clip)
    with torch.no_grad():
        lengths = torch.tensor(data.len_test[chosen])
        trace = SpikingModel(net)(torch.tensor(x, dtype=torch.float32), lengths)
    expected = float(trace.spikes.sum()) / len(sequences)
    assert expected > 5
    assert rows["torch, dense matrix"]["spikes_per_sample"] == pytest.approx(expected, abs=0.2)
    assert rows["torch, sparse matrix"]["spikes_per_sample"] == pytest.approx(expected, abs=0.2)
    assert rows["snntorch, RLeaky"]["spikes_per_sample"] == pytest.approx(expected, rel=0.05)
    assert rows["integer reference, numpy"]["spikes_per_sample"] == pytest.approx(
        expected, rel=0.05
    )
    assert all(row["us_per_sample"] > 0 for row in rows.values())


def test_delays_are_run_or_left_out():
    """Our own model waits as the reference does; what cannot wait is not timed."""
    task = get_task("digits")
    data = task.load()
    net, _ = train(new_network(24, 0, max_delay=3), task, data=data, seed=0, epochs=2)
    image = quantize(net, data, QuantizeOptions(lanes=1))
    sequences = input_events(image, data.x_test, data.len_test, limit=12)
    rows = {row["name"]: row for row in peer_times(net, image, data, sequences)}
    assert rows.keys() == {"torch, dense matrix", "integer reference, numpy"}
    chosen = np.linspace(0, len(data.x_test) - 1, 12).astype(int)
    x, lengths = net.model_inputs(data.x_test[chosen], data.len_test[chosen])
    with torch.no_grad():
        trace = SpikingModel(net)(torch.tensor(x), torch.tensor(lengths))
    expected = float(trace.spikes.sum()) / 12
    assert rows["torch, dense matrix"]["spikes_per_sample"] == pytest.approx(expected, abs=0.2)
    twin = replace(net, delay_rec=None)
    with torch.no_grad():
        without = (
            float(SpikingModel(twin)(torch.tensor(x), torch.tensor(lengths)).spikes.sum()) / 12
        )
    assert abs(without - expected) > 0.4  # the delays matter here
