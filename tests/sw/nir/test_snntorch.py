"""Networks exported by snnTorch keep their spikes here; our exports run in snnTorch."""

import warnings

import nir
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tests.support.commands import ok
from tests.sw.nir.test_semantics import run
from triodia.network.random import new_network
from triodia.nir.exporter import export_nir
from triodia.nir.importer import import_nir
from triodia.train.model import SpikingModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # snnTorch and nirtorch use what nirtorch deprecates
    import nirtorch
    import snntorch
    from snntorch.export_nir import export_to_nir
    from snntorch.import_nir import _nir_to_snntorch_module

STEPS = 50


def made(kind, n, **options):
    """A snnTorch layer with heterogeneous decays, one value per neuron so that it exports."""
    options = {"beta": torch.rand(n) * 0.3 + 0.65, "threshold": torch.rand(n) + 0.5} | options
    if "Synaptic" in kind:
        options["alpha"] = torch.rand(n) * 0.4 + 0.3
    if kind.startswith("R"):
        options["linear_features"] = n
    layer = getattr(snntorch, kind)(init_hidden=True, **options)
    if kind.startswith("R"):
        torch.nn.init.normal_(layer.recurrent.weight, 0, 0.4)
    return layer


def linear(rows, columns, bias=True, gain=2):
    layer = torch.nn.Linear(columns, rows, bias=bias)
    torch.nn.init.normal_(layer.weight, 0, gain / np.sqrt(columns))
    return layer


