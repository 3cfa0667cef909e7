"""A training loop of one's own, and snnTorch's modules as networks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import snntorch as snn
import torch

from tests.support.commands import ok
from triodia.nn import SpikingModel, from_snntorch, new_network, with_inputs
from triodia_hw.errors import TriodiaError

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_loop.py"


def test_the_example_trains_and_quantizes(tmp_path, capsys):
    done = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    losses = [float(line.split()[-1]) for line in done.stdout.splitlines()]
    assert losses[-1] < 0.5 * losses[0]
    files = (tmp_path / "own_loop.net", "-o", tmp_path / "a", "--data", tmp_path / "own_loop.npz")
    assert ok(capsys, "quantize", *files)["metric_integer"] > 0.8


def test_inputs_from_arrays_alone():
    x = np.random.default_rng(0).normal(3, 2, (5, 7, 4))
    net = with_inputs(new_network(10, 0), x, 3)
    assert (net.inputs, net.readouts) == (4, 3)
    assert np.allclose(net.head.input_mean, x.mean((0, 1)), atol=1e-5)
    trace = SpikingModel(net)(torch.tensor(net.scale_input(x)), torch.full((5,), 7))
    assert trace.v_out.shape == (5, 7, 3)


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_snntorch_modules_spike_alike(recurrent, reset):
    torch.manual_seed(3)
    kind = {"reset_mechanism": reset, "reset_delay": False}
    into, out = torch.nn.Linear(5, 12), torch.nn.Linear(12, 3)
    if recurrent:
        hidden = snn.RLeaky(beta=0.8, linear_features=12, **kind)
    else:
        hidden = snn.Leaky(beta=0.8, **kind)
    last = snn.Leaky(beta=0.9, reset_mechanism="none")
    x = torch.rand(40, 1, 5) * 1.5
    spikes, potentials = simulated(into, hidden, out, last, x, recurrent)
    net = from_snntorch([into, hidden, out, last])
    trace = SpikingModel(net)(x[:, 0][None], torch.tensor([40]))
    assert spikes.sum() > 10 and np.array_equal(trace.spikes[0].detach().numpy(), spikes)
    early = net.head.bias_out * 0.9 ** np.arange(1, 40)[:, None]  # of the step before the first
    assert np.allclose(trace.v_out[0, 1:].detach().numpy(), potentials[:-1] + early, atol=1e-4)


def simulated(into, hidden, out, last, x, recurrent):
    """Spikes and readout potentials of snnTorch itself."""
    state = hidden.init_rleaky() if recurrent else hidden.init_leaky()
    state = list(state) if recurrent else [state]
    mem, spikes, potentials = last.init_leaky(), [], []
    with torch.no_grad():
        for now in x:
            found = hidden(into(now), *state)
            s, state = found[0], list(found) if recurrent else [found[1]]
            _, mem = last(out(s), mem)
            spikes.append(s[0].numpy())
            potentials.append(mem[0].numpy())
    return np.array(spikes), np.array(potentials)


def test_modules_that_do_not_map_are_named():
    line, leaky = torch.nn.Linear(2, 2), snn.Leaky(beta=0.5, reset_delay=False)
    last = snn.Leaky(beta=0.5, reset_mechanism="none")
    for modules, message in (
        ([line], "Pass four modules"),
        ([leaky, leaky, line, last], "Module 0 must be a Linear, got Leaky"),
        ([line, snn.Synaptic(0.5, 0.5), line, last], "Module 1 must be a Leaky or RLeaky"),
        ([line, leaky, line, leaky], 'Module 3 must be a Leaky with reset_mechanism="none"'),
        ([line, snn.Leaky(beta=0.5), line, last], "Module 1 must have reset_delay=False"),
    ):
        with pytest.raises(TriodiaError, match=message):
            from_snntorch(modules)
