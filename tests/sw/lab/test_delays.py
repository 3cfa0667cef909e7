"""Networks with delays in a comparison, beside one without."""

import json

import pytest

from triodia.lab.compare import compare
from triodia.lab.grid import grid
from triodia.lab.search import _words
from triodia.network.files import load_network
from triodia_hw.machine.image import load_image

COMMON = {"task": "digits", "neurons": 12, "lanes": 1, "epochs": 1, "samples": 1}
COMMON |= {"synapses": 0.5, "method": "magnitude"}


def run(folder, delays, **options):
    """What results.json has of a small network for each of ``delays``; nothing is built."""
    how = {"confirm": len(delays), "simulator": "icarus", "build": False, "workers": 1}
    cells = grid(COMMON, {"max_delay": delays})
    compare(cells, folder, progress=lambda *_: None, **how | options)
    return json.loads((folder / "results.json").read_text())


def test_a_row_has_the_delays_of_its_cell(tmp_path):
    result = run(tmp_path, [3], evidence=False, equal_speed=False, confirm=0)
    (row,) = result["rows"]
    assert row["max_delay"] == 3 and load_network(row["network"]).delays == (1, 2, 3)
    assert load_image(row["image"]).params.delays == (1, 2, 3)
    assert "delays" not in result["sentence"]  # nothing was asked for that they lack


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A network without delays and its twin with them, with all evidence."""
    folder = tmp_path_factory.mktemp("delays")
    return folder, run(folder, [0, 3])


@pytest.mark.slow
def test_both_equal_the_reference(compared):
    _, result = compared
    none, some = result["rows"]
    assert result["choices"] == ["max_delay"] and result["mismatches"] == 0
    assert [row["max_delay"] for row in (none, some)] == [0, 3]
    assert [load_network(row["network"]).delays for row in (none, some)] == [(), (1, 2, 3)]
    assert load_image(some["image"]).params.delays == (1, 2, 3)
    for row in (none, some):
        assert row["cosim"]["words"] > 11 * 8 and row["cosim"]["mismatches"] == 0
        assert row["cosim"]["model_minus_rtl"] == 0 and row["traced"]["mismatches"] == 0


@pytest.mark.slow
def test_what_has_no_delays_is_not_set_beside_them(compared):
    folder, result = compared
    none, some = result["rows"]
    assert none["dense"]["mismatches"] == 0 and none["spectra"]
    assert some["dense"] is None and some["spectra"] is None
    remark = "Rows with delays have no dense design"
    assert remark in result["sentence"] and remark in (folder / "index.html").read_text()
    names = {delay: [] for delay in (0, 3)}
    for software in result["software"]:
        names[software["max_delay"]].append(software["name"])
    assert len(names[0]) == 4 and "snntorch, RLeaky" in names[0]
    assert names[3] == ["torch, dense matrix", "integer reference, numpy"]


@pytest.mark.slow
def test_the_delay_is_said_where_it_varies(compared):
    folder, result = compared
    page = (folder / "index.html").read_text()
    assert "longest delay, steps" in page and "longest delay of a synapse in steps" in page
    assert [line["max_delay"] for line in result["equal_speed"]] == [0, 3]
    assert "delay 3" in page  # a bar of that table
    assert (folder / "max_delay-3" / "model.image").exists()


def test_a_search_says_its_delays():
    choices = {"neurons": 12, "synapses": 0.5, "weight_bits": 8, "lanes": 1}
    assert _words(choices | {"max_delay": 3}).endswith("1 lanes, delays of up to 3 steps")
    assert "delay" not in _words(choices | {"max_delay": 0})
