from dataclasses import replace

from triodia_studies.adaptation import delayed, row


def test_twins_differ_in_adaptation_alone():
    task = delayed(3)
    small = task.load().subset(128, 64)
    assert small.x_train.shape[1:] == (15, 4)
    task = replace(task, loader=lambda: small)
    plain, adaptive = (row(task, share, 0, neurons=16, epochs=1) for share in (0.0, 0.5))
    assert (plain["task"], plain["adaptive"], adaptive["adaptive"]) == ("delayed-sum-3", 0.0, 0.5)
    assert plain["rate"] != adaptive["rate"]
    assert plain == row(task, 0.0, 0, neurons=16, epochs=1)
