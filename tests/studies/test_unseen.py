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
