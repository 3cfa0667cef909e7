"""Convolutions and pools against those of torch: the same spikes, in float and in integers."""

from itertools import pairwise

import nir
import numpy as np
import pytest
import torch

from tests.support.nir_runs import cells, ends, imported, runs
from triodia_hw.errors import TriodiaError

STEPS = 70
GEOMETRIES = [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1)]
POOLS = {
    "sum": (nir.SumPool2d, lambda x: 4 * torch.nn.functional.avg_pool2d(x, 2)),
    "average": (nir.AvgPool2d, lambda x: torch.nn.functional.avg_pool2d(x, 2)),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("stride, padding, dilation, groups", GEOMETRIES)
def test_convolution_and_pool(pool, stride, padding, dilation, groups):
    """Conv2d, IF, pool, Flatten, Linear, IF: integers, so equal in both; torch convolves."""
    rng = np.random.default_rng([7, stride, padding])
    kernel = rng.integers(-2, 4, (4, 2 // groups, 3, 3)).astype(np.float32)
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x = (rng.random((30, 2, 8, 8)) < 0.4).astype(np.float32)
    summed = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(kernel), **how).numpy()
    v, maps = np.zeros(summed.shape[1:]), []
    for row in summed:
        v = v + row
        maps.append((v >= 3).astype(np.float32))
        v = v - 3 * maps[-1]
    kind, pooled = POOLS[pool]
    flat = pooled(torch.tensor(np.array(maps))).numpy().reshape(30, -1)
    dense = rng.integers(-1, 3, (5, flat.shape[1])).astype(np.float32)
    u, want = np.zeros(5), []
    for row in flat:
        u = u + dense @ row
        want.append((u >= 6).astype(float))
        u = u - 6 * want[-1]
    two = np.array([2, 2])
    nodes = ends([2, 8, 8], [5]) | {
        "conv": nir.Conv2d(input_shape=(8, 8), weight=kernel, bias=np.zeros(4), **how),
        "maps": cells("IF", summed.shape[1:], 3.0),
        "pool": kind(kernel_size=two, stride=two, padding=np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array(summed.shape[1:])}, 0, -1),
        "dense": nir.Linear(dense),
        "last": cells("IF", 5, 6.0),
    }
    chain = ["input", "conv", "maps", "pool", "flat", "dense", "last", "output"]
    net = imported(nodes, list(pairwise(chain)), simulator="spikingjelly", reset="subtract")
    found, *_ = runs(net, x.reshape(30, -1))
    for spikes, name in ((np.array(maps).reshape(30, -1), "maps"), (np.array(want), "last")):
        assert spikes.sum() > 10
        assert np.array_equal(found[name][0], spikes) and np.array_equal(found[name][1], spikes)


def test_convolution_in_one_dimension():
    rng = np.random.default_rng(8)
    kernel, bias = rng.normal(size=(3, 2, 5)), rng.normal(size=3)
    x = (rng.random((STEPS, 2, 12)) < 0.4).astype(np.float64)
    parts = (torch.tensor(part) for part in (x, kernel, bias))
    summed = torch.nn.functional.conv1d(*parts, stride=2, padding=2).numpy()
    v, want = np.zeros(summed.shape[1:]), []
    for row in summed:
        v = 7 / 8 * v + row
        want.append((v > 1).astype(float))
        v = v - want[-1]
    conv = nir.Conv1d(
        input_shape=12, weight=kernel, bias=bias, stride=2, padding=2, dilation=1, groups=1
    )
    nodes = ends([2, 12], [18]) | {"c": conv, "n": cells("LIF", (3, 6), 1.0)}
    net = imported(nodes, [("input", "c"), ("c", "n"), ("n", "output")], reset="subtract")
    found = runs(net, x.reshape(STEPS, -1))[0]["n"][0]
    assert np.array_equal(found, np.array(want).reshape(STEPS, -1))


def damaged_convolution(**changes):
    """Conv2d with fields that nir itself would refuse to build, as a file may hold them."""
    conv = nir.Conv2d(
        input_shape=(6, 6),
        weight=np.ones((2, 1, 3, 3)),
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=np.zeros(2),
    )
    for key, value in changes.items():
        setattr(conv, key, value)
    return conv


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"stride": 0}, r"stride of node 'c' must be whole numbers from 1, .* got 0"),
        ({"dilation": 0}, r"dilation of node 'c' must be whole numbers from 1, .* got 0"),
        ({"padding": -1}, r"padding of node 'c' must be whole numbers from 0, .* got -1"),
        ({"groups": 0}, r"groups of node 'c' must be at least 1, got 0"),
        ({"groups": -1}, r"groups of node 'c' must be at least 1, got -1"),
        ({"bias": np.zeros(3)}, r"bias of node 'c' must have 2 values, one per channel, got 3"),
        ({"weight": np.ones((2, 1, 3))}, r"weight of node 'c' must have 4 axes .* \(2, 1, 3\)"),
        ({"weight": np.ones(2)}, r"weight of node 'c' must have 4 axes .* \(2,\)"),
        ({"weight": np.ones((2, 1, 0, 3))}, r"weight of node 'c' must have 4 axes .* none of them"),
    ],
)
def test_convolutions_that_are_none(changes, sentence):
    nodes = ends([1, 6, 6], [32]) | {
        "c": damaged_convolution(**changes),
        "n": cells("IF", (2, 4, 4), 1.0),
    }
    with pytest.raises(TriodiaError, match=sentence):
        imported(nodes, list(pairwise(["input", "c", "n", "output"])))


@pytest.mark.parametrize("key", ["kernel_size", "stride"])
def test_a_pool_of_zero(key):
    two = np.array([2, 2])
    pool = nir.SumPool2d(kernel_size=two, stride=two, padding=np.array([0, 0]))
    setattr(pool, key, np.array([0, 0]))
    nodes = ends([1, 6, 6], [9]) | {"p": pool, "n": cells("IF", (1, 3, 3), 1.0)}
    with pytest.raises(TriodiaError, match=f"{key} of node 'p' must be whole numbers from 1"):
        imported(nodes, list(pairwise(["input", "p", "n", "output"])))
