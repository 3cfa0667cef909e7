import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.controls import control_like, random_like
from triodia.prune.criteria import NEED_SAMPLES, Samples
from triodia.prune.options import read_choices
from triodia.prune.pipeline import METHODS, prune
from triodia.prune.step2 import degree
from triodia.tasks.catalog import get_task
from triodia_hw.errors import TriodiaError


def seen_by(method):
    """Samples for the methods that look at data; training on them is short."""
    if method not in NEED_SAMPLES:
        return None
    task = replace(get_task("digits"), recipe={"epochs": 2})
    return Samples(task, task.load().subset(60, 10))


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_counts_and_report(method):
    net = new_network(50, 0)
    how = {"synapses": 0.5, "nodes": 0.4, "seed": 1, "samples": seen_by(method)}
    pruned, report = prune(net, method=method, **how)
    assert pruned.neurons == 20 and report["after"]["neurons"] == 20
    assert report["before"]["synapses"] == net.synapses
    assert report["passes"][0]["synapses_after"] == net.synapses // 2
    assert report["after"]["synapses"] == pruned.synapses < net.synapses // 2
    # What is left is a part of what was there.
    assert np.isin(pruned.w_rec[pruned.mask_rec], net.w_rec).all()
    json.dumps(report)
    assert pruned.provenance[-1]["method"] == method
    again, _ = prune(net, method=method, **how)
    assert np.array_equal(again.w_rec, pruned.w_rec)
    assert again.provenance == pruned.provenance


def test_methods_differ():
    net = new_network(50, 0)
    taken = {
        m: prune(net, method=m, nodes=0.43, samples=seen_by(m))[0].w_rec.tobytes() for m in METHODS
    }
    assert len(set(taken.values())) == len(METHODS)


def test_none_changes_nothing():
    net = new_network(10, 0)
    pruned, report = prune(net, method="none")
    assert np.array_equal(pruned.w_rec, net.w_rec) and report["passes"] == []


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_without_recurrent_synapses_there_is_nothing_to_choose_from(method):
    """As every imported network of one layer is."""
    net, empty = new_network(10, 0), np.zeros((10, 10), bool)
    bare = replace(net, w_rec=empty, mask_rec=empty)
    for steps in (["I"], ["I", "II"], ["H"]):
        with pytest.raises(TriodiaError, match=r"must have recurrent synapses for step [IH], and"):
            prune(bare, method=method, steps=steps)
    with pytest.raises(TriodiaError, match="for step H, and the 1 neurons"):
        prune(net, method=method, nodes=0.1, steps=["II", "H"])
    assert prune(bare, method=method, steps=["II"], nodes=0.5)[0].synapses == 0


def test_magnitude_keeps_the_largest():
    net = new_network(30, 0)
    pruned, _ = prune(net, method="magnitude", synapses=0.3, steps=["I"])
    gone = net.mask_rec & ~pruned.mask_rec
    assert np.abs(net.w_rec[gone]).max() <= np.abs(pruned.w_rec[pruned.mask_rec]).min()


def test_slow_keeps_the_slowest():
    net = new_network(30, 0)
    pruned, _ = prune(net, method="slow", synapses=0.5, nodes=0.5)
    control = control_like("slow", net, 15, 40, seed=0)
    for kept in (pruned, control):
        assert np.array_equal(np.sort(kept.tau_mem), np.sort(net.tau_mem)[15:])
    assert control.synapses == 40


def test_degree_keeps_what_the_noise_rule_left_most_synapses():
    net = clustered_network(60, 0)
    first, _ = prune(net, method="lnp", synapses=0.5, steps=["I"])
    same, _ = prune(net, method="lnp-degree", synapses=0.5, steps=["I"])
    assert np.array_equal(first.mask_rec, same.mask_rec)
    count = degree(first)
    assert count.sum() == 2 * first.synapses
    pruned, report = prune(net, method="lnp-degree", synapses=0.5, nodes=0.5)
    kept = report["passes"][1]["kept"]
    gone = np.setdiff1d(np.arange(60), kept)
    assert count[kept].min() >= count[gone].max() and len(kept) == 30
    control = control_like("lnp-degree", net, 30, 80, seed=0)
    assert np.array_equal(np.sort(control.tau_mem), np.sort(pruned.tau_mem))
    assert control.synapses == 80


