import numpy as np

from triodia_studies.waiting import LONGEST, clicks, load_clicks, row


def test_only_the_time_between_clicks_tells_the_class():
    x, lengths, y = clicks(500, 0)
    assert (x.sum((1, 2)) == 2).all() and (lengths == x.shape[1]).all()
    first, second = x.argmax(1).T
    assert np.array_equal(second - first, 4 * (y + 1)) and (second - first).max() == LONGEST
    for k in range(4):  # a single click can come at the same times in every class
        assert first[y == k].min() <= 1 and first[y == k].max() >= 18


def test_kinds_differ_in_delays_alone():
    small = load_clicks().subset(50, 40)
    kinds = [row(kind, 0, small, epochs=1) for kind in ("none", "fixed", "learned")]
    assert [found.pop("network") for found in kinds] == ["none", "fixed", "learned"]
    assert all(set(found) == {"seed", "train", "metric_float", "metric_integer"} for found in kinds)
