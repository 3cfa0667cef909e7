"""An interrupted training goes on with the same result; records of a training."""

import numpy as np
import pytest

from triodia.network.random import new_network
from triodia.tasks.catalog import get_task
from triodia.train.diary import sparkline, write_csv
from triodia.train.loop import train
from triodia_hw.errors import TriodiaError

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(120, 40)
HOW = {"data": SMALL, "epochs": 4, "seed": 2, "validation": 0.25, "weight_bits": 4}


class Stop(Exception):
    pass


@pytest.mark.parametrize("epoch", [2, 4, 5])
def test_an_interrupted_training_goes_on(tmp_path, epoch):
    def stop(entry):
        if entry["epoch"] == epoch:
            raise Stop

    net, file = new_network(16, 0), tmp_path / "state"
    whole, report = train(net, DIGITS, **HOW)
    with pytest.raises(Stop):
        train(net, DIGITS, **HOW, checkpoint=file, progress=stop)
    seen = []
    later, again = train(net, DIGITS, **HOW, checkpoint=file, progress=seen.append)
    assert [entry["epoch"] for entry in seen] == list(range(epoch + 1, 7))
    assert again.history == report.history
    for name in ("w_rec", "tau_mem", "bias"):
        assert np.array_equal(getattr(whole, name), getattr(later, name)), name
    assert np.array_equal(whole.head.w_in, later.head.w_in)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    file = tmp_path / "state"
    whole, _ = train(new_network(16, 0), DIGITS, **HOW, checkpoint=file)
    with pytest.raises(TriodiaError, match="belongs to another training"):
        train(new_network(16, 1), DIGITS, **HOW, checkpoint=file)
    with pytest.raises(TriodiaError, match="belongs to another training"):
        train(new_network(16, 0), DIGITS, **(HOW | {"epochs": 5}), checkpoint=file)
    with pytest.raises(TriodiaError, match="belongs to another training"):
        train(whole, DIGITS, **HOW, checkpoint=file, keep=True)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(TriodiaError, match="cannot be read as a checkpoint"):
        train(new_network(16, 0), DIGITS, **HOW, checkpoint=file)


def test_validation_chooses_the_epoch_by_samples_that_are_not_trained_on():
    split = SMALL.held_out(0.25, 2)
    assert len(split.y_train) + len(split.y_test) == 120
    assert set(split.y_train) == set(SMALL.y_train)
    _, report = train(new_network(16, 0), DIGITS, **HOW)
    assert all(0 <= entry["validation"] <= 1 for entry in report.history)
    with pytest.raises(TriodiaError, match="validation must hold out at least one sample"):
        SMALL.held_out(0.001)


def test_records(tmp_path):
    history = [{"epoch": 1, "epochs": 2, "loss": 2.0}, {"epoch": 2, "epochs": 2, "loss": 1.5}]
    write_csv(tmp_path / "log.csv", history)
    assert (tmp_path / "log.csv").read_text().splitlines() == ["epoch,loss", "1,2.0", "2,1.5"]
    assert sparkline([3.0, 2.0, 1.0]) == "█▅▁" and sparkline([1.0], unicode=False) == "_"
    assert len(sparkline(list(range(1000)))) == 40