def written(module, path, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nir.write(path, export_to_nir(module, torch.zeros(1, inputs), ignore_dims=[0]))
    return path


def spikes_of(module, x):
    """Spikes of the last layer, ``(steps, neurons)``, from rest."""
    for layer in module:
        if hasattr(layer, "reset_mem"):
            layer.reset_mem()  # what exporting left behind
    with torch.no_grad():
        return np.array([module(row[None])[0].numpy() for row in torch.tensor(x)])


def same(module, neurons, path, *, inputs=4, **options):
    """Spikes of ``module``, which reads the last population of the import, some steps later."""
    net = import_nir(written(module, path, inputs), **options)
    step = net.provenance[-1]
    assert step["dt"] == 1e-4 and "snnTorch" in step["dt_from"]
    x = np.random.default_rng(7).normal(0, 0.8, (STEPS, inputs)).clip(-4, 4).astype(np.float32)
    want = spikes_of(module, x)
    place, lead = step["populations"][-1], np.zeros((step["lead"], inputs))
    got, v_out = run(net, np.concatenate([lead, x]), step["delay"] - step["lead"])
    got = got[place["steps_behind"] :, place["first"] :][:STEPS, :neurons]
    assert want.any(0).sum() > 1 and 0.01 < want.mean() < 0.8
    assert np.array_equal(v_out[step["delay"] :], want) == np.array_equal(got, want)
    return np.array_equal(got, want)


@pytest.mark.parametrize(
    "kind, mechanism, delayed, reset",
    [
        ("Leaky", "subtract", True, "subtract-late"),
        ("Leaky", "zero", True, "zero"),
        ("Leaky", "zero", False, "zero"),
        ("RLeaky", "subtract", True, "subtract-late"),
        ("RLeaky", "zero", True, "zero-late"),
        ("RLeaky", "zero", False, "zero"),
        ("Synaptic", "zero", True, "zero-late"),
        ("Synaptic", "zero", False, "zero"),
        ("RSynaptic", "zero", True, "zero-late"),
    ],
)
def test_spikes_of_every_layer_of_snntorch(kind, mechanism, delayed, reset, tmp_path):
    for seed in range(3):
        torch.manual_seed(seed)
        layer = made(kind, 8, reset_mechanism=mechanism, reset_delay=delayed)
        module = torch.nn.Sequential(linear(8, 4), layer)
        path = tmp_path / f"{seed}.nir"
        assert same(module, 8, path, reset=reset), seed


@pytest.mark.parametrize("kind", ["Leaky", "Synaptic"])
def test_subtraction_at_once(kind, tmp_path):
    """Equal below two thresholds; above, snnTorch resets once more, in the step after."""
    x = np.random.default_rng(7).normal(0, 0.8, (STEPS, 4)).clip(-4, 4).astype(np.float32)
    compared = 0
    for seed in range(4):
        torch.manual_seed(seed)
        layer = made(kind, 8, reset_delay=False)
        module = torch.nn.Sequential(linear(8, 4, bias=False, gain=0.8), layer)
        net = import_nir(written(module, tmp_path / "a.nir", 4), reset="subtract")
        trace = SpikingModel(net)(torch.tensor(x[None]), torch.tensor([STEPS]))
        below = np.all(trace.v[0].detach().numpy() < net.threshold, axis=0)
        got, want = trace.spikes[0].detach().numpy(), spikes_of(module, x)
        assert np.array_equal(got[:, below], want[:, below])
        compared += int(want[:, below].sum())
    assert compared > 50


@pytest.mark.parametrize("kind", ["RLeaky", "Leaky"])
def test_layers(kind, tmp_path):
    """Three layers with biases: the last runs two steps late, its readouts three."""
    for seed in range(3):
        torch.manual_seed(seed)
        layers = [made(kind, n) for n in (9, 8, 7)]
        parts = [linear(9, 4), layers[0], linear(8, 9, gain=4), layers[1]]
        parts += [linear(7, 8, gain=4), layers[2]]
        path = tmp_path / f"{seed}.nir"
        assert same(torch.nn.Sequential(*parts), 7, path, reset="subtract-late"), seed


def test_a_wrong_reset_is_told_apart(tmp_path):
    """A wrong --reset gives other spikes, so it must be named."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(linear(8, 4), made("Leaky", 8))
    for reset in ("zero", "subtract", "zero-late"):
        assert not same(module, 8, tmp_path / "a.nir", reset=reset), reset


def test_another_time_step_is_remarked(tmp_path):
    """snnTorch knows no seconds: its file has decays right with 1e-4 only."""
    torch.manual_seed(0)
    layer = made("Leaky", 8, beta=torch.full((8,), 0.95))
    path = written(torch.nn.Sequential(linear(8, 4), layer), tmp_path / "a.nir", 4)
    said = import_nir(path, dt=1e-3, reset="subtract-late").provenance[-1]["approximated"]
    assert any("decays are other than there; leave --dt out" in s for s in said)
    said = import_nir(path, dt=1e-4, reset="subtract-late").provenance[-1]["approximated"]
    assert not any("decays" in s for s in said)


def test_one_to_one_recurrence(tmp_path):
    for seed in range(3):
        torch.manual_seed(seed)
        layer = snntorch.RLeaky(
            beta=torch.rand(8), all_to_all=False, V=torch.randn(8), init_hidden=True
        )
        module = torch.nn.Sequential(linear(8, 4, bias=False), layer)
        assert same(module, 8, tmp_path / "a.nir", reset="subtract-late")


def test_ours_run_with_neurons_of_snntorch(tmp_path):
    """nirtorch runs a network of ours, exported, with the neurons that snnTorch makes of ours.

    ``snntorch.import_from_nir`` itself leads the input of a recurrent population through its
    recurrent weights (snnTorch 1.0.0, nirtorch 2.6), so the graph goes to nirtorch as it is.
    """
    for seed in range(3):
        net = new_network(12, seed, reset="zero", gain=1.5)
        export_nir(net, tmp_path / "a.nir")
        nodes = dict.fromkeys((nir.Affine, nir.Linear, nir.LIF), _hidden)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = nirtorch.nir_to_torch(nir.read(tmp_path / "a.nir"), nodes)
        x = np.random.default_rng(seed).normal(0.1, 0.5, (STEPS, 12)).astype(np.float32)
        want, state = [], None
        with torch.no_grad():
            for row in torch.tensor(x):
                values, state = module(row[None], state)
                want.append(values[0].numpy())
        assert 0.02 < np.mean(want) < 0.8
        assert np.array_equal(untrained_spikes(net, x), np.array(want))
        assert not np.array_equal(untrained_spikes(new_network(12, 9, gain=1.5), x), np.array(want))


def _hidden(node):
    return _nir_to_snntorch_module(node, init_hidden=True)


def untrained_spikes(net, x):
    """Spikes of a network whose neurons get ``x`` directly."""
    v = s = np.zeros(net.neurons, np.float32)
    beta, trace = np.exp(-1 / net.tau_mem).astype(np.float32), []
    for row in x:
        v = beta * v + row + net.w_rec @ s + net.bias
        s = (v >= net.threshold).astype(np.float32)
        v = np.where(s > 0, 0, v).astype(np.float32)
        trace.append(s)
    return np.array(trace)


def test_a_trained_network_keeps_its_classes(tmp_path, capsys):
    """Digits, a row a step: snnTorch, the import and its integers agree about held-out samples."""
    torch.manual_seed(0)
    hidden = made("RLeaky", 32, reset_mechanism="zero", reset_delay=False)
    module = torch.nn.Sequential(
        linear(32, 8), hidden, linear(10, 32), made("Leaky", 10, reset_mechanism="zero")
    )
    digits = load_digits()
    x, y = (digits.images / 16).astype(np.float32)[:597], digits.target[:597]
    adam = torch.optim.Adam(module.parameters(), 1e-2)
    for batch in torch.arange(500).repeat(16).split(50):
        loss = torch.nn.functional.cross_entropy(
            counts(module, torch.tensor(x)[batch]), torch.tensor(y)[batch]
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    want = counts(module, torch.tensor(x[500:])).argmax(1).numpy()
    right = float((want == y[500:]).mean())
    assert right > 0.4  # guessing gets 0.1
    written(module, tmp_path / "a.nir", 8)
    ok(capsys, "import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net", "--reset", "zero")
    for name, labels in {"y": y[500:], "w": want}.items():
        np.savez(tmp_path / f"{name}.npz", x=x[500:], y=labels)
        options = ("--data", tmp_path / f"{name}.npz")
        result = ok(capsys, "quantize", tmp_path / "a.net", "-o", tmp_path / "a.image", *options)
        expected = right if name == "y" else 1
        assert result["metric_float"] == pytest.approx(expected)
        assert abs(result["metric_integer"] - expected) < 0.15


def counts(module, x):
    """Spikes of each output over the steps of ``x`` (samples, steps, inputs)."""
    for layer in module:
        if hasattr(layer, "reset_mem"):
            layer.reset_mem()
    return torch.stack([module(x[:, t]) for t in range(x.shape[1])]).sum(0)
