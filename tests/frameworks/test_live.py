"""Networks that other simulators run and export themselves: ``make test-frameworks``.

Each runs in its own simulator, is written by that simulator's exporter, and is imported with
``--from``. Every spike of the last population must be the same.
"""

import sys
import types
import warnings

import nir
import numpy as np
import pytest
import torch

from tests.sw.nir.test_semantics import run
from triodia.nir.importer import import_nir

pytestmark = pytest.mark.frameworks

STEPS, INPUTS, HIDDEN, LAST = 200, 8, 24, 6
SEEDS = range(5)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they use what nirtorch and torch deprecate
        yield


def spikes_in(seed):
    """Input spikes ``(STEPS, INPUTS)``, float32."""
    return (np.random.default_rng(seed).random((STEPS, INPUTS)) < 0.4).astype(np.float32)


def weights(seed, rows, columns, size):
    """Normal weights ``(rows, columns)``."""
    draw = torch.Generator().manual_seed(1000 + seed)
    return torch.randn(rows, columns, generator=draw) * size


def same(path, x, want, **options):
    """Assert that the import of ``path`` spikes as ``want`` ``(STEPS, neurons)``."""
    net = import_nir(path, **options)
    step = net.provenance[-1]
    lead = np.zeros((step["lead"], INPUTS), np.float32)
    got, _ = run(net, np.concatenate([lead, x]), step["delay"] - step["lead"])
    place = step["populations"][-1]
    got = got[place["steps_behind"] :, place["first"] :][:STEPS, : want.shape[1]]
    assert 0.01 < want.mean() < 0.9
    differ = int((got != want).sum())
    print(f"{path.stem}: {int(want.sum())} spikes, {differ} differ")
    assert differ == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["IF", "LIF, input decays", "LIF"])
def test_spikingjelly(kind, seed, tmp_path):
    """Two layers, reset to 0; its exporter refuses neurons that subtract."""
    from spikingjelly.activation_based import functional, layer, neuron, nir_exchange

    def cells():
        if kind == "IF":
            return neuron.IFNode()
        return neuron.LIFNode(tau=5.0, decay_input=kind != "LIF")

    def linear(rows, columns, size):
        made = layer.Linear(columns, rows, bias=False)
        made.weight.data = weights(seed, rows, columns, size)
        return made

    size = {"IF": 0.6, "LIF, input decays": 3.0, "LIF": 0.7}[kind]
    net = torch.nn.Sequential(
        linear(HIDDEN, INPUTS, size), cells(), linear(LAST, HIDDEN, size), cells()
    )
    x, path = spikes_in(seed), tmp_path / f"spikingjelly {kind} {seed}.nir"
    functional.set_step_mode(net, "m")
    with torch.no_grad():
        want = net(torch.tensor(x)[:, None])[:, 0].numpy()
    functional.reset_net(net)
    functional.set_step_mode(net, "s")
    nir_exchange.export_to_nir(net, torch.tensor(x)[:1], save_path=path, dt=1e-4)
    same(path, x, want, simulator="spikingjelly", dt=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["LIFTorch", "LIFNeuronTorch"])
def test_rockpool(kind, seed, tmp_path):
    """Two layers with and without synaptic current, at most one spike per step."""
    from rockpool.nn import modules
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    def cells(n):
        draw = torch.Generator().manual_seed(seed + n)
        times = {"tau_mem": 0.004 + 0.02 * torch.rand(n, generator=draw)}
        if kind == "LIFTorch":
            times["tau_syn"] = 0.002 + 0.006 * torch.rand(n, generator=draw)
        one = torch.tensor(1.0)
        options = {"bias": torch.zeros(n), "threshold": torch.ones(n), "max_spikes_per_dt": one}
        shape = (n, n) if kind == "LIFTorch" else (n,)
        return getattr(modules, kind)(shape, dt=1e-3, **times, **options)

    size = 0.15 if kind == "LIFTorch" else 0.5
    net = Sequential(
        LinearTorch((INPUTS, HIDDEN), has_bias=False, weight=weights(seed, INPUTS, HIDDEN, size)),
        cells(HIDDEN),
        LinearTorch((HIDDEN, LAST), has_bias=False, weight=weights(seed, HIDDEN, LAST, size)),
        cells(LAST),
    )
    x, path = spikes_in(seed), tmp_path / f"rockpool {kind} {seed}.nir"
    with torch.no_grad():
        want = net(torch.tensor(x)[None])[0][0].numpy()
    nir.write(path, to_nir(net, torch.tensor(x)[0]))
    same(path, x, want, simulator="rockpool", dt=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["IAF", "LIF"])
