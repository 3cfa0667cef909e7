"""What delays and adaptation add to the forecast of logic: the fit, and it against synthesis."""

from dataclasses import asdict, replace

import pytest

from triodia_boards.catalog import BOARDS
from triodia_hw.compile.options import Options
from triodia_hw.cost.logic import features, logic, more_features
from triodia_studies.logic import counted
from triodia_studies.more_logic import KINDS, drawn, errors, fit

BOARD = BOARDS["ulx3s-85f"]


def machines(kind, seeds):
    return [(seed, *drawn(BOARD, kind, seed)) for seed in seeds]


RULE = {"wheel": 300, "delays": 5, "wheel blocks": 40, "adapting lanes": 90, "adapting state": 7}


def rows():
    """Machines of each kind, whose logic follows a linear rule exactly."""
    found = []
    for kind in KINDS:
        for seed, p, options in machines(kind, range(10)):
            known = {"params": asdict(p), "options": asdict(options)}
            more = sum(RULE[name] * value for name, value in more_features(p, options).items())
            counts = {"luts": 3000 + 7 * seed + more, "registers": 2000 + more / 10}
            found.append({"kind": kind, "seed": seed} | counts | known)
    return found


def test_the_fit_finds_what_made_the_counts():
    found = fit(rows())
    assert found["luts"] == pytest.approx(RULE, abs=0.01)
    assert found["registers"] == pytest.approx({k: v / 10 for k, v in RULE.items()}, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_machines_are_random_and_repeat(kind):
    once, again = (machines(kind, range(8)) for _ in range(2))
    assert once == again and len({repr(one) for one in once}) == 8
    assert all(bool(p.delays) == (kind == "delays") for _, p, _ in once)
    assert all(p.adaptive == (kind == "adaptive") for _, p, _ in once)


@pytest.mark.parametrize("family", ["ecp5", "ice40", "gowin", "gw5a", "xilinx"])
def test_delays_and_adaptation_take_more_logic(family):
    plain, options = drawn(BOARD, "plain", 0)[0], Options(family=family)
    one, many = (replace(plain, delays=delays) for delays in ((4,), tuple(range(1, 31))))
    many = replace(many, adaptive=True)
    counts = [logic(p, options) for p in (plain, one, many)]
    for kind in ("luts", "registers"):
        values = [getattr(count, kind) for count in counts]
        assert values[0] + 100 < values[1] < values[2]
    assert not more_features(plain, options) and features(plain, options)


def test_an_error_is_relative_to_what_was_counted():
    p, options = drawn(BOARD, "plain", 0)
    said = logic(p, options)
    row = {"kind": "plain", "params": asdict(p), "options": asdict(options)}
    counts = {"luts": said.luts / 1.1, "registers": said.registers / 0.8}
    (found,) = errors([row | counts]).values()
    assert found["luts"] == pytest.approx(0.1) and found["registers"] == pytest.approx(0.2)
    assert found["machines"] == 1 and found["stated"] == said.error


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["delays", "adaptive"])
def test_logic_is_as_foretold(kind, tmp_path):
    """A machine that no fit has seen, within the error that the model states."""
    p, options = drawn(BOARD, kind, 30)
    made, said = counted(tmp_path, BOARD, p, options), logic(p, options)
    for cells in ("luts", "registers"):
        error = abs(getattr(said, cells) / made[cells] - 1)
        assert error <= said.error[cells], (cells, made[cells], said)
