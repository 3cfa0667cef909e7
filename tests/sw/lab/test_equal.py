"""The table at equal speed, and its place in the terminal and on the page."""

import json

import pytest

from tests.support.commands import ok
from triodia.lab.compare import compare
from triodia.lab.equal import equal_rows
from triodia.lab.grid import grid
from triodia.lab.report.fitting import misfits
from triodia.lab.rows import Row
from triodia.lab.stages import check_board
from triodia_hw.machine.image import load_image

SMALL = ("--task", "digits", "--neurons", 48, "--lanes", 4, "--epochs", 1, "--samples", 2)
FAST = ("--no-build", "--no-evidence", "--confirm", 0, "--workers", 1)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A dense and a sparse network for a large and a small board."""
    folder = tmp_path_factory.mktemp("equal")
    common = {"task": "digits", "neurons": 48, "epochs": 1, "samples": 2, "method": "magnitude"}
    cells = grid(common, {"board": ["ulx3s-25f", "icebreaker"], "synapses": [1.0, 0.1]})
    how = {"confirm": 0, "build": False, "evidence": False, "workers": 1}
    compare(cells, folder, progress=lambda *_: None, **how)
    return folder, json.loads((folder / "results.json").read_text())


def test_a_sparse_network_needs_a_smaller_machine_for_the_same_speed(compared):
    _, result = compared
    lines = [line for line in result["equal_speed"] if line["board"] == "ulx3s-25f"]
    dense, sparse = lines
    row = result["rows"][1]
    assert (dense["synapses_kept"], sparse["synapses_kept"]) == (1.0, 0.1)
    assert sparse["lanes"] <= 4 < dense["lanes"] and dense["meets"] and sparse["meets"]
    assert dense["cycles_per_sample"] <= row["cycles_per_sample"]
    assert sparse["luts"] < dense["luts"] and sparse["blocks"] <= dense["blocks"]
    assert sparse["us_per_sample"] == round(sparse["cycles_per_sample"] / sparse["clock_mhz"], 2)


def test_every_row_says_what_limits_it(compared):
    _, result = compared
    for row in result["rows"]:
        needed = check_board(row["parameters"], row["board"])
        assert row["fits"] == needed["fits"] and row["percent"] == needed["percent"]
        assert row["limit"].endswith("%") and max(row["percent"].values()) > 0
        assert needed["luts_model"] == row["luts_model"]
        assert load_image(row["image"]).params.lanes == 4


def test_the_page_shows_it(compared):
    folder, _ = compared
    page = (folder / "index.html").read_text()
    assert "What does sparsity save at equal speed?" in page and '"equal"' in page


def test_a_latency_that_no_machine_meets_is_said(capsys, tmp_path):
    options = (*SMALL, *FAST, "--synapses", 1.0, "--latency", 0.01)
    (line,) = ok(capsys, "compare", "-o", tmp_path, *options)["equal_speed"]
    assert line["meets"] is False and line["lanes"] > 4


def test_misfits_are_one_sentence_a_board():
    rows = [
        Row(board="a", fits=False, synapses=n, reason=f"a has too little for {n}") for n in (9, 5)
    ]
    rows += [Row(board="a", fits=True, synapses=1), Row(board="b", fits=True, synapses=1)]
    (sentence,) = misfits(rows)
    assert sentence.startswith("2 of 3 designs do not fit a") and "for 5" in sentence


def test_placed_values_stand_beside_the_foretold():
    sized = dict.fromkeys(
        "lanes luts_model registers_model blocks_model fits reason limit".split(), 1
    )
    sized |= {"percent": {}, "meets": True}
    sized |= {"cycles_per_sample": 500.0, "placed": {"luts": 7, "blocks": 2, "fmax_mhz": 90.0}}
    (line,) = equal_rows([Row(board="ulx3s-25f", synapses_kept=0.1)], [sized])
    assert line["us_per_sample"] == 5.0 and line["placed_luts"] == 7 and line["placed_mhz"] == 90.0


def test_a_misfit_needs_what_its_reason_says():
    parameters = {"inputs": 12, "neurons": 265, "lanes": 4, "synapse_words": 18432}
    needed = check_board(parameters, "ulx3s-25f")
    assert not needed["fits"] and f"the machine needs {needed['blocks_model']} " in needed["reason"]
