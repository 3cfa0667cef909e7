"""Synapses that move while training: their number stays, and each rule does what its paper says."""

import numpy as np
import pytest
import torch

from triodia.network.random import new_network
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.loop import train
from triodia.train.model import SpikingModel
from triodia.train.rewire import Rewiring
from triodia.train.settings import Settings
from triodia_hw.errors import TriodiaError

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(120, 60)


@pytest.mark.parametrize("rule", ["rigl", "deep-r"])
def test_synapses_move_and_their_number_stays(rule):
    net = new_network(24, 0, density=0.2)
    how = {"data": SMALL, "epochs": 6, "seed": 1, "sparse": rule}
    trained, report = train(net, DIGITS, **how)
    assert trained.synapses == net.synapses and report.settings["sparse"] == rule
    assert not trained.mask_rec.diagonal().any()
    assert (trained.mask_rec != net.mask_rec).sum() > 10
    assert not trained.w_rec[~trained.mask_rec].any()
    few, _ = train(net, DIGITS, **(how | {"weight_bits": 3, "epochs": 2}))
    assert few.synapses == net.synapses
    again, _ = train(net, DIGITS, **how)
    assert np.array_equal(again.w_rec, trained.w_rec)


def rewired(rule):
    net = attach(new_network(12, 0, density=0.3), DIGITS, SMALL, 0, Settings())
    model = SpikingModel(net)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    return model, optimiser, Rewiring(model, rule, 100)


def test_rigl_swaps_the_smallest_weights_for_the_steepest_places():
    model, optimiser, rewiring = rewired("rigl")
    x = torch.tensor(model.net.scale_input(SMALL.x_train[:40]))
    out = model(x, torch.tensor(SMALL.len_train[:40])).v_out
    torch.nn.functional.cross_entropy(out.mean(1), torch.tensor(SMALL.y_train[:40])).backward()
    before, size = model.mask_rec > 0, model.w_rec.detach().abs().clone()
    steep = model.seen.grad.abs()
    for _ in range(rewiring.every):
        rewiring.after(optimiser, 0.01)
    after = model.mask_rec > 0
    gone, new = before & ~after, after & ~before
    assert gone.sum() == new.sum() == int(0.3 / 2 * (1 + np.cos(np.pi / 75)) * before.sum())
    assert size[gone].max() <= size[before & after].min()
    left = ~before & ~new & ~torch.eye(12, dtype=torch.bool)
    assert steep[new].min() >= steep[left].max() and not model.w_rec[new].any()


def test_deep_r_replaces_synapses_that_would_change_their_sign():
    model, optimiser, rewiring = rewired("deep-r")
    before = model.mask_rec > 0
    flipped = before.nonzero()[:3]
    with torch.no_grad():
        for i, j in flipped:
            model.w_rec[i, j] *= -1
    rewiring.after(optimiser, 0.0)
    after = model.mask_rec > 0
    assert after.sum() == before.sum()
    gone = (before & ~after).nonzero().tolist()
    assert gone == flipped.tolist() and not model.w_rec[after & ~before].any()


def test_there_is_no_other_rule():
    with pytest.raises(TriodiaError, match="`--sparse` must be one of rigl, deep-r; got set"):
        Settings(sparse="set")
