from triodia_studies.unseen import load_aeon


def test_sets_of_aeon_are_whole():
    data = load_aeon("ItalyPowerDemand")
    assert data.x_train.shape == (67, 24, 1) and data.classes == 2
    assert data.x_test.shape[1:] == (24, 1) and (data.len_test == 24).all()
    assert set(data.y_train) == {0, 1}
