"""Accuracy over seeds: networks of each column, and the summary over seeds."""

import pytest

from triodia.tasks.catalog import get_task
from triodia_hw.errors import TriodiaError
from triodia_studies.accuracy import accuracy_row, measure, plan, summarise

COMMON = {"task": "digits", "synapses": 0.5, "nodes": 0.43, "weight_bits": 8}


def test_columns_have_the_counts_of_lnp():
    columns = ("dense", "lnp", "random", "born-small", "magnitude")
    data = get_task("digits").load().subset(60, 20)
    choices = plan([1], columns, neurons=20, training={"epochs": 1}, **COMMON)
    assert [one["column"] for one in choices] == list(columns)
    rows = {one["column"]: measure(one, data) for one in choices}
    for control in ("random", "born-small"):
        for number in ("neurons", "synapses"):
            assert rows[control][number] == rows["lnp"][number] < rows["dense"][number]
    assert rows["dense"]["neurons"] == 20 and rows["lnp"]["seed"] == 1
    assert all(0 <= row["quantized"] <= 1 for row in rows.values())


def test_unknown_column():
    with pytest.raises(TriodiaError, match="not 'x'"):
        plan([0], ["x"])


def test_summary_spread():
    rows = [{"column": "a", "accuracy": v} for v in (1.0, 2.0, 6.0)]
    spread = summarise(rows)["a"]["accuracy"]
    assert spread == {"mean": 3.0, "sd": pytest.approx(7**0.5), "min": 1.0, "max": 6.0, "seeds": 3}


@pytest.mark.slow
def test_japanese_vowels_dense_and_pruned(tmp_path):
    common = COMMON | {"task": "japanese-vowels", "neurons": 256, "training": {}}
    choices = plan([0], ("dense", "lnp"), **common)
    dense, lnp = (accuracy_row.work(tmp_path, one) for one in choices)
    assert dense["accuracy"] > 0.95 and dense["rate"] <= 0.05
    assert lnp["accuracy"] > 0.93 and lnp["neurons"] == 110