def test_steps_alone():
    net = new_network(30, 0)
    only_first, _ = prune(net, steps=["I"], synapses=0.5)
    only_second, _ = prune(net, steps=["II"], nodes=0.5)
    assert (only_first.neurons, only_first.synapses) == (30, 435)
    assert (only_second.neurons, only_second.synapses) == (15, 15 * 14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"method": "x"},
            "method must be one of lnp, lnp-degree, lnp-shuffled, random, magnitude, weight-samp",
        ),
        ({"choice": "x"}, "choice must be one of heterogeneity, random, localised, not 'x'"),
        ({"budget": -1}, "budget and tolerance must be 0 or more, rounds 1 or more"),
        ({"objective": "x"}, "objective must be one of spectrum, edge, efficiency, not 'x'"),
        ({"trials": 0}, "trials must be 1 or more, spectrum_steps 2 or more, edge 0 or more"),
        ({"steps": ["V"]}, "steps must be among I, II, III, IV, H, not 'V'"),
        ({"steps": ["II", "I"]}, "steps must be in order and each at most once, not II I"),
        ({"floors": 1}, "options must be among edges"),
        ({"synapses": 0}, "the fraction kept must be above 0 and at most 1, not 0"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(TriodiaError) as caught:
        prune(new_network(10, 0), **options)
    assert str(caught.value).startswith(message)


def test_random_like_has_the_counts():
    net = new_network(40, 0)
    pruned, _ = prune(net)
    control, report = random_like(net, pruned.neurons, pruned.synapses, seed=0)
    assert (control.neurons, control.synapses) == (pruned.neurons, pruned.synapses)
    assert report["after"]["synapses"] == pruned.synapses
    assert not np.array_equal(control.w_rec, random_like(net, 17, 100, seed=1)[0].w_rec)
    with pytest.raises(TriodiaError, match=r"^neurons must be in 1\.\.40, not 41$"):
        random_like(net, 41, 10, seed=0)
    with pytest.raises(TriodiaError, match=r"^synapses must be in 0\.\.2, not 3$"):
        random_like(net, 2, 3, seed=0)


@pytest.mark.slow
def test_512_neurons_in_time():
    _, report = prune(new_network(512, 0), seed=0)
    assert report["after"]["neurons"] == 220
    assert sum(entry["seconds"] for entry in report["passes"]) < 20


def test_threads_change_nothing():
    net = clustered_network(300, 0)
    first, second = (_pruned_with(threads, net) for threads in (1, 2))
    assert np.array_equal(first.w_rec, second.w_rec)
    for one, other in zip(first.provenance, second.provenance, strict=True):
        assert one == other  # exponents and all, to the last bit


def _pruned_with(threads, net):
    with threadpool_limits(threads, user_api="blas"):
        return prune(net, steps=["I", "II", "III"], nodes=0.5, measured=True)[0]


def test_options_are_read_by_the_type_of_their_default():
    texts = ["edges=weights", "rescale=true", "slope=1", "rounds=3", "choice=random", "floor=0.1"]
    found = read_choices(texts)
    assert found == {"edges": "weights", "rescale": True, "slope": 1.0, "rounds": 3} | {
        "choice": "random",
        "floor": 0.1,
    }
    assert type(found["slope"]) is float and type(found["rounds"]) is int
    _, report = prune(new_network(20, 0), nodes=1.0, **found)
    assert report["options"]["slope"] == 1 and report["options"]["rescale"] is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slope", "an option must be NAME=VALUE, not 'slope'"),
        ("slop=1", "options must be among edges"),
        ("steps=3", "options must be among edges"),
        ("slope=steep", "slope must be a number, not 'steep'"),
        ("rounds=1.5", "rounds must be a whole number, not '1.5'"),
        ("rescale=1", "rescale must be true or false, not '1'"),
    ],
)
def test_bad_options(text, message):
    with pytest.raises(TriodiaError) as caught:
        read_choices([text])
    assert str(caught.value).startswith(message)
