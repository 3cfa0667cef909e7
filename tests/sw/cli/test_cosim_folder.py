"""``verilog`` and ``cosim --verilog``: one folder written and simulated as it is."""

import shutil
from pathlib import Path

import pytest

from tests.support.commands import call, ok
from tests.support.networks import random_image
from triodia_hw.lock import alone
from triodia_hw.machine.image import save_image

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
IMAGE, SAMPLES = EXAMPLES / "japanese-vowels.image", EXAMPLES / "japanese-vowels.npz"
RUN = ("cosim", IMAGE, "--data", SAMPLES, "--samples", 1)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    from triodia.cli.main import run

    folder = tmp_path_factory.mktemp("export")
    command = ["verilog", str(IMAGE), "-o", str(folder), "--name", "vowels", "--json"]
    assert run(command) == 0
    return folder


@pytest.fixture
def folder(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / "export")
    return tmp_path / "export"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_is_simulated_as_it_is(folder, capsys):
    before = contents(folder)
    result = ok(capsys, *RUN, "--verilog", folder)
    assert result["mismatches"] == 0 and result["words"] > 20
    assert contents(folder) == before  # nothing is left in it


def test_an_edited_file_is_seen(folder, capsys):
    file = folder / "vowels_lane_2_synapses_0.hex"
    text = file.read_text()
    file.write_text(f"{int(text[0], 16) ^ 1:x}{text[1:]}")
    code, _, err = call(capsys, *RUN, "--verilog", folder)
    assert code == 3
    assert "icarus failed (vowels_lane_2_synapses_0.hex is missing, or is not of image 87c88" in err


def test_inline_contents_are_simulated(tmp_path, capsys):
    made = ok(capsys, "verilog", IMAGE, "-o", tmp_path, "--inline")
    assert made["memory_files"] == 0 and not list(tmp_path.glob("triodia_lane*"))
    result = ok(capsys, *RUN, "--verilog", tmp_path)
    assert result["mismatches"] == 0 and result["words"] > 20


def test_a_folder_of_another_network_is_refused(tmp_path, capsys):
    save_image(random_image(1, lanes=1), tmp_path / "m.image")
    ok(capsys, "verilog", tmp_path / "m.image", "-o", tmp_path)
    code, _, err = call(capsys, *RUN, "--verilog", tmp_path)
    assert code == 2
    assert "but the image is 87c8884748545" in err


@pytest.mark.parametrize("interface", ["axi-stream", "axi-lite", "wishbone"])
def test_a_bus_is_refused(interface, tmp_path, capsys):
    ok(capsys, "verilog", IMAGE, "-o", tmp_path, "--interface", interface, "--inline")
    code, _, err = call(capsys, *RUN, "--verilog", tmp_path)
    assert code == 2
    assert "triodia.v has a bus interface; `cosim` needs plain streams." in err


@pytest.mark.parametrize("name", ["missing", "."])
def test_no_verilog_there(name, tmp_path, capsys):
    code, _, err = call(capsys, *RUN, "--verilog", tmp_path / name)
    assert code == 2 and "has no Verilog that `triodia verilog` wrote." in err


def test_a_netlist_excludes_it(tmp_path, capsys):
    code, _, err = call(capsys, *RUN, "--verilog", tmp_path, "--netlist", "ecp5")
    assert code == 2
    assert err == "triodia: `--netlist` and `--verilog` exclude each other; leave one out.\n"


def test_one_at_a_time_in_a_folder(tmp_path, capsys):
    with alone(tmp_path, "co-simulation"):
        code, _, err = call(capsys, *RUN, "-o", tmp_path)
    assert code == 2
    sentence = f"Another co-simulation is using {tmp_path}. Wait until it ends, or name another"
    assert f"triodia: {sentence} folder.\n" in err
    assert not list(tmp_path.iterdir())
    ok(capsys, *RUN, "-o", tmp_path)


def test_one_synthesis_at_a_time_in_a_folder(tmp_path, capsys):
    with alone(tmp_path / "netlist", "co-simulation"):
        code, _, err = call(capsys, *RUN, "-o", tmp_path, "--netlist", "ecp5")
    assert code == 2 and f"Another co-simulation is using {tmp_path}/netlist." in err


@pytest.mark.parametrize("name", ["4x", "a b", "module-1"])
def test_bad_name(name, tmp_path, capsys):
    code, _, err = call(capsys, "verilog", IMAGE, "-o", tmp_path / "new", "--name", name)
    assert code == 2
    assert "The name of a Verilog module must be at most 40 letters" in err and repr(name) in err
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_folder_with_another_reset(tmp_path, capsys):
    how = ("--top-parameters", "reset_polarity=low,reset_kind=async")
    ok(capsys, "verilog", IMAGE, "-o", tmp_path / "low", *how)
    result = ok(capsys, *RUN, "--verilog", tmp_path / "low", "-o", tmp_path / "sim")
    assert result["mismatches"] == 0 and result["spikes"] > 0
