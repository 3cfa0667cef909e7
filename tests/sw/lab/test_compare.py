"""The main job end to end on the smallest machine, and what its report says."""

import json
import re
from pathlib import Path

from tests.support.commands import ok
from triodia.lab.compare import sentence
from triodia.lab.report.comparison import comparison_page
from triodia.network.files import load_network
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
    # Of each of 8 steps ten readouts and an end; events and operations of the whole run.
    assert cosim["steps"] == 8 and cosim["words"] == cosim["spikes"] + 8 * 11 + 2
    assert cosim["cycles"] == row["cycles_per_sample"] > 8 * image.params.slots
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
    for shown in (result["sentence"], "<td>50 %</td>", f"<td>{cosim['operations']:,}</td>"):
        assert shown in text


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
    names = "metric_float rate neurons synapses synapses_stored sops_per_sample cycles_over_bound"
    names += " fits blocks_model load_balance luts registers multipliers fmax_mhz us_per_sample"
    shown = {"synapses_kept": kept, "metric_integer": metric, "cycles_per_sample": cycles}
    return dict.fromkeys(names.split(), 1) | shown | {"blocks": blocks, "cosim": cosim}


def data(*rows, mismatches=0):
    names = "neurons method nodes weight_bits lanes epochs target_rate seed place_seed"
    made = {"options": dict.fromkeys(names.split(), 1), "versions": {}, "machine": "m"}
    made |= {"choices": ["synapses_kept"]}
    made |= {"task": "digits", "metric_name": "accuracy", "board": "b", "seconds": 1.0}
    return made | {"rows": list(rows), "mismatches": mismatches}


DENSE, SPARSE = row(1.0, 0.9712, 4749.2, 40, 1200), row(0.1, 0.962, 2160.8, 28, 1000)


def test_sentence():
    agreed = "On digits, hardware and software agreed on all 1,200 words compared in simulation "
    assert sentence(data(DENSE)) == agreed + "of the exported Verilog."
    assert sentence(data(DENSE, SPARSE)) == (
        "On digits, hardware and software agreed on all 2,200 words compared in simulation of the "
        "exported Verilog; keeping 10% instead of 100% of the recurrent synapses took accuracy "
        "from 97.1% to 96.2%, 4,749 to 2,161 cycles a sample and 40 to 28 block RAMs on b."
    )


def test_sentence_says_when_words_differ():
    text = sentence(data(DENSE, SPARSE, mismatches=3))
    assert text.startswith("On digits, hardware and software DIFFERED in 3 of 2,200 words compared")
    assert "agreed" not in text


def test_sentence_of_what_was_not_simulated():
    row = SPARSE | {"cosim": None}
    assert sentence(data(row, row)) == "2 designs for digits; none was co-simulated."
    text = sentence(data(DENSE, row, row | {"fits": False}))
    assert "of the exported Verilog of 1 of 3 rows; 1 of 3 do not fit their board" in text


def test_page_shows_every_row():
    shown = data(DENSE, SPARSE)
    page = comparison_page(shown | {"sentence": "What <was> shown."})
    for text in ("What &lt;was&gt; shown.", "<td>100 %</td>", "<td>10 %</td>", "<td>97.12 %</td>"):
        assert text in page
    assert not re.search(r"<script|(src|href)=.?http", page)
