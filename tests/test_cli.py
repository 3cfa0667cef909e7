"""The command line: the chain end to end on a small network, and one sentence for bad input."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.commands import call, ok
from tests.networks import random_image
from triodia.cli import run
from triodia.console import Output
from triodia.files import load_network
from triodia_hw.image import load_image, save_image
from triodia_hw.memory import memory_shapes


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of one small chain, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("chain")
    names = {n: folder / n for n in ("dense.net", "sparse.net", "trained.net", "model.image")}
    dense, sparse, trained, image = names.values()
    for arguments in (
        ["new", "-o", dense, "--neurons", 24, "--seed", 1],
        ["prune", dense, "-o", sparse, "--method", "lnp", "--synapses", 0.5, "--nodes", 0.8],
        ["train", sparse, "-o", trained, "--task", "digits", "--epochs", 2],
        ["quantize", trained, "-o", image, "--lanes", 2],
    ):
        assert run([str(a) for a in [*arguments, "--json"]]) == 0
    return names


def test_prune_reports_before_and_after(files, capsys, tmp_path):
    for method in ("lnp", "random", "magnitude", "none"):
        result = ok(
            capsys, "prune", files["dense.net"], "-o", tmp_path / "s.net", "--method", method
        )
        assert result["neurons_before"] == 24
        assert result["synapses_before"] == 24 * 23
        assert result["synapses"] == (24 * 23 if method == "none" else 12 * 23)


def test_help_lists_the_methods(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    for command in ("prune", "compare"):
        code, out, _ = call(capsys, command, "--help")
        assert code == 0
        text = " ".join(re.sub(r"[^\w.,-]+", " ", out).split())
        assert "lnp, lnp-degree, random, magnitude, weight-sampling, slow or none." in text


def test_cosim_of_a_trained_network(files, capsys, tmp_path):
    result = ok(
        capsys,
        *("cosim", files["model.image"], "--task", "digits", "--samples", 3),
        *("--state", "--stall", 0.2, "-o", tmp_path),
    )
    assert result["mismatches"] == 0
    assert result["steps"] == 3 * 8
    image = load_image(files["model.image"])
    assert result["words"] > 24 * image.params.neurons
    for key in ("spikes", "cycles", "cycles_per_step", "simulator"):
        assert key in result


@pytest.mark.slow
def test_cosim_of_a_netlist(files, capsys, tmp_path):
    result = ok(
        capsys,
        *("cosim", files["model.image"], "--task", "digits", "--samples", 1),
        *("--netlist", "ecp5", "-o", tmp_path),
    )
    assert result["mismatches"] == 0
    assert result["netlist"]["cells"] == "ecp5"
    assert result["netlist"]["lut4"] > 100
    assert result["netlist"]["packed"]["blocks"] > 0
    assert (tmp_path / "netlist" / "triodia.v").is_file()


def test_cosim_mismatch_exits_1(files, capsys, tmp_path, monkeypatch):
    from triodia_sim import runner

    good = load_image(files["model.image"])

    def tampered(image, folder):
        changed = type(image)(**(vars(image) | {"weight": -image.weight}))
        return runner_export(changed, folder)

    runner_export = runner.export_verilog
    monkeypatch.setattr(runner, "export_verilog", tampered)
    monkeypatch.chdir(tmp_path)
    save_image(good, tmp_path / "m.image")
    code, out, err = call(
        capsys, "cosim", tmp_path / "m.image", "--task", "digits", "--samples", 1, "--json"
    )
    assert code == 1
    assert json.loads(out)["mismatches"] > 0
    assert (tmp_path / "divergence.fst").exists()
    assert re.match(
        r"(?s).*triodia: \d+ words differ; the first: sequence 0, step \d+, neuron", err
    )


def test_the_log_of_a_simulator_that_fails_is_there(files, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("triodia_sim.runner._DUMP", "no Verilog")
    code, _, err = call(capsys, "cosim", files["model.image"], "--task", "digits")
    assert code == 3
    (log,) = re.findall(r"see (\S+cosim.log)", err)
    assert list(Path(log).parent.glob("*.log"))


def test_one_epoch_is_enough_to_run(files, capsys, tmp_path):
    result = ok(capsys, "train", files["sparse.net"], "-o", tmp_path / "t.net", "--epochs", 1)
    assert result["epochs"] == 1


def test_going_on_from_what_was_learned(files, capsys, tmp_path):
    keep = ("--task", "digits", "--epochs", 1, "--keep")
    ok(capsys, "prune", files["trained.net"], "-o", tmp_path / "p.net", "--method", "magnitude")
    ok(capsys, "train", tmp_path / "p.net", "-o", tmp_path / "t.net", *keep)
    one, two = (load_network(path) for path in (files["trained.net"], tmp_path / "t.net"))
    assert np.array_equal(one.mask_in, two.mask_in) and two.provenance[-2]["keep"]


def test_accuracy(capsys):
    small = ("--task", "digits", "--seeds", 1, "--neurons", 16, "--epochs", 1, "--nodes", 0.5)
    result = ok(capsys, "accuracy", *small)
    assert [row["column"] for row in result["rows"]] == ["dense", "lnp", "random"]
    assert [row["neurons"] for row in result["rows"]] == [16, 8, 8]
    assert result["options"]["training"] == {"epochs": 1}
    assert set(result["summary"]) == {"dense", "lnp", "random"}
    for row in result["rows"]:
        assert 0 <= row["quantized"] <= 1 and 0 <= row["accuracy"] <= 1
        assert row["accuracy"] == result["summary"][row["column"]]["accuracy"]["mean"]


def test_quantize_reports_both_metrics(files, capsys, tmp_path):
    result = ok(capsys, "quantize", files["trained.net"], "-o", tmp_path / "m.image")
    assert result["samples"] == 500
    assert 0 <= result["metric_integer"] <= 1 and 0 <= result["metric_float"] <= 1
    assert result["accumulator_bound"] < 1 << (result["accumulator_bits"] - 1)


def test_verilog(files, capsys, tmp_path):
    result = ok(capsys, "verilog", files["model.image"], "-o", tmp_path)
    assert (tmp_path / "triodia.v").read_text().startswith("// Triodia ")
    p = load_image(files["model.image"]).params
    columns = [len(shape.columns()) for shape in memory_shapes(p) if shape.content]
    assert result["memory_files"] == 2 * sum(columns) >= 2 * 3
    assert len(list(tmp_path.glob("lane_*.hex"))) == result["memory_files"]


def test_same_seed_same_files(files, capsys, tmp_path):
    ok(capsys, "new", "-o", tmp_path / "again.net", "--neurons", 24, "--seed", 1)
    assert (tmp_path / "again.net").read_bytes() == files["dense.net"].read_bytes()
    ok(capsys, "quantize", files["trained.net"], "-o", tmp_path / "again.image", "--lanes", 2)
    assert (tmp_path / "again.image").read_bytes() == files["model.image"].read_bytes()


def test_doctor_and_tasks(capsys):
    tools = ok(capsys, "doctor")
    assert tools["missing"] == []
    assert {"tool", "version", "for", "get", "needed"} <= set(tools["tools"][0])
    names = [task["name"] for task in ok(capsys, "tasks")["tasks"]]
    assert names[:2] == ["japanese-vowels", "digits"]


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
        "'--state-bits': Input should be less than or equal to 24",
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

    monkeypatch.setattr("triodia.commands.networks.new_network", new)
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
    assert code == 2 and "would be written over the input" in err and err.count("\n") == 1
    assert places["n"].read_bytes() == content


def test_a_pipe_stays_one(files, capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code, _, err = call(capsys, "new", "-o", tmp_path / "pipe")
    assert code == 2 and "device or pipe" in err and (tmp_path / "pipe").is_fifo()


def test_missing_simulator_exits_3(files, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    code, _, err = call(capsys, "cosim", files["model.image"], "--task", "digits")
    assert code == 3
    assert "apt-get install iverilog" in err


def test_as_many_lanes_as_the_machine_takes(files, capsys, tmp_path):
    arguments = ("quantize", files["trained.net"], "-o", tmp_path / "wide.image", "--lanes")
    assert ok(capsys, *arguments, 32)["lanes"] == 32
    code, _, err = call(capsys, *arguments, 33)
    assert code == 2 and "'--lanes': Input should be less than or equal to 32" in err


def test_too_many_multipliers(files, capsys, tmp_path):
    """16 lanes with two multipliers each; the 25F has 28."""
    image = tmp_path / "lanes.image"
    ok(capsys, "quantize", files["trained.net"], "-o", image, "--lanes", 16)
    code, _, err = call(capsys, "build", image, "-o", tmp_path / "b", "--board", "ulx3s-25f")
    assert code == 2
    assert "ulx3s-25f has 28 multipliers and the machine needs 32 for 16 lanes" in err


def test_network_that_does_not_fit(files, capsys, tmp_path):
    """25F: 56 block RAMs; a random machine of a quarter million synapse words needs more."""
    image = tmp_path / "large.image"
    save_image(random_image(1, lanes=4, neurons=512, density=1.0), image)
    code, _, err = call(capsys, "build", image, "-o", tmp_path / "b", "--board", "ulx3s-25f")
    assert code == 2
    assert re.search(r"ulx3s-25f has 56 block RAMs and the machine needs \d+ for 512", err)
    assert "prune further" in err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("command", ["verilog", "build"])
def test_a_file_too_large(files, capsys, tmp_path, command):
    """Where a process may write short files only, or a disk is full: the sentence names one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        code, _, err = call(capsys, command, files["model.image"], "-o", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    assert re.search(
        r"triodia: /\S+\.il must be a file that can be written \(File too large\)", err
    )


def test_told_to_end(files, tmp_path):
    """SIGTERM is as Ctrl-C: one sentence, and the tools that run end too."""
    command = [sys.executable, "-c", "from triodia.cli import main; main()", "build"]
    command += [str(files["model.image"]), "-o", str(tmp_path / "b")]
    told = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert told.stderr.readline().startswith("synthesis (Yosys)")
    while not (tools := psutil.Process(told.pid).children()):
        time.sleep(0.05)
    told.terminate()
    assert told.communicate(timeout=60)[1].splitlines()[-1] == "triodia: interrupted"
    assert told.returncode == 130
    assert psutil.wait_procs(tools, timeout=10)[1] == []
