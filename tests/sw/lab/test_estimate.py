"""The estimate of the time left converges, follows measurements, and never jumps."""

from itertools import pairwise

import pytest

from triodia.lab.estimate import Clock, schedule


def test_schedule_by_hand():
    """Two workers run a and b in parallel, then c, which needs both, beside d."""
    rest = {"a": 3.0, "b": 5.0, "c": 4.0, "d": 1.0}
    assert schedule(rest, {"c": ["a", "b"]}, 2) == 9
    assert schedule(rest, {}, 1) == 13
    assert schedule(rest, {"c": ["gone"]}, 4) == 5
    assert schedule({}, {}, 2) == 0


def simulate(expected, true, workers=2):
    """Run jobs of ``true`` seconds; return estimate and true time left for each second."""
    kinds = {job: job[0] for job in expected}
    clock, left, running, shown = Clock(expected, kinds, {}, workers), dict(true), {}, []
    end, now = schedule(true, {}, workers), 0.0
    while len(clock.done) < len(true):
        for job in [j for j in left if j not in running][: workers - len(running)]:
            running[job] = now
            clock.start(job, now)
        shown.append((clock.left(now), end - now))
        now += 1
        for job in [j for j, start in running.items() if now - start >= true[j]]:
            clock.finish(job, true[job])
            del running[job], left[job]
    return shown


@pytest.mark.parametrize("speed", [1.0, 0.5, 2.5])
def test_estimate_follows_without_jumps(speed):
    """Expected times that are right, twice too long, or two and a half times too short."""
    expected = {f"{kind}{k}": cost for kind, cost in (("a", 15.0), ("b", 120.0)) for k in range(4)}
    shown = simulate(expected, {job: round(cost * speed) for job, cost in expected.items()})
    jumps = [abs(b - (a - 1)) for (a, _), (b, _) in pairwise(shown)]
    assert max(jumps) < 12
    second_half = shown[len(shown) // 2 :]
    assert max(abs(guess - real) for guess, real in second_half) < 60 * max(1, speed)


def test_known_results_teach_nothing():
    clock = Clock({"a": 10.0, "b": 10.0}, {"a": "k", "b": "k"}, {}, 1)
    clock.finish("a", None)
    assert clock.seconds("b") == 10
