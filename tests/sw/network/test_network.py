import numpy as np
import pytest

from tests.support.parts import changed
from triodia.network.network import Network
from triodia.network.random import new_network, random_mask
from triodia.tasks.catalog import Task, TaskData
from triodia.train.attach import attach
from triodia.train.settings import Settings
from triodia_hw.errors import CheckFailed, MissingTool, TriodiaError


def task_network(neurons=12, seed=0, **options) -> Network:
    rng = np.random.default_rng(seed)
    x, lengths, y = rng.standard_normal((6, 5, 3)), np.full(6, 5), np.arange(6) % 2
    data = TaskData(x_train=x, len_train=lengths, y_train=y, x_test=x, len_test=lengths, y_test=y)
    task = Task(
        name="toy",
        source="",
        licence="",
        shape="",
        metric="accuracy",
        inputs=3,
        classes=2,
        loader=lambda: data,
    )
    drive = Settings(input_density=0.5, input_gain=1.0)
    return attach(new_network(neurons, seed, **options), task, data, seed, drive)


def broken(net, **changes):
    with pytest.raises(TriodiaError) as caught:
        changed(net, **changes)
    return str(caught.value)


def test_new_network_is_what_it_says():
    net = new_network(200, 3, ei_ratio=0.75, gain=0.7, tau_mean=9.0)
    assert (net.sign == 1).sum() == 150
    assert not net.mask_rec.diagonal().any() and net.synapses == 200 * 199
    # Dale's law: every weight has the sign of its source (column).
    assert np.all(np.sign(net.w_rec) == net.sign * net.mask_rec)
    # Balance: the mean is far smaller than with excitation alone.
    assert abs(net.w_rec.sum()) < 0.1 * np.abs(net.w_rec).sum()
    assert (net.w_rec**2).sum(axis=1).mean() == pytest.approx(0.49, rel=1e-4)
    assert net.tau_mem.mean() == pytest.approx(9.0, rel=0.15) and net.tau_mem.min() >= 1
    assert net.tau_mem.std() > 2


def test_seed_decides():
    a, b, c = new_network(20, 1), new_network(20, 1), new_network(20, 2)
    assert np.array_equal(a.w_rec, b.w_rec) and np.array_equal(a.tau_mem, b.tau_mem)
    assert not np.array_equal(a.w_rec, c.w_rec)


def test_density_counts_by_source():
    mask = random_mask((40, 7), 0.25, np.random.default_rng(0))
    assert np.all(mask.sum(axis=0) == 10)
    with pytest.raises(TriodiaError, match=r"^density must be above 0 and at most 1, not 1.5$"):
        random_mask((4, 4), 1.5, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neurons": 1}, "neurons must be in 2..65536, not 1"),
        ({"ei_ratio": 1.0}, "ei_ratio must be between 0 and 1, not 1.0"),
        ({"tau_mean": 0.0}, "tau_mean, tau_shape and tau_syn_mean must be above 0"),
        ({"adaptive": 1.5}, "adaptive must be between 0 and 1, not 1.5"),
        ({"adaptive": 1.0, "tau_adapt": 0.5}, "tau_adapt must be between 1 and 1e+06, not 0.5"),
        ({"adaptive": 1.0, "jump": -1.0}, "jump must be between 0.001 and 100, not -1.0"),
    ],
)
def test_new_network_refuses(options, message):
    with pytest.raises(TriodiaError) as caught:
        new_network(**({"neurons": 10, "seed": 0} | options))
    assert str(caught.value) == message


def test_arrays_are_read_only_copies():
    weights = np.zeros((2, 2), np.float32)
    net = changed(new_network(2, 0), w_rec=weights)
    weights[0, 1] = 5
    assert net.w_rec[0, 1] == 0
    with pytest.raises(ValueError, match="read-only"):
        net.w_rec[0, 1] = 1


