"""A comparison end to end on the smallest machine, and its report."""

import json
import re
from dataclasses import replace
from pathlib import Path

from tests.support.commands import ok
from triodia.lab.compare import Comparison, sentence
from triodia.lab.report.page import comparison_page
from triodia.lab.rows import COLUMNS, Row
from triodia.network.files import load_network
from triodia_hw.cost.energy import PRICES as WORK
from triodia_hw.machine.image import load_image

SMALLEST = ("--task", "digits", "--neurons", 16, "--lanes", 1, "--epochs", 1, "--samples", 1)


def test_compare(capsys, tmp_path):
    """Prune, train, quantize, co-simulate, place and route; nothing is left out or made up."""
    result = ok(capsys, "compare", "-o", tmp_path, "--synapses", "0.5", *SMALLEST)
    page = Path(result.pop("page"))
    assert page == tmp_path / "index.html"
    assert json.loads((tmp_path / "results.json").read_text()) == result
    assert result["task"] == "digits" and result["board"] == "ulx3s-25f"
    assert result["mismatches"] == 0
    (row,) = result["rows"]
    assert row["synapses_kept"] == 0.5 and row["synapses"] == 120 and row["neurons"] == 16
    assert Path(row["image"]) == tmp_path / "synapses-0.5" / "model.image"
    image = load_image(row["image"])
    assert row["blocks"] == row["blocks_model"] and row["fits"]
    assert row["cosim"]["model_minus_rtl"] == 0
    assert (tmp_path / "results.csv").read_text().count("\n") == 2
    assert row["synapses_stored"] == image.synapses
    cosim = row["cosim"]
    # All 500 test samples: of each step ten readouts and an end, and then the counters.
    steps = 500 * 8
    assert cosim["steps"] == steps and cosim["words"] == cosim["spikes"] + 11 * steps + 2
    assert cosim["cycles"] > steps * image.params.slots and row["cycles_per_sample"] > 8
    assert sum(row["memory"].values()) == row["blocks_model"]
    traced, dense = row["traced"], row["dense"]
    assert traced["mismatches"] == 0 and traced["hardware"] == traced["reference"]
    assert len(traced["reference"]) == 8 and row["energy_nj"] == traced["energy_nj"] > 0
    assert dense["mismatches"] == dense["model_minus_rtl"] == 0
    assert dense["blocks"] == dense["blocks_model"] and dense["fmax_mhz"] > 50
    assert dense["cycles_per_sample"] > 8 * dense["weights_stored"]
    assert [len(row["spectra"][name]) for name in ("dense", "pruned", "trained")] == [16] * 3
    assert len(result["software"]) == 4
    assert row["us_per_sample"] == round(row["cycles_per_sample"] / row["fmax_mhz"], 2)
    assert Path(row["bitstream"]).read_bytes().count(b"LFE5U-25F") == 1
    words = f"agreed on all {cosim['words']:,} words compared"
    assert result["sentence"].startswith("On digits, hardware and software " + words)
    text = page.read_text()
    for shown in ("<td>50 %</td>", f"<td>{cosim['operations']:,}</td>", "16-neuron network"):
        assert shown in text
    again = ok(capsys, "compare", "-o", tmp_path, "--synapses", "0.5", *SMALLEST)
    assert again["seconds"] == result["seconds"] > 20  # of the first run, not of this one


def test_training_first(capsys, tmp_path):
    options = ("--synapses", 0.5, "--first", "prune,train", "--no-build", "--no-evidence")
    more = ("--confirm", 0, "--method", "magnitude", "--workers", 1)
    result = ok(capsys, "compare", "-o", tmp_path, *SMALLEST, *options, *more)
    one, two = result["rows"]
    assert (one["first"], two["first"], result["choices"]) == ("prune", "train", ["first"])
    assert one["synapses"] == two["synapses"]
    trained = [load_network(row["network"]) for row in (one, two)]
    done = [[step["command"] for step in net.provenance] for net in trained]
    assert done == [["new", "prune", "train"], ["new", "train", "prune", "train"]]
    assert trained[1].provenance[-1]["keep"] and not trained[0].provenance[-1]["keep"]


def row(kept, metric, cycles, blocks, words):
    cosim = {"words": words, "samples": 1, "steps": 8, "spikes": 7, "operations": 90}
    cosim |= {"cycles": cycles, "mismatches": 0, "simulator": "icarus"}
    cosim |= {"model_minus_rtl": 0}
    ones = dict.fromkeys(COLUMNS, 1) | {"board": "ulx3s-25f", "memory": {"synapses": blocks}}
    shown = {"synapses_kept": kept, "metric_integer": metric, "cycles_per_sample": cycles}
    shown |= {"blocks": blocks, "cosim": cosim, "synapses": round(1000 * kept), "mismatches": 0}
    return Row(**ones | shown)


