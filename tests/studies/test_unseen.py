import json
import sys

from triodia_studies import frameworks, unseen
from triodia_studies.frameworks import updates
from triodia_studies.unseen import CHOSEN_ON, HELD_OUT, load_set


def test_sets_of_aeon_are_whole():
    data = load_set("ItalyPowerDemand")
    assert data.x_train.shape == (67, 24, 1) and data.classes == 2
    assert data.x_test.shape[1:] == (24, 1) and (data.len_test == 24).all()
    assert set(data.y_train) == {0, 1}


def test_held_out_sets_of_other_packages():
    for name, shape in (("Coffee", (28, 286, 1)), ("Trace", (100, 275, 1))):
        data = load_set(name)
        assert data.x_train.shape == shape and name in HELD_OUT
    assert not set(HELD_OUT) & set(CHOSEN_ON)


def test_the_same_network_trains_in_snntorch(monkeypatch):
    data = load_set("UnitTest")
    scores = []
    for epochs in (1, 40):
        monkeypatch.setattr(frameworks, "updates", lambda *_, n=epochs: (n, 10))
        scores.append(frameworks.FRAMEWORKS["snnTorch"](data, 0, True))
    assert scores[1].train > 0.8 and scores[1].train > scores[0].train
    assert all(one.seconds > 0 and 0 <= one.test <= 1 for one in scores)


def test_lines_of_the_frameworks(monkeypatch, capsys):
    scores = frameworks.Scores(0.9, 0.8, 0.1)
    monkeypatch.setattr(unseen, "FRAMEWORKS", {"snnTorch": lambda *_: scores})
    calls = []

    def row(name, seed, **options):
        calls.append((name, seed, options["synapses"]))
        return {"method": "triodia", "test": 0.7}

    monkeypatch.setattr(unseen, "row", row)
    monkeypatch.setattr(sys, "argv", ["unseen", "UnitTest", "--frameworks", "--seeds", "2"])
    unseen.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["seed"] for line in lines] == [0, 0, 1, 1]
    assert [(line["method"], line["test"]) for line in lines[:2]] == [
        ("triodia", 0.7),
        ("snnTorch", 0.8),
    ]
    assert calls == [("UnitTest", 0, 1.0), ("UnitTest", 1, 1.0)]  # as many synapses as theirs


def test_frameworks_train_for_as_many_updates_as_we_do():
    data = load_set("ItalyPowerDemand")
    epochs, batch = updates(data, own=True)
    assert epochs * -(-len(data.x_train) // batch) >= 1200
    assert updates(data, own=False) == (100, 27)
