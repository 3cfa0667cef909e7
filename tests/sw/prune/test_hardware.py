"""Step H keeps synapses per source and evens them over PEs; the placement uses its plan."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import call, ok
from triodia.network.files import load_network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.hardware import HardwareOptions, even_places
from triodia.prune.pipeline import prune
from triodia.quantize.inference import event_record, input_events
from triodia.quantize.placement import as_planned, busiest
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import train
from triodia.train.settings import Settings
from triodia_hw.compile.family import ECP5
from triodia_hw.errors import TriodiaError

DENSE = clustered_network(90, 0, density=0.4)


def rows(net, lanes):
    return np.stack([net.mask_rec[net.lane == k].sum(axis=0) for k in range(lanes)])


@pytest.mark.parametrize("method", ["lnp", "random", "magnitude"])
@pytest.mark.parametrize("steps", [("I",), ("I", "II"), ("I", "II", "III")])
def test_rows_are_even_and_nothing_else_changes(method, steps):
    options = {"method": method, "synapses": 0.5, "nodes": 0.6, "seed": 1, "lanes": 4}
    plain, _ = prune(DENSE, steps=steps, **options)
    fitted, report = prune(DENSE, steps=(*steps, "H"), **options)
    entry = report["passes"][-1]
    assert fitted.neurons == plain.neurons and fitted.synapses == plain.synapses
    assert np.array_equal(fitted.mask_rec.sum(axis=0), plain.mask_rec.sum(axis=0))
    assert np.array_equal(fitted.tau_mem, plain.tau_mem)
    assert not fitted.mask_rec.diagonal().any()
    known = DENSE.subnetwork(np.flatnonzero(np.isin(DENSE.tau_mem, plain.tau_mem)))
    assert known.neurons == plain.neurons  # no two time constants are alike
    moved_in = fitted.mask_rec & ~plain.mask_rec
    assert entry["moved"] == moved_in.sum() > 0
    assert np.array_equal(fitted.w_rec[moved_in], known.w_rec[moved_in])
    assert known.mask_rec[moved_in].all()
    before, after = rows(replace(plain, lane=fitted.lane), 4), rows(fitted, 4)
    assert np.ptp(after, axis=0).mean() < 0.6 * np.ptp(before, axis=0).mean()
    assert entry["uneven_after"] < entry["uneven_before"]


def test_even_places():
    lane = np.array([0, 0, 0, 1, 1, 1])
    preference, load = np.array([1, 3, 2, 9, 8, 7.0]), np.zeros(2)
    taken = even_places(np.ones(6, bool), preference, 3, lane, load)
    assert taken.tolist() == [False, True, True, True, False, False]  # 2 + 1, best of each
    assert load.tolist() == [2, 1]
    taken = even_places(np.ones(6, bool), preference, 3, lane, load)
    assert taken.sum() == 3 and load.tolist() == [3, 3]  # the less loaded one gets more
    few = np.array([True, False, False, True, True, True])
    assert even_places(few, preference, 4, lane, np.zeros(2)).tolist() == few.tolist()


def test_lanes_are_refused():
    with pytest.raises(TriodiaError, match=r"^lanes must be in 1\.\.32, not 0$"):
        HardwareOptions(lanes=0)


@pytest.fixture(scope="module")
def image_and_net():
    task = get_task("digits")
    data = task.load().subset(200, 100)
    net, _ = prune(DENSE, steps=("I", "H"), synapses=0.3, lanes=4)
    trained, _ = train(net, task, data=data, epochs=2)
    return quantize(trained, data, QuantizeOptions(lanes=4)), trained, data


def test_inputs_are_even_too(image_and_net):
    _, net, data = image_and_net
    counts = np.stack([net.head.mask_in[net.lane == k].sum(axis=0) for k in range(4)])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1
    free = attach(new_network(90, 0), get_task("digits"), data, 0, Settings())
    assert np.array_equal(net.head.mask_in.sum(axis=0), free.head.mask_in.sum(axis=0))


def test_the_better_placement_is_taken(image_and_net):
    image, net, data = image_and_net
    record = event_record(image, input_events(image, data.x_train, data.len_train, limit=16))
    again = as_planned(image, net.lane, record, family=ECP5, tight=False)
    assert busiest(again, record) <= busiest(image, record)
    assert as_planned(image, np.zeros(90, int), record, family=ECP5, tight=False) is image
    # The busiest neurons together in one PE are improved on, and the network stays the same.
    load = np.bincount(image.target, minlength=image.params.neurons)
    room = replace(image.params, synapse_words=1 << 16, row_words=1 << 10)
    worse = replace(image, params=room, slot=load.argsort().argsort())
    better = as_planned(worse, net.lane, record, family=ECP5, tight=False)
    assert busiest(better, record) < busiest(worse, record)
    assert np.array_equal(better.weight, image.weight)
    assert np.array_equal(better.slot[:90] // better.params.slots, net.lane)


def test_command(tmp_path, capsys):
    dense, out = tmp_path / "d.net", tmp_path / "p.net"
    ok(capsys, "new", "-o", dense, "--neurons", 40, "--density", 0.5)
    found = ok(capsys, "prune", dense, "-o", out, "--steps", "I", "--even-lanes", 4)
    assert [entry["step"] for entry in found["report"]["passes"]] == ["I", "H"]
    assert load_network(out).lane.max() == 3
    code, _, err = call(capsys, "prune", dense, "-o", tmp_path / "q.net", "--even-lanes", 33)
    assert code == 2 and "lanes must be in 1..32, not 33" in err
