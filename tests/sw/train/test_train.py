import numpy as np
import pytest
import torch

from tests.support.parts import array, changed
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.prune.pipeline import prune
from triodia.tasks.catalog import get_task
from triodia.train.attach import attach
from triodia.train.augment import augment
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia.train.settings import Settings
from triodia_hw.errors import TriodiaError

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(400, 300)


@pytest.fixture(scope="module")
def trained():
    net = new_network(48, 0, density=0.3)
    seen = []
    return net, *train(net, DIGITS, data=SMALL, epochs=40, seed=3, progress=seen.append), seen


def test_learns_and_holds_the_rate(trained):
    _, net, report, seen = trained
    measured = evaluate(net, SMALL)
    assert measured["accuracy"] > 0.6  # chance is 0.1; the untrained network below is near it
    untrained = evaluate(attach(new_network(48, 0), DIGITS, SMALL, 3, Settings()), SMALL)
    assert untrained["accuracy"] < 0.3
    assert 0.005 < measured["rate"] < 0.06
    assert report.train["accuracy"] > 0.7 and report.train["samples"] == 400
    assert [h["epoch"] for h in seen] == list(range(1, 41)) and seen == report.history
    assert seen[-1]["loss"] < seen[0]["loss"]


def test_activity_term_works(trained):
    net, *_ = trained
    free, _ = train(net, DIGITS, data=SMALL, epochs=4, rate_cost=0.0)
    held, _ = train(net, DIGITS, data=SMALL, epochs=4, target_rate=0.01)
    assert evaluate(held, SMALL)["rate"] < 0.5 * evaluate(free, SMALL)["rate"]


def test_graph_stays(trained):
    before, net, *_ = trained
    assert np.array_equal(net.mask_rec, before.mask_rec)
    for part in ("in", "rec", "out"):
        assert not array(net, f"w_{part}")[~array(net, f"mask_{part}")].any()
    assert np.abs(net.w_rec - before.w_rec).max() > 1e-3
    assert net.provenance[-1]["command"] == "train" and net.provenance[-1]["seed"] == 3


def test_seed_decides_and_nothing_else():
    net, options = new_network(16, 0), {"data": SMALL.subset(60, 10), "epochs": 2}
    torch.manual_seed(1)
    a, _ = train(net, DIGITS, seed=5, **options)
    state = torch.get_rng_state()
    b, _ = train(net, DIGITS, seed=5, **options)
    c, _ = train(net, DIGITS, seed=6, **options)
    assert torch.equal(state, torch.get_rng_state())
    assert np.array_equal(a.w_rec, b.w_rec) and np.array_equal(a.head.w_in, b.head.w_in)
    assert not np.array_equal(a.w_rec, c.w_rec)


def test_trained_network_survives_its_file(trained, tmp_path):
    _, net, *_ = trained
    save_network(net, tmp_path / "a")
    assert evaluate(load_network(tmp_path / "a"), SMALL) == evaluate(net, SMALL)


def test_pruned_network_trains():
    net, _ = prune(new_network(48, 0), synapses=0.5, nodes=0.5)
    out, _ = train(net, DIGITS, data=SMALL.subset(60, 10), epochs=1)
    assert np.array_equal(out.mask_rec, net.mask_rec)


def test_a_trained_network_is_pruned_and_goes_on(trained):
    _, net, *_ = trained
    thin, _ = prune(net, method="magnitude", synapses=0.5, nodes=1.0)
    before, options = evaluate(thin, SMALL), {"data": SMALL, "epochs": 3, "keep": True}
    still, _ = train(thin, DIGITS, lr=1e-9, **options)
    assert (
        np.allclose(still.head.w_in, net.head.w_in, atol=1e-6) and evaluate(still, SMALL) == before
    )
    more, _ = train(thin, DIGITS, **options)
    fresh, _ = train(thin, DIGITS, **(options | {"keep": False}))
    # In three epochs one learns little from new inputs.
    assert evaluate(more, SMALL)["accuracy"] > evaluate(fresh, SMALL)["accuracy"] + 0.1
    assert np.array_equal(more.head.mask_in, net.head.mask_in)
    assert (more.provenance[-1]["keep"], fresh.provenance[-1]["keep"]) == (True, False)


def test_going_on_needs_the_same_task(trained):
    bare, other = new_network(16, 0), changed(trained[1], task="watch")
    for net, known in ((bare, "of no task"), (other, "of watch")):
        with pytest.raises(TriodiaError, match=f"must be of digits, they are {known}; train it"):
            train(net, DIGITS, data=SMALL, epochs=1, keep=True)


