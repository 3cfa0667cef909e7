"""`quantize --latency` and `--board`: the machine that suits, and why."""

from dataclasses import replace

import pytest

from tests.support.commands import call, ok
from triodia.network.files import save_network
from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.quantize.quantize import QuantizeOptions
from triodia.quantize.sizing import LANES, choose, fastest_for, smallest_for
from triodia.tasks.catalog import get_task
from triodia_boards.catalog import get_board
from triodia_boards.flow.limits import DoesNotFit, check_fit
from triodia_hw.errors import TriodiaError

OPTIONS = QuantizeOptions()


@pytest.fixture(scope="module")
def data():
    return get_task("digits").load()


@pytest.fixture(scope="module")
def net(data):
    """Forty neurons, untrained: their time matters here, not their answers."""
    return with_inputs(new_network(40, 0, density=0.5), data.x_train, 10)


def test_the_fewest_pes_that_meet_a_latency(net, data):
    every = [smallest_for(net, data, OPTIONS, most, samples=3)[0] for most in (1e9, 900, 500)]
    assert every[0].lanes == 1 and every[0].lanes < every[1].lanes <= every[2].lanes
    for found, most in zip(every[1:], (900, 500), strict=True):
        assert found.cycles <= most
        before = LANES[LANES.index(found.lanes) - 1]
        less, _ = smallest_for(net, data, OPTIONS, 1e9, samples=3)
        assert less.operations > most * before or _cycles(net, data, before) > most


def _cycles(net, data, lanes):
    chosen = choose(net, data, OPTIONS, lanes, None, None)
    return float(chosen.reason.split(": ")[1].split(" µs")[0]) * 100


def test_the_fastest_machine_that_fits(net, data):
    board = get_board("icebreaker")
    options = QuantizeOptions(family="ice40")
    found = fastest_for(net, data, options, board, samples=3)
    check_fit(found.image.params, board)
    with pytest.raises(DoesNotFit, match="icestick"):
        fastest_for(net, data, options, get_board("icestick"), samples=3)


def test_a_latency_that_no_machine_meets_names_the_fastest(net, data):
    with pytest.raises(
        TriodiaError, match=r"0\.1 µs cannot be met: the fastest machine has \d+ PE"
    ):
        choose(net, data, OPTIONS, None, None, 0.1)


def test_pes_of_the_users_own_are_kept_and_judged(net, data):
    chosen = choose(net, data, OPTIONS, 2, None, 0.1)
    assert chosen.lanes == 2 and "more than the 0.1 µs that were asked for" in chosen.reason


def test_the_command(capsys, tmp_path, net):
    net = replace(net, head=replace(net.head, task="digits"))
    save_network(net, tmp_path / "a.net")
    made = ok(capsys, "quantize", tmp_path / "a.net", "-o", tmp_path / "a.image", "--latency", 9)
    assert made["sizing"].startswith(f"{made['lanes']} PE") and "meet 9 µs" in made["sizing"]
    wrong = ("--board", "icestick", "--family", "ecp5")
    code, _, err = call(capsys, "quantize", tmp_path / "a.net", "-o", tmp_path / "b.image", *wrong)
    assert code == 2 and "`--family` must be ice40" in err and not (tmp_path / "b.image").exists()
