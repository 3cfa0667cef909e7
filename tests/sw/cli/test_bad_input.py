"""Bad input to the commands: one sentence, exit code 2, nothing half-written or written over."""

import json
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import call, chain_files, ok
from triodia.cli.console import Output
from triodia.network.files import load_network


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return chain_files(tmp_path_factory.mktemp("chain"))


DIGITS = ["train", "{sparse.net}", "-o", "{out}", "--task", "digits", "--epochs", "2"]
BAD = {
    "missing network": (["prune", "{none}", "-o", "{out}"], "none.net"),
    "a text file": (["train", "{text}", "-o", "{out}"], "text.net"),
    "truncated network": (["train", "{cut}", "-o", "{out}"], "cut.net"),
    "image for network": (["train", "{model.image}", "-o", "{out}"], "model.image"),
    "network for image": (["verilog", "{trained.net}", "-o", "{out}"], "not a machine image"),
    "truncated image": (["verilog", "{cutimage}", "-o", "{out}"], "damaged"),
    "untrained network": (["quantize", "{sparse.net}", "-o", "{out}"], "triodia train"),
    "unknown task": (["train", "{sparse.net}", "-o", "{out}", "--task", "x"], "japanese-vowels"),
    "going on from nothing": (
        ["train", "{sparse.net}", "-o", "{out}", "--keep"],
        "they are of no task",
    ),
    "unknown method": (["prune", "{dense.net}", "-o", "{out}", "--method", "x"], "random"),
    "fraction above 1": (
        ["prune", "{dense.net}", "-o", "{out}", "--synapses", "1.5"],
        "fraction kept",
    ),
    "step V": (["prune", "{dense.net}", "-o", "{out}", "--steps", "I,V"], "steps must be among"),
    "width out of range": (
        ["quantize", "{trained.net}", "-o", "{out}", "--weight-bits", "40"],
        "--weight-bits",
    ),
    "state too wide": (
        ["quantize", "{trained.net}", "-o", "{out}", "--state-bits", "99"],
        "`--state-bits` must be a whole number between 4 and 24, got 99.",
    ),
    "fraction too fine": (
        ["quantize", "{trained.net}", "-o", "{out}", "--fraction-bits", "9"],
        "fewer fraction bits",
    ),
    "unknown board": (["build", "{model.image}", "-o", "{out}", "--board", "x"], "ulx3s-25f"),
    "unknown router": (["build", "{model.image}", "-o", "{out}", "--router", "x"], "router2"),
    "a clock without end": (["build", "{model.image}", "-o", "{out}", "--clock", "inf"], "of MHz"),
    "a fast line": (
        ["build", "{model.image}", "-o", "{out}", "--baud", "30000000"],
        "baud must be at most 25000000 with a clock of 100 MHz, not 30000000",
    ),
    "a fast line of a virtual board": (
        ["board", "--virtual", "ulx3s-25f", "--baud", "30000000"],
        "baud must be at most 25000000 with a clock of 100 MHz, not 30000000",
    ),
    "a fast line for the vendor's tool": (
        ["build", "{model.image}", "-o", "{out}", "--board", "arty-a7-35", "--baud", "30000000"],
        "baud must be at most ",
    ),
    "a router of the vendor's": (
        ["build", "{model.image}", "-o", "{out}", "--board", "arty-a7-35", "--router", "foo"],
        "router must be left out for arty-a7-35: the vendor's tool routes",
    ),
    "unknown simulator": (["cosim", "{model.image}", "--simulator", "x"], "icarus"),
    "unknown cells": (["cosim", "{model.image}", "--task", "digits", "--netlist", "x"], "ecp5"),
    "state of a netlist": (
        ["cosim", "{model.image}", "--netlist", "ecp5", "--state"],
        "one of the two",
    ),
    "another task": (["cosim", "{model.image}", "--task", "japanese-vowels"], "digits"),
    "no folder for results": (["bench-lnp", "--results", "{out}/x"], "does not exist; make it"),
    "no folder": (["train", "{sparse.net}", "-o", "{out}/x.net"], "does not exist; make it first"),
    "a fraction twice": (["compare", "-o", "{out}", "--synapses", "0.5,0.50"], "twice"),
    "no command": (["fly"], "fly"),
    "no fractions": (["compare", "-o", "{out}", "--synapses", ","], "synapses"),
    "fractions of nothing pruned": (
        ["compare", "-o", "{out}", "--method", "none", "--synapses", "1,0.5"],
        "method must be one that prunes, not 'none', to keep the fraction 0.5; with 'none' ask for",
    ),
    "neurons of nothing pruned": (
        ["compare", "-o", "{out}", "--method", "none", "--synapses", "1", "--nodes", "0.4"],
        "to keep the fraction 0.4",
    ),
    "unknown method to compare": (["compare", "-o", "{out}", "--method", "x"], "weight-sampling"),
    "no rate": (["train", "{sparse.net}", "-o", "{out}", "--lr", "nan"], "lr must be a finite"),
    "a rate beyond numbers": (["train", "{sparse.net}", "-o", "{out}", "--lr", "1e308"], "1e+06"),
    "training that diverges": (
        [*DIGITS, "--lr", "1e5"],
        "training diverged: its loss or weights are no longer finite; an lr below 100000",
    ),
    "a goal that cannot be": (
        [*DIGITS, "--target-rate", "1e-30"],
        "or a target_rate above 1e-30 would help",
    ),
    "a seed too great": (
        ["train", "{sparse.net}", "-o", "{out}", "--seed", str(1 << 64)],
        "--seed",
    ),
    "a seed to compare": (["compare", "-o", "{out}", "--seed", "-1"], "seed must be in 0..4294967"),
    "great seeds": (["compare", "-o", "{out}", "--seed", str(1 << 70)], "seed must be in 0..42949"),
    "no rate to compare": (["compare", "-o", "{out}", "--target-rate", "nan"], "target_rate must"),
    "no latency": (["fit", "-o", "{out}", "--latency-ceiling", "nan"], "ceiling must be a finite"),
    "latency below 0": (["fit", "-o", "{out}", "--latency-ceiling", "-1"], "must be 0 µs or more"),
    "no edge": (
        ["prune", "{dense.net}", "-o", "{out}", "--option", "edge=nan"],
        "edge must be a fi",
    ),
    "noise": (
        ["prune", "{dense.net}", "-o", "{out}", "--option", "noise=inf"],
        "noise must be a fi",
    ),
    "no gain": (["new", "-o", "{out}", "--gain", "inf"], "gain must be a finite number, not inf"),
    "a gain too great": (["new", "-o", "{out}", "--gain", "1e300"], "w_rec must be finite every"),
    "neurons": (
        ["new", "-o", "{out}", "--neurons", "9" * 20],
        "neurons must be in 2..65536, not 9",
    ),
    "a spread": (
        ["new", "-o", "{out}", "--clusters", "3", "--tau-spread", "inf"],
        "tau_spread must be a finite number",
    ),
    "words for fractions": (["compare", "-o", "{out}", "--synapses", "a,b"], "synapses"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name, files, capsys, tmp_path):
    arguments, hint = BAD[name]
    (tmp_path / "text.net").write_text("hello")
    (tmp_path / "cut.net").write_bytes(files["trained.net"].read_bytes()[:-100])
    (tmp_path / "cut.image").write_bytes(files["model.image"].read_bytes()[:-100])
    places = {name: str(path) for name, path in files.items()} | {
        "none": str(tmp_path / "none.net"),
        "text": str(tmp_path / "text.net"),
        "cut": str(tmp_path / "cut.net"),
        "cutimage": str(tmp_path / "cut.image"),
        "out": str(tmp_path / "out"),
    }
    before = set(tmp_path.iterdir())
    filled = [re.sub(r"\{(.*)\}", lambda m: places[m[1]], a) for a in arguments]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # numpy's would be lines of their own
        code, out, err = call(capsys, *filled)
    assert code == 2
    assert out == ""
    message = err.strip().splitlines()[-1]
    assert message.startswith("triodia: ") and hint in message
    assert "Traceback" not in err
    assert set(tmp_path.iterdir()) == before  # nothing half-written


def test_a_batch_is_at_most_all_samples(files, capsys, tmp_path):
    for batch in (4000, 10**30):
        options = ("--task", "digits", "--epochs", 1, "--batch", batch)
        ok(capsys, "train", files["sparse.net"], "-o", tmp_path / f"{batch}.net", *options)
    one, two = (load_network(tmp_path / f"{batch}.net") for batch in (4000, 10**30))
    assert np.array_equal(one.w_rec, two.w_rec)


def test_time_constants_too_great_to_search(capsys, caplog, tmp_path):
    ok(capsys, "new", "-o", tmp_path / "a.net", "--neurons", 20, "--tau-mean", 1e38)
    search = ("--steps", "IV", "--option", "trials=3")
    code, _, err = call(capsys, "prune", tmp_path / "a.net", "-o", tmp_path / "b.net", *search)
    assert code == 2 and "tau_mem must be finite" in err
    assert "Traceback" not in err + caplog.text and "Warning" not in err


def test_more_than_the_memory_is_one_sentence(capsys, monkeypatch, tmp_path):
    def new(*_, **__):
        return np.empty((1 << 25, 1 << 25))

    monkeypatch.setattr("triodia.cli.networks.new_network", new)
    code, _, err = call(capsys, "new", "-o", tmp_path / "a.net")
    assert code == 2 and err.count("\n") == 1 and "Unable to allocate 8.00 PiB" in err


def test_json_holds_no_nan(capsys):
    values = {"a": [float("nan"), np.float32("inf")], 1: {"b": np.array([1.0, np.nan])}}
    Output(True).json(values | {"c": (np.int64(3), Path("d"))})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [None, None], "1": {"b": [1.0, None]}, "c": [3, "d"]
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["quantize", "{n}", "-o", "{n}"],
        ["quantize", "-o", "{n}", "{n}"],
        ["export-nir", "{n}", "-o", "{n}"],
        ["import-nir", "{n}", "-o", "{n}"],
        ["prune", "{n}", "-o", "{n}"],
        ["train", "{m}", "--data", "{n}", "-o", "{n}"],
        ["train", "{m}", "-o", "{n}", "--data", "{n}"],
        ["patch", "{d}", "{m}", "-o", "{n}"],
        ["patch", "-o", "{n}", "{d}", "{m}"],
    ],
)
def test_inputs_are_not_written_over(arguments, files, capsys, tmp_path):
    places = {"n": tmp_path / "d" / "n.net", "m": tmp_path / "m.net", "d": tmp_path / "d"}
    places["d"].mkdir()
    content = files["trained.net"].read_bytes()
    for name in "nm":
        places[name].write_bytes(content)
    code, _, err = call(capsys, *(a.format(**places) for a in arguments))
    assert code == 2 and "would overwrite the input" in err and err.count("\n") == 1
    assert places["n"].read_bytes() == content


def test_a_pipe_stays_one(files, capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code, _, err = call(capsys, "new", "-o", tmp_path / "pipe")
    assert code == 2 and "device or pipe" in err and (tmp_path / "pipe").is_fifo()