def test_fixed_time_constants():
    net = new_network(16, 0)
    fixed, _ = train(net, DIGITS, data=SMALL.subset(60, 10), epochs=1, learn_tau=False)
    moved, _ = train(net, DIGITS, data=SMALL.subset(60, 10), epochs=1)
    assert np.allclose(fixed.tau_mem, net.tau_mem, rtol=1e-5)
    assert not np.allclose(moved.tau_mem, net.tau_mem, rtol=1e-5)


def test_inputs_are_attached_as_asked():
    net = attach(new_network(40, 0), DIGITS, SMALL, 0, Settings(input_density=0.25))
    assert np.all(net.head.mask_in.sum(axis=0) == 10)
    assert net.head.mask_out.all() and net.head.w_out.shape == (10, 40)
    scaled = net.scale_input(SMALL.x_train)
    assert abs(scaled.mean()) < 0.05 and scaled.std() == pytest.approx(1, abs=0.15)


def test_synaptic_operations_by_hand():
    net = attach(new_network(30, 0, density=0.2), DIGITS, SMALL, 0, Settings(input_density=0.3))
    data = SMALL.subset(5, 4)
    from triodia.train.model import SpikingModel

    x = torch.tensor(net.scale_input(data.x_test))
    spikes = SpikingModel(net)(x, torch.tensor(data.len_test)).spikes.detach().numpy()
    rec = out = given = 0
    for n in range(4):
        for t in range(8):
            given += sum(net.head.mask_in[:, j].sum() for j in range(8) if x[n, t, j] != 0)
            if t < 7:  # spikes of the last step arrive nowhere
                rec += sum(net.mask_rec[:, j].sum() for j in np.flatnonzero(spikes[n, t]))
                out += 10 * spikes[n, t].sum()
    measured = evaluate(net, data)
    assert measured["sops_in"] == pytest.approx(given / 4)
    assert measured["sops_rec"] == pytest.approx(rec / 4) and rec > 0
    assert measured["sops_out"] == pytest.approx(out / 4)
    assert measured["rate"] == pytest.approx(spikes.mean(), rel=1e-6)


@pytest.mark.parametrize("updates", [1, 2, 3, 9, 10, 11, 20])
def test_any_number_of_updates_trains(updates):
    data = SMALL.subset(updates, 1)
    _, report = train(new_network(4, 0), DIGITS, data=data, epochs=1, batch=1)
    assert np.isfinite(report.loss)


def test_options_are_checked():
    with pytest.raises(TriodiaError, match=r"^training options must be among epochs, .*'epoch'$"):
        train(new_network(4, 0), DIGITS, epoch=3)
    with pytest.raises(TriodiaError, match=r"^epochs and batch must be 1 or more$"):
        train(new_network(4, 0), DIGITS, epochs=0)
    with pytest.raises(TriodiaError, match=r"^dropout must be at least 0 and below 1, got 1\.$"):
        train(new_network(4, 0), DIGITS, dropout=1.0)
    with pytest.raises(TriodiaError, match=r"^noise, shift, rate_cost and silent_cost must be 0"):
        train(new_network(4, 0), DIGITS, noise=-0.1)
    with pytest.raises(TriodiaError, match=r"^lr must be above 0 and at most 1e\+06, got -1\.$"):
        train(new_network(4, 0), DIGITS, lr=-1.0)
    with pytest.raises(TriodiaError, match=r"^target_rate must be above 0 and at most 1, got 0\.$"):
        train(new_network(4, 0), DIGITS, target_rate=0.0)


def test_warp_keeps_ends_and_padding():
    torch.manual_seed(0)
    x = torch.zeros(200, 20, 1)
    lengths = torch.randint(5, 15, (200,))
    for row, n in zip(x, lengths, strict=True):
        row[:n, 0] = torch.linspace(1, 2, int(n))
    warped, new = augment(x, lengths, 0.0, 0.3)
    assert (new != lengths).float().mean() > 0.5
    assert torch.all((new / lengths - 1).abs() <= 0.3 + 0.5 / lengths)
    for row, n in zip(warped, new.tolist(), strict=True):
        assert row[:n, 0].numpy() == pytest.approx(np.linspace(1, 2, n), abs=1e-5)
        assert not row[n:].any()


def test_noise_has_its_size():
    torch.manual_seed(0)
    x, lengths = augment(torch.zeros(50, 20, 3), torch.full((50,), 20), 0.4, 0.0)
    assert x.std().item() == pytest.approx(0.4, rel=0.05) and torch.all(lengths == 20)
