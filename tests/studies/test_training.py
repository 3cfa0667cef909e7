import numpy as np
import pytest

from triodia.tasks.catalog import get_task
from triodia_studies import training as experiments

DIGITS = get_task("digits")
SMALL = DIGITS.load().subset(40, 5)


def test_cross_entropy_is_that_of_the_best_factor():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(size=(30, 4)), rng.integers(0, 4, 30)
    logits[np.arange(30), y] += 1.5
    chance = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(30), y].mean()
    found = experiments.cross_entropy(logits, y)
    assert found <= chance < np.log(4)
    assert experiments.cross_entropy(logits / 3, y) == pytest.approx(found, abs=0.01)
    assert experiments.cross_entropy(-logits, y) > np.log(4)


def test_folds_repeat_and_options_matter():
    def run(seed, **options):
        return experiments.cross_validate(DIGITS, SMALL, seed=seed, neurons=12, epochs=1, **options)

    assert run(0) == run(0)
    assert run(0)["cross_entropy"] != run(0, dropout=0.5)["cross_entropy"]
    assert run(0) != run(3)


def test_variants_are_compared_in_pairs():
    names = ("accuracy", "cross_entropy", "rate")
    runs = [[dict.fromkeys(names, v) for v in values] for values in ((1.0, 4.0), (3.0, 5.0))]
    first, other = experiments.compare([{}, {"dropout": 0.5}], [0, 3], runs)
    for name in names:
        assert first[name]["change"] == first[name]["standard_error"] == 0
        assert other[name]["by_seed"] == [3, 5] and other[name]["mean"] == 4
        assert other[name]["change"] == 1.5  # of +2 and +1
        assert other[name]["standard_error"] == pytest.approx(0.5)  # half their distance
    (alone,) = experiments.compare([{}], [3], [runs[0][:1]])
    assert alone["rate"]["standard_error"] is None


def test_study_pairs_runs_with_variants(monkeypatch):
    study = experiments.study(12, [{"epochs": 1}, {"epochs": 2}])
    choices = study.plan([0, 3])
    results = [
        {"accuracy": c["options"]["epochs"] + c["seed"], "cross_entropy": 0.0, "rate": 0.0}
        for c in choices
    ]
    rows = study.rows(choices, results)
    assert [row["accuracy"]["by_seed"] for row in rows] == [[1, 4], [2, 5]]
