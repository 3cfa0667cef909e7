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


def test_variants_are_compared_in_pairs():
    variants = [{"epochs": 1}, {"epochs": 1, "dropout": 0.5}, {"epochs": 1}]
    kind = {"neurons": 12, "task": DIGITS, "data": SMALL}
    first, other, same = experiments.compare(variants, seeds=[0, 3], **kind)
    for name in ("accuracy", "cross_entropy", "rate"):
        assert first[name]["by_seed"] == same[name]["by_seed"] and len(first[name]["by_seed"]) == 2
        assert same[name]["change"] == same[name]["standard_error"] == 0
        difference = np.subtract(other[name]["by_seed"], first[name]["by_seed"])
        assert other[name]["change"] == pytest.approx(difference.mean())
        error = abs(difference[1] - difference[0]) / 2  # of two values
        assert other[name]["standard_error"] == pytest.approx(error)
    assert first["cross_entropy"] != other["cross_entropy"]
    assert experiments.compare(variants[:1], seeds=[3], **kind)[0]["rate"]["standard_error"] is None
