"""The machine's benchmark: tables, page and arithmetic, but not times."""

import json

import pytest

from tests.support.commands import call
from triodia_hw.errors import TriodiaError
from triodia_studies.bench import clock, storage
from triodia_studies.bench.tables import update
from triodia_studies.cli.bench_hw import _beside

PAGE = (
    "# Page\n\n<!-- clock -->\n<!-- end -->\n\n"
    "text\n\n<!-- storage -->\nold\n<!-- end -->\n\nmore\n"
)
CLOCK = {
    "board": "ulx3s-25f",
    "lanes": 8,
    "neurons": 512,
    "synapses": 32768,
    "luts": 8195,
    "registers": 9327,
    "blocks": 56,
    "single_port": 0,
    "multipliers": 16,
    "lut4_per_lane": 503.2,
    "fmax_mhz": [150.0, 151.25],
    "fmax_min": 150.0,
    "fmax_median": 150.625,
}


def test_update(tmp_path):
    """A table is filled and replaced; the text around it stays."""
    page, results = tmp_path / "page.md", tmp_path / "page.json"
    page.write_text(PAGE)
    for fmax in (150.625, 99.0):
        update("clock", {"rows": [CLOCK | {"fmax_median": fmax}]}, results, page)
        head, rest = page.read_text().split("<!-- clock -->\n")
        table, rest = rest.split("<!-- end -->", 1)
        assert head == "# Page\n\n" and rest == PAGE.split("<!-- end -->", 1)[1]
        assert len(table.splitlines()) == 3 and f"| {fmax:.1f} |" in table
        assert json.loads(results.read_text())["clock"]["rows"][0]["fmax_median"] == fmax


def test_no_place_for_the_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- clock -->\n")
    text = r"page\.md must have a line <!-- clock --> and <!-- end --> after it$"
    with pytest.raises(TriodiaError, match=text):
        update("clock", {"rows": [CLOCK]}, tmp_path / "page.json", page)
    assert page.read_text() == "<!-- clock -->\n" and not (tmp_path / "page.json").exists()


def test_one_clock_case_keeps_the_others(tmp_path):
    results, other = tmp_path / "page.json", CLOCK | {"board": "hx8k-evb", "lanes": 2}
    assert _beside(CLOCK, results) == [CLOCK]
    results.write_text(json.dumps({"clock": {"rows": [other, CLOCK]}}))
    new = CLOCK | {"fmax_median": 1.0}
    assert _beside(new, results) == [new, other]  # in the order of the cases


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["speed"],
            "parts must be of schedule, placer, storage, crossover, placed, clock",
        ),
        (["--page", "none.md"], "none.md must be a page with places for the tables"),
    ],
)
def test_bad_input(capsys, arguments, text):
    code, _, err = call(capsys, "bench-hw", *arguments)
    assert code == 2 and text in err


def test_cases_are_planned_and_summed_up_by_seed():
    choices = clock.plan(3, case=1)
    assert [one["seed"] for one in choices] == [1, 2, 3]
    counts = dict.fromkeys(("lut4", "luts", "registers", "blocks", "single_port"), 10)
    counts |= {"multipliers": 1, "distributed": [], "queues": []}
    results = [counts | {"fmax_mhz": fmax, "luts": 10 + fmax} for fmax in (40.0, 46.0, 42.0)]
    (row,) = clock.rows(choices, results)
    assert (row["board"], row["lanes"]) == ("icebreaker", 2)
    assert (row["fmax_min"], row["fmax_median"]) == (40, 42) and row["fmax_mhz"] == [40, 46, 42]
    assert row["luts"] == 50 and row["lut4_per_lane"] == 5
    assert len(clock.plan(2)) == 2 * len(clock.CASES)


def test_storage_row():
    """A dense half: every row of it by hand."""
    row = storage._row(64, 4, 0.5, 8, False, 0)
    d = row["limit"] - 8  # H(d)/d of the density drawn
    assert d == pytest.approx(2, abs=0.1)  # H(1/2) is 1
    assert row["over_limit"] == pytest.approx(row["bits"] / row["limit"])
    assert row["bits"] > row["limit"] and row["block_bits"] > row["bits"]
    assert row["fillers"] <= 0.05
