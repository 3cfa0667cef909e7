"""Networks with bottlenecks: what is cut, what can cross, and paired differences."""

from dataclasses import replace

import numpy as np
import pytest

from triodia.network.topologies import bridged_network
from triodia.tasks.catalog import get_task
from triodia_hw.errors import TriodiaError
from triodia_studies.bridges import LEVELS, METHODS, STUDY, TASKS, _crossing, linear_memory
from triodia_studies.paired import against_random


def test_few_synapses_join_dense_clusters():
    net = bridged_network(3, sizes=(50, 10, 10), density=0.5, bridges=30)
    apart = net.cluster[:, None] != net.cluster
    assert (net.mask_rec & apart).sum() == 30
    assert net.neurons == 70 and np.bincount(net.cluster).tolist() == [50, 10, 10]
    inside = net.mask_rec[:50, :50].sum() / (50 * 49)
    assert 0.45 < inside < 0.55 and not net.mask_rec.diagonal().any()
    assert np.array_equal(net.mask_rec, net.w_rec != 0)
    with pytest.raises(TriodiaError, match=r"bridges in 1\.\.200, not 0\.6, 300"):
        bridged_network(0, sizes=(10, 10), bridges=300)


def test_what_is_read_crosses_a_bridge():
    """Without bridges the small clusters know nothing of the signal; with strong ones they do."""
    task = get_task("delayed-sum-short")
    net = bridged_network(0, sizes=(30, 10), bridges=60, gain=2.0)
    apart = net.cluster[:, None] != net.cluster
    ready = _crossing(net, task, task.load(), 0)
    head = ready.trained()
    assert not head.mask_in[30:].any() and not head.mask_out[:, :30].any()
    assert head.mask_in[:30].any() and head.mask_out[:, 30:].all()
    strong = replace(ready, w_rec=np.abs(ready.w_rec) * np.where(apart, 3.0, 0.0))
    strong = replace(strong, mask_rec=strong.w_rec != 0)
    cut = replace(ready, w_rec=ready.w_rec * ~apart, mask_rec=ready.mask_rec & ~apart)
    assert linear_memory(strong, 0) > 0.2 > 5 * linear_memory(cut, 0)


def test_plan_compares_every_method_at_every_level():
    plan = STUDY.plan([0, 1])
    assert len(plan) == len(TASKS) * 2 * (len(LEVELS) * len(METHODS) + 2)
    results = [{"accuracy": 0.5, "bridges_kept": 1.0, "memory": 0.0} for _ in plan]
    rows = STUDY.rows(plan, results)
    assert len(rows) == len(plan) / 2
    assert [r["method"] for r in rows if "over_random" not in r] == ["none", "no bridges"] * 2


def test_differences_are_paired_by_seed():
    """The methods differ by the same amount in each seed, however the seeds differ."""
    choices, results = [], []
    for seed, base in enumerate((0.2, 0.5, 0.9)):
        for method, more in (("random", 0.0), ("better", 0.05 + 0.001 * seed), ("noisy", base)):
            choices.append({"task": "a", "method": method, "seed": seed})
            results.append({"accuracy": base + more, "cost": 2.0})
    random, better, noisy = against_random(choices, results, "accuracy", 2, "cost")
    assert (random["accuracy"], random["over_random"], random["counts"]) == (0.5333, 0.0, False)
    # t of 2 degrees of freedom at 1 - 0.05 / 4 is 6.205; the differences' deviation is 0.001.
    assert (better["over_random"], better["interval"]) == (0.051, round(6.2053 * 0.001 / 3**0.5, 4))
    assert better["counts"] and not noisy["counts"] and noisy["cost"] == 2.0