def comparison(*rows):
    head = {"options": {"epochs": 1}, "versions": {}, "machine": "m"}
    head |= {"task": "digits", "metric_name": "accuracy", "board": "b"}
    return Comparison(list(rows), ["synapses_kept"], head, [], 474.0)


DENSE, SPARSE = row(1.0, 0.9712, 4749.2, 40, 1200), row(0.1, 0.962, 2160.8, 28, 1000)


def test_sentence():
    agreed = "On digits, hardware and software agreed on all 1,200 words compared in simulation "
    assert sentence(comparison(DENSE)) == agreed + "of the exported Verilog."
    text = sentence(comparison(DENSE, SPARSE))
    assert "agreed on all 2,200 words" in text
    for change in ("97.1% to 96.2%", "4,749 to 2,161 cycles", "40 to 28 block RAMs"):
        assert change in text


def wrong(count):
    return replace(SPARSE, mismatches=count, cosim=SPARSE.cosim | {"mismatches": count})


def test_sentence_and_page_say_when_words_differ():
    found = comparison(DENSE, wrong(3))
    assert "DIFFERED in 3 of 2,200 words" in sentence(found)
    assert "agreed" not in sentence(found)
    page = comparison_page(found.json())
    assert "differ in 3 words" in page and "but 3 of 2,200 words differ" in page
    assert "equal to the reference" not in page


def test_sentence_of_what_was_not_simulated():
    blind = replace(SPARSE, cosim=None)
    assert sentence(comparison(blind, blind)) == "2 designs for digits; none was co-simulated."
    text = sentence(comparison(DENSE, blind, replace(blind, fits=False)))
    assert "of the exported Verilog of 1 of 3 rows; 1 of 3 do not fit their board" in text


def page_data(page):
    """What the scripts of a page read."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page)[1])


def test_page_shows_every_row():
    misfit = replace(row(0.5, 0.9, 3000.0, 60, 0), fits=False, reason="<60> blocks", cosim=None)
    page = comparison_page(comparison(DENSE, misfit, SPARSE).json())
    for text in ("<td>100 %</td>", "<td>50 %</td>", "<td>97.12 %</td>", "&lt;60&gt; blocks"):
        assert text in page
    assert not re.search(r"(src|href)=.?http|@import|url\((?!#)", page)
    data = page_data(page)
    assert [r["label"] for r in data["rows"]] == ["100 %", "50 %", "10 %"]
    assert data["start"] == 2  # the sparsest of those that fit
    assert "96.2\u00a0% accuracy" in page and "10\u00a0% of the synapses" in page
    assert "8 min of computing" in page  # 474 s, when it first ran
    ticks = data["charts"]["curve-blocks"]["x"]["ticks"]
    assert ticks == [[0.1, "10 %"], [0.5, "50 %"], [1.0, "100 %"]]


def test_every_class_has_a_colour_of_its_own():
    steps = [{"spikes": [1], "readouts": list(range(9))}] * 3
    traced = {"reference": steps, "hardware": steps, "one": 32, "neurons": 4, "mismatches": 0}
    traced |= {"step": {"signals": {"x": [0, 1]}, "first": 0, "ends": [0, 1]}, "loads": [1.0]}
    traced |= {"energy_nj": 1.0, "work": dict.fromkeys(WORK, 1.0)}
    data = page_data(comparison_page(comparison(replace(SPARSE, traced=traced)).json()))
    lines = [m for m in data["rows"][0]["charts"]["readouts"]["marks"] if m["kind"] == "line"]
    assert len({m["colour"] for m in lines}) == len(lines) == 9
    assert {m["of"] for m in lines} == {9}


def test_rows_render_alike_everywhere():
    """A column is spelled once: JSON, CSV and page take it from the row."""
    assert set(vars(DENSE)) >= COLUMNS.keys()
    assert COLUMNS["metric_integer"].text(0.9568) == "95.68 %"
    assert COLUMNS["cycles_per_sample"].text(2149.1) == "2,149"
    assert COLUMNS["blocks"].text(None) == "–"
    assert "luts" not in replace(DENSE, luts=None).json()
    assert replace(DENSE, reason=None).json()["reason"] is None
