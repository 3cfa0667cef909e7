"""The model of logic: its fit, and what it foretells against synthesis."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from triodia_boards.catalog import BOARDS
from triodia_hw.compile.options import Options
from triodia_hw.cost.logic import features, logic
from triodia_studies.logic import design, fit, synthesised

NAMES = ("ulx3s-85f", "hx8k-evb", "icebreaker", "tang-nano-9k", "tang-primer-25k", "arty-a7-35")


def test_the_fit_finds_what_made_the_counts():
    """Rows that follow a linear rule exactly are foretold exactly, also those left out."""
    rows = []
    for seed in range(30):
        p, options = design(BOARDS["ulx3s-85f"], seed)
        known = features(p, options)
        luts = 900 + 70 * known["lanes"] + 5 * known["sum"] + 3 * known["small"]
        registers = 500 + 12 * known["state"]
        both = {"params": asdict(p), "options": asdict(options)}
        rows.append({"luts": luts, "registers": registers, **both})
    model = fit(rows)
    assert model["designs"] == 30 and max(model["error"].values()) < 0.03
    assert model["luts"]["fixed"] == pytest.approx(900, rel=0.1)
    assert model["luts"]["small"] == pytest.approx(3, rel=0.1)
    assert model["registers"]["state"] == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_designs_are_random_and_repeat(name):
    drawn = [design(BOARDS[name], seed) for seed in range(12)]
    assert drawn == [design(BOARDS[name], seed) for seed in range(12)]
    assert len({repr(one) for one in drawn}) == 12
    assert all(options.family == BOARDS[name].family for _, options in drawn)


@pytest.mark.parametrize("family", ["ecp5", "ice40", "gowin", "gw5a", "xilinx"])
def test_more_machine_takes_more_logic(family):
    p, _ = design(BOARDS["hx8k-evb"], 0)
    counts = [
        logic(replace(p, lanes=lanes, neurons=8 * lanes), Options(family=family))
        for lanes in (1, 2, 4, 8)
    ]
    for kind in ("luts", "registers"):
        values = np.array([getattr(one, kind) for one in counts])
        assert values[0] > 500 and (np.diff(values) > 0).all()
        assert 0 < counts[0].error[kind] < (0.35 if family == "gw5a" else 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_logic_is_as_foretold(name, tmp_path):
    """A design that the fit has not seen, within the error that the model states."""
    p, options = design(BOARDS[name], 1_000_000)
    made = synthesised.work(tmp_path, {"board": name, "seed": 1_000_000})
    foretold = logic(p, options)
    for kind in ("luts", "registers"):
        error = abs(getattr(foretold, kind) / made[kind] - 1)
        assert error <= foretold.error[kind] + 0.02, (kind, made[kind], foretold)