def test_sinabs(kind, seed, tmp_path):
    """Two layers, at most one spike per step; sinabs counts time in steps.

    Its files of a LIF do not say whether ``norm_input`` was off: they are read as with it.
    """
    from sinabs import layers
    from sinabs.activation import SingleSpike
    from sinabs.nir import to_nir

    def cells(n):
        options = {"spike_threshold": torch.ones(n), "spike_fn": SingleSpike}
        if kind == "IAF":
            return layers.IAF(**options)
        draw = torch.Generator().manual_seed(seed + n)
        tau = 4 + 20 * torch.rand(n, generator=draw)
        return layers.LIF(tau_mem=tau, **options)

    def linear(rows, columns):
        made = torch.nn.Linear(columns, rows, bias=False)
        size = 4.0 if kind == "LIF" else 0.4
        made.weight.data = weights(seed, rows, columns, size)
        return made

    net = torch.nn.Sequential(
        linear(HIDDEN, INPUTS), cells(HIDDEN), linear(LAST, HIDDEN), cells(LAST)
    )
    x, path = spikes_in(seed), tmp_path / f"sinabs {kind} {seed}.nir"
    with torch.no_grad():
        want = net(torch.tensor(x)[None])[0].numpy()
    for layer in (net[1], net[3]):
        layer.reset_states()
    nir.write(path, to_nir(net, torch.tensor(x)[:1, None]))
    same(path, x, want, simulator="sinabs", dt=1.0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["LIFBoxCell", "LIFCell"])
def test_norse(kind, seed, tmp_path):
    """One layer; its exporter writes the time step over the inverse of a time constant."""
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir

    draw = torch.Generator().manual_seed(seed)
    inverse = {"tau_mem_inv": 60 + 200 * torch.rand(HIDDEN, generator=draw)}
    levels = {"v_th": torch.ones(HIDDEN), "v_leak": torch.zeros(HIDDEN)}
    levels["v_reset"] = torch.zeros(HIDDEN)
    if kind == "LIFCell":
        inverse["tau_syn_inv"] = 200 + 300 * torch.rand(HIDDEN, generator=draw)
        cell = norse.LIFCell(p=norse.LIFParameters(**inverse, **levels), dt=1e-3)
    else:
        cell = norse.LIFBoxCell(p=norse.LIFBoxParameters(**inverse, **levels), dt=1e-3)
    linear = torch.nn.Linear(INPUTS, HIDDEN, bias=False)
    linear.weight.data = weights(seed, HIDDEN, INPUTS, 3.0 if kind == "LIFBoxCell" else 1.0)
    net, state, want = norse.SequentialState(linear, cell), None, []
    x, path = spikes_in(seed), tmp_path / f"norse {kind} {seed}.nir"
    with torch.no_grad():
        for row in torch.tensor(x):
            out, state = net(row[None], state)
            want.append(out[0].numpy())
    nir.write(path, to_nir(net, torch.tensor(x)[:1]))
    same(path, x, np.array(want), simulator="norse", dt=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["IF", "LIF", "CuBaLIF", "RIF", "RLIF", "RCuBaLIF"])
def test_spyx(kind, seed, tmp_path, monkeypatch):
    """Two layers, the second one recurrent for the kinds in R; a spike leaves a step late."""
    # Its loaders of data sets need a package of 100 MB that nothing else here does.
    monkeypatch.setitem(sys.modules, "spyx.data", types.ModuleType("spyx.data"))
    import spyx.nir
    from flax import nnx
    from jax import numpy as jnp
    from spyx import nn

    draws = nnx.Rngs(seed)

    def linear(rows, columns):
        made = nnx.Linear(columns, rows, use_bias=False, rngs=draws)
        made.kernel[...] = jnp.asarray(weights(seed, columns, rows, size).numpy())
        return made

    def cells(kind, n):
        made = getattr(nn, kind)((n,), rngs=draws)
        for name in {"alpha", "beta"} & vars(made).keys():
            decay = np.random.default_rng(seed + n).uniform(0.5, 0.95, n)
            getattr(made, name)[...] = jnp.asarray(decay, jnp.float32)
        if kind.startswith("R"):
            made.recurrent_w[...] = jnp.asarray(weights(seed + 7, n, n, 0.2).numpy())
        return made

    size = 0.12 if "CuBa" in kind else 0.5
    first = kind.removeprefix("R")
    net = nn.Sequential(
        linear(HIDDEN, INPUTS), cells(first, HIDDEN), linear(LAST, HIDDEN), cells(kind, LAST)
    )
    x, path = spikes_in(seed), tmp_path / f"spyx {kind} {seed}.nir"
    given = np.concatenate([x, np.zeros((1, INPUTS), np.float32)])[:, None]
    want = np.asarray(nn.run(net, jnp.asarray(given))[0])[1:, 0]
    ends = {"input": np.array([INPUTS])}, {"output": np.array([LAST])}
    nir.write(path, spyx.nir.to_nir(net, *ends))
    same(path, x, want, simulator="spyx")
