"""The command line: the whole chain on a small network, and its messages."""

import dataclasses
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.support.commands import call, chain_files, ok
from tests.support.networks import random_image
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.prune.pipeline import METHODS
from triodia_boards.flow.report import BuildReport
from triodia_hw.compile.contents import memory_shapes
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import load_image, save_image


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return chain_files(tmp_path_factory.mktemp("chain"))


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
        assert all(re.search(rf"\b{method}\b", text) for method in METHODS)


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
        r"(?s).*triodia: FAIL: [\d,]+ words compared, [\d,]+ differ; the first: sequence 0, step",
        err,
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
    assert np.array_equal(one.head.mask_in, two.head.mask_in) and two.provenance[-2]["keep"]


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
    assert len(list(tmp_path.glob("triodia_lane_*.hex"))) == result["memory_files"]


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


def test_missing_simulator_exits_3(files, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    code, _, err = call(capsys, "cosim", files["model.image"], "--task", "digits")
    assert code == 3
    assert "apt-get install iverilog" in err


def test_as_many_lanes_as_the_machine_takes(files, capsys, tmp_path):
    arguments = ("quantize", files["trained.net"], "-o", tmp_path / "wide.image", "--lanes")
    assert ok(capsys, *arguments, 32)["lanes"] == 32
    code, _, err = call(capsys, *arguments, 33)
    assert code == 2 and "`--lanes` must be a whole number between 1 and 32, got 33." in err


def test_too_many_multipliers(files, capsys, tmp_path):
    """16 lanes with two multipliers each; the 25F has 28."""
    image = tmp_path / "lanes.image"
    ok(capsys, "quantize", files["trained.net"], "-o", image, "--lanes", 16)
    code, _, err = call(capsys, "build", image, "-o", tmp_path / "b", "--board", "ulx3s-25f")
    assert code == 2
    assert "ulx3s-25f has 28 multipliers and the machine needs 32 for 16 lanes" in err


def test_network_that_does_not_fit(files, capsys, tmp_path):
    """A machine with a quarter million synapse words needs more than the 25F's 56 block RAMs."""
    image = tmp_path / "large.image"
    save_image(random_image(1, lanes=4, neurons=512, density=1.0), image)
    code, _, err = call(capsys, "build", image, "-o", tmp_path / "b", "--board", "ulx3s-25f")
    assert code == 2
    assert re.search(r"ulx3s-25f has 56 block RAMs and the machine needs \d+ for 512", err)
    assert "prune further" in err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("command, wanted", [("verilog", 3), ("build", 2)])
def test_a_file_too_large(files, capsys, tmp_path, command, wanted):
    """A full disk, or a limit on file sizes, gives a clear sentence.

    For ``verilog`` Yosys fails first, when it writes the cache of its compiled program.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        code, _, err = call(capsys, command, files["model.image"], "-o", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == wanted
    assert "File too large" in err.splitlines()[-1]
    assert command == "build" or not list(tmp_path.glob("out/*"))


def test_told_to_end(files, tmp_path):
    """SIGTERM acts like Ctrl-C: one sentence, and running tools end too."""
    command = [sys.executable, "-c", "from triodia.cli.main import main; main()", "build"]
    command += [str(files["model.image"]), "-o", str(tmp_path / "b")]
    told = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert told.stderr.readline().startswith("of ulx3s-25f it takes about ")
    assert told.stderr.readline().startswith("synthesis (Yosys)")
    while not (tools := psutil.Process(told.pid).children()):
        time.sleep(0.05)
    told.terminate()
    assert told.communicate(timeout=60)[1].splitlines()[-1] == "triodia: interrupted"
    assert told.returncode == 130
    assert psutil.wait_procs(tools, timeout=10)[1] == []


def test_all_neurons_stay_unless_asked(files, capsys, tmp_path):
    arguments = ("prune", files["dense.net"], "-o", tmp_path / "s.net", "--method", "random")
    for synapses in (1e-5, 0.05, 0.5):
        assert ok(capsys, *arguments, "--synapses", synapses)["neurons"] == 24


def test_no_bitstream_is_promised_where_the_vendor_makes_it(files, capsys, tmp_path, monkeypatch):
    fields = {f.name: 0 for f in dataclasses.fields(BuildReport)} | {"bitstream": None}
    monkeypatch.setattr("triodia.cli.build.build_bitstream", lambda *_, **__: BuildReport(**fields))
    arguments = ("build", files["model.image"], "-o", tmp_path / "b", "--board")
    assert "Vendor project for arty-a7-35" in call(capsys, *arguments, "arty-a7-35")[1]
    monkeypatch.setattr(
        "triodia.cli.build.build_bitstream",
        lambda *_, **__: BuildReport(**(fields | {"bitstream": "a.bit"})),
    )
    assert "Bitstream for ulx3s-25f" in call(capsys, *arguments, "ulx3s-25f")[1]


def test_quantize_finds_the_width_that_keeps_spikes(tmp_path, capsys):
    files = chain_files(tmp_path)
    capsys.readouterr()
    few = ok(capsys, "quantize", files["trained.net"], "-o", tmp_path / "a", "--agree", 0.3)
    many = ok(capsys, "quantize", files["trained.net"], "-o", tmp_path / "b", "--agree", 0.9)
    assert few["spikes_agree"] >= 0.3 and many["spikes_agree"] >= 0.9
    bits = [load_image(tmp_path / name).params.weight_bits for name in "ab"]
    assert 2 <= bits[0] < bits[1] <= 16


def test_without_a_method_prune_takes_the_winner(capsys, tmp_path, monkeypatch):
    """The one that trains where it may, and says what is known where it may not."""
    seen = []

    def stop(net, *, method, **_):
        seen.append(method)
        raise TriodiaError("enough")

    monkeypatch.setattr("triodia.cli.prune.prune_network", stop)
    save_network(new_network(8, 0), tmp_path / "a.net")
    for more in ((), ("--task", "digits")):
        code, _, err = call(capsys, "prune", tmp_path / "a.net", "-o", tmp_path / "b.net", *more)
        assert code == 2 and "enough" in err
        assert ("no method is better everywhere" in err) == (not more)
    assert seen == ["lnp", "iterative-magnitude"]
