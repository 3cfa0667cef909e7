"""Training for few bits: the machine's integers are exactly the weights that were trained."""

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.quantize.quantize import QuantizeOptions, float_weights, quantize
from triodia.tasks.catalog import get_task
from triodia.train.grid import first_steps, on_grid, settled_step
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia_hw.errors import TriodiaError

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(300, 200)


@pytest.fixture(scope="module", params=[2, 4])
def trained(request):
    net = new_network(24, 0, density=0.3)
    options = {"data": SMALL, "epochs": 20, "seed": 1}
    return request.param, train(net, DIGITS, weight_bits=request.param, **options)


def test_quantize_finds_the_grid(trained):
    bits, (net, report) = trained
    image = quantize(net, SMALL, QuantizeOptions(weight_bits=bits))
    assert image.meta["exact_neurons"] == net.neurons + net.readouts
    assert np.abs(image.weight).max() <= 2 ** (bits - 1) - 1
    weights = float_weights(net)
    for row in weights[: net.neurons]:
        assert len(np.unique(np.abs(row))) <= 2 ** (bits - 1)
    assert len(report.history) == 30 and report.settings["weight_bits"] == bits


def test_few_bits_still_learn(trained):
    bits, (net, _) = trained
    assert evaluate(net, SMALL)["accuracy"] > (0.25 if bits == 2 else 0.5)  # chance is 0.1


def test_gradients_pass_the_rounding():
    w = torch.tensor([[0.3, -0.7, 5.0, 0.0]], requires_grad=True)
    step = torch.tensor([[0.5]], requires_grad=True)
    rounded = on_grid(w, step, 3)  # -3 to 3 steps
    assert rounded.tolist() == [[0.5, -0.5, 1.5, 0.0]]
    rounded.sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0, 0.0, 1.0]]  # the clipped weight gets none
    # Esser et al., eq. 3: round(w/s) - w/s inside, the bound outside; scaled by 1/sqrt(n Q)
    expected = ((1 - 0.6) + (-1 + 1.4) + 3 + 0) / np.sqrt(4 * 3)
    assert step.grad.item() == pytest.approx(expected, rel=1e-5)


def test_first_steps_fit_best_among_those_tried():
    w, mask = torch.tensor([[1.0, 2.0, 3.0]]), torch.ones(1, 3)
    assert first_steps(w, mask, 3).item() == pytest.approx(1.0)


def test_thresholds_are_whole_parts_of_the_settled_step():
    step = settled_step(np.array([0.3, 0.017]), np.array([1.0, 2.0]))
    parts = np.array([1.0, 2.0]) / step * 32
    assert np.allclose(parts, np.rint(parts)) and np.allclose(step, [0.3, 0.017], rtol=0.01)


def test_bits_are_checked():
    with pytest.raises(TriodiaError, match="weight_bits must be between 2 and 16"):
        train(new_network(4, 0), DIGITS, weight_bits=1)
