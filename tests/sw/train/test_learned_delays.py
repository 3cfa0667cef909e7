"""Delays that are learned: spread, narrowed, whole in the end, and as the machine has them."""

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.delays import LearnedDelays
from triodia.train.loop import settings_for, train
from triodia_hw.errors import TriodiaError

DIGITS = get_task("digits")


def test_a_synapse_is_spread_around_its_delay():
    """The shares sum to 1, fall with the distance, and end as one whole delay."""
    learned, w = LearnedDelays(torch.tensor([[2.2]]), 6), torch.tensor([[3.0]])
    widest = [part.item() for part in learned.parts(w).values()]
    assert sum(widest) == pytest.approx(3) and np.argmax(widest) == 2 and min(widest) > 0.1
    by_hand = np.exp(-(((np.arange(7) - 2.2) / 3) ** 2) / 2)
    assert widest == pytest.approx(3 * by_hand / by_hand.sum())
    learned.narrow(0.4)
    assert learned.width.item() == pytest.approx(3 * (1 / 6) ** 0.5)
    learned.narrow(0.8)
    assert [part.item() for part in learned.parts(w).values()] == [0, 0, 3, 0, 0, 0, 0]
    assert learned.whole().tolist() == [[2]]


def test_the_gradient_moves_a_delay():
    """A spike that arrives too soon waits longer."""
    learned, w = LearnedDelays(torch.tensor([[1.0]]), 6), torch.tensor([[1.0]])
    step = torch.optim.Adam([learned.place], lr=0.2)
    for k in range(60):
        learned.narrow(k / 60)
        parts = torch.stack([part.sum() for part in learned.parts(w).values()])
        step.zero_grad()
        loss = -parts[4]
        if loss.requires_grad and learned.width > 0:
            loss.backward()
            step.step()
    assert learned.whole().tolist() == [[4]]


def test_what_was_learned_is_in_the_machine():
    data = DIGITS.load().subset(120, 60)
    net = new_network(16, 0, density=0.5)
    got, report = train(net, DIGITS, data=data, seed=0, epochs=5, learn_delays=7)
    again, _ = train(net, DIGITS, data=data, seed=0, epochs=5, learn_delays=7)
    assert np.array_equal(got.delay_rec, again.delay_rec) and report.settings["learn_delays"] == 7
    assert len(got.delays) > 4 and max(got.delays) <= 7
    assert quantize(got, None, QuantizeOptions(weight_bits=16)).params.delays == got.delays
    first = new_network(16, 0, density=0.5, max_delay=7)
    moved, _ = train(first, DIGITS, data=data, seed=0, epochs=5, learn_delays=7)
    assert 0 < np.count_nonzero(moved.delay_rec != first.delay_rec) < first.delay_rec.size


def test_settings_that_do_not_go_together():
    text = r"^learn_delays must be between 0 and 63 steps; got 64\.$"
    with pytest.raises(TriodiaError, match=text):
        settings_for(DIGITS, {"learn_delays": 64})
    for other in ({"weight_bits": 4}, {"sparse": "rigl"}):
        with pytest.raises(TriodiaError, match=r"^learn_delays goes with neither"):
            settings_for(DIGITS, {"learn_delays": 3} | other)
