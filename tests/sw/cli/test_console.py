"""Tables that fit, and progress that is honest."""

import numpy as np
import pytest

from triodia.cli.console import Estimate, Output
from triodia.cli.routing import BuildProgress, routed_part
from triodia.cli.tables import pairs, table

HEADINGS = ("network", "accuracy of integers", "block RAMs", "synapses", "what it is for")
ROW = ("dense", "0.9568", "1,234,567", "16,256", "a sentence of many words that has to be wrapped")


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_tables_fit_and_numbers_stay_whole(width):
    text = table(HEADINGS, [ROW, ROW], width)
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for cell in ROW[:4]:
        assert words.count(cell) >= 2
    for heading in HEADINGS:
        assert all(word in words for word in heading.split())


def test_columns_that_do_not_fit_follow_below():
    text = table(["name", *"abcdefgh"], [["x", *["1,000,000"] * 8]], 40)
    first, second, third = text.split("\n\n")
    assert all(part.splitlines()[2].startswith("x") for part in (first, second, third))


def test_long_words_stay_whole():
    path = "/a/long/path/" + "x" * 90
    assert path in table(["file"], [[path]], 40) and path in pairs([("file", path)], 40)


def walk(parts):
    """Estimates of work whose part done at second ``t`` is ``parts[t]``."""
    estimate = Estimate(0)
    return [estimate.update(part, t) for t, part in enumerate(parts, 1)]


def test_estimates_of_steady_work_are_right():
    left = walk(np.arange(1, 101) / 100)
    assert left[:2] == [None, None] and left[-1] == 0
    assert np.allclose(left[2:], 100 - np.arange(3, 101))


@pytest.mark.parametrize("seed", range(5))
def test_estimates_never_jump_by_minutes(seed):
    rng = np.random.default_rng(seed)
    pace = np.repeat(rng.choice([0.01, 1, 30], 30), 20)
    left = [x for x in walk(np.cumsum(pace) / pace.sum() / 1.01) if x is not None]
    assert np.abs(np.diff(left)).max() <= 31


def test_bars_end_full(capsys):
    with Output(False).bar("Work") as bar:
        bar(16, 19, "almost")
    assert "100 %" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no"), Output(False).bar("Work") as bar:
        bar(16, 19)
        raise ValueError("no")
    assert "100 %" not in capsys.readouterr().err


def test_place_and_route_by_its_log():
    log, parts = "", [0.0]
    for text in (
        "Info:     at iteration #1, type ALL: wirelen solved = 1\n",
        "Info:     at iteration #2, type ALL: wirelen solved = 1\n",
        "Info:   at iteration #1: temp = 0.000000, timing cost = 540, wirelen = 69351\n",
        "Info: Routing 200 arcs.\n",
        "Info:       100 |       10         90 |   10    90 |       110|       0.1       0.1|\n",
        "Info:       200 |       10        190 |   10    90 |         0|       0.1       0.1|\n",
    ):
        log += text
        parts.append(routed_part(log))
    assert parts == sorted(parts) and parts[0] == 0 and parts[-1] == 1
    assert parts[5] == pytest.approx(0.7 + 0.3 * 90 / 200)


def test_a_build_is_one_bar(capsys, tmp_path):
    notes = ["synthesis (Yosys), clock 100 MHz", "place and route (nextpnr)", "bitstream"]
    with BuildProgress(Output(False), tmp_path) as progress:
        for note in notes:
            progress(note)
    err = capsys.readouterr().err
    assert all(note in err for note in notes) and "100 %" in err