def test_bad_arrays_are_refused():
    net = new_network(5, 0)
    nan = net.w_rec.copy()
    nan[0, 1] = np.nan
    assert broken(net, w_rec=nan) == "w_rec must be finite everywhere; it holds NaN or infinity"
    assert broken(net, w_rec=np.zeros((5, 4))) == "w_rec must have shape (5, 5), not (5, 4)"
    assert broken(net, w_rec=np.ones((5, 5))) == "w_rec must be 0 outside its mask"
    assert broken(net, bias=np.zeros(4)) == "bias must have shape (5,), not (4,)"
    assert broken(net, tau_mem=np.zeros(5)) == "tau_mem must be above 0 everywhere, not 0.0"
    assert broken(net, threshold=-np.ones(5)) == "threshold must be above 0 everywhere, not -1.0"
    assert broken(net, refractory=-np.ones(5)) == "refractory must be 0 or more, not -1"
    some = {"tau_adapt": np.ones(5), "jump": np.ones(5)}
    assert broken(net, jump=np.ones(5)) == "tau_adapt and jump must both be given, or neither"
    assert broken(net, **some | {"jump": -np.ones(5)}) == "jump must be 0 or more, not -1.0"
    assert "tau_adapt must be above 0" in broken(net, **some | {"tau_adapt": np.zeros(5)})
    assert broken(net, sign=np.zeros(5)) == "sign must be +1 or -1 for every neuron"
    assert broken(net, reset="soft") == "reset must be 'subtract' or 'zero', not 'soft'"
    assert "must be of 5 neurons, not 12" in broken(net, head=task_network(12).head)


def test_bad_task_part_is_refused():
    net = task_network()
    assert broken(net, mask_in=~net.head.mask_in) == "w_in must be 0 outside its mask"
    assert broken(net, w_out=np.zeros((2, 3))) == "w_out must have shape (2, 12), not (2, 3)"
    assert broken(net, tau_syn_out=np.ones(5)) == "tau_syn_out must have shape (2,), not (5,)"
    assert broken(net, tau_syn_out=np.zeros(2)) == "tau_syn_out must be above 0 everywhere, not 0.0"
    assert broken(net, input_std=np.zeros(3)) == "input_std must be above 0 everywhere, not 0.0"
    assert broken(net, input_clip=0.0) == "input_clip must be above 0, not 0.0"


def test_counts():
    net = task_network(12)
    counts = net.counts()
    assert counts["synapses"] == 12 * 11 and counts["synapses_out"] == 24
    assert counts["synapses_total"] == 12 * 11 + 24 + int(net.head.mask_in.sum())
    assert new_network(4, 0).counts()["synapses_total"] == 12


def test_subnetwork():
    net = task_network(12, tau_syn_mean=4.0)
    keep = np.array([7, 2, 11])
    part = net.subnetwork(keep)
    assert part.w_rec[0, 2] == net.w_rec[7, 11] and part.tau_syn[1] == net.tau_syn[2]
    assert np.array_equal(part.head.w_in, net.head.w_in[keep])
    assert np.array_equal(part.head.w_out, net.head.w_out[:, keep])
    for bad in ([], [0, 0], [12], [[1, 2]]):
        with pytest.raises(TriodiaError, match=r"^keep must be distinct neurons in 0\.\.11$"):
            net.subnetwork(np.array(bad))


def test_inputs_are_standardised_and_clipped():
    net = task_network()
    x = net.head.input_mean + net.head.input_std * np.array([[1.0, -2.0, 100.0]])
    assert net.scale_input(x) == pytest.approx(np.array([[1.0, -2.0, 4.0]]), abs=1e-5)
    with pytest.raises(TriodiaError, match=r"^inputs must have 3 channels, not 2$"):
        net.scale_input(x[:, :2])
    with pytest.raises(TriodiaError, match="triodia train"):
        new_network(3, 0).scale_input(x)


def test_provenance_grows():
    net = new_network(4, 9).with_provenance(command="x", seed=1)
    assert [step["command"] for step in net.provenance] == ["new", "x"]
    assert net.provenance[0]["seed"] == 9


def test_exit_codes():
    assert [e("").exit_code for e in (TriodiaError, MissingTool, CheckFailed)] == [2, 3, 1]
