"""Samples in the terminal, and the example that comes with the project."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.sw.cli.test_commands import HEAVY, without
from triodia.cli.raster import raster

EXAMPLES = Path(__file__).parents[3] / "examples"
IMAGE, SAMPLES = EXAMPLES / "japanese-vowels.image", EXAMPLES / "japanese-vowels.npz"


def test_the_example_is_right_and_small(capsys):
    result = ok(capsys, "infer", IMAGE, SAMPLES)
    assert [row["label"] for row in result["samples"]] == [0, 4, 8]
    assert result["right"] == result["labelled"] == 3
    assert all(row["spikes"] and row["sops"] for row in result["samples"])
    assert IMAGE.stat().st_size < 100_000


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_light_install_is_enough(encoding):
    done = without(HEAVY, "infer", IMAGE, SAMPLES, PYTHONIOENCODING=encoding, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sample 1: class 4, label 4: right" in done.stdout and "3 of 3 right" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert ("⠂" in done.stdout) == (encoding == "utf-8") and "\\u" not in done.stdout


def test_the_example_runs_as_verilog(capsys):
    code, out, _ = call(capsys, "cosim", IMAGE, "--data", SAMPLES)
    assert code == 0 and "words compared, 0 differ" in out and "PASS" in out


def test_samples_without_labels(capsys, tmp_path):
    with np.load(SAMPLES) as file:
        np.savez(tmp_path / "x.npz", x=file["x"])
    code, out, _ = call(capsys, "infer", IMAGE, tmp_path / "x.npz", "--no-raster")
    assert code == 0 and len(out.splitlines()) == 3 and "label" not in out


@pytest.mark.parametrize("unicode, blank", [(True, "\u2800"), (False, " ")])
@pytest.mark.parametrize("steps, neurons", [(1, 1), (5, 3), (29, 128), (1000, 70), (3, 1000)])
def test_rasters_fit(steps, neurons, unicode, blank):
    spikes = np.zeros((steps, neurons), bool)
    spikes[0, 0] = spikes[-1, -1] = True
    lines = raster(spikes, 80, unicode=unicode)
    assert max(map(len, lines)) <= 80 and len(lines) <= 33
    cells = [line.partition("│" if unicode else "|")[2].rstrip() for line in lines[:-1]]
    assert cells[0][0] != blank and cells[-1][-1] != blank
    if (steps, neurons) == (1000, 70):
        spikes[:] = True
        full = "".join(raster(spikes, 80, unicode=unicode)[1:3]).split("│" if unicode else "|")[1]
        assert set(full.strip()[:-1]) == {"⣿" if unicode else ":"}


def test_the_example_can_be_made_again(tmp_path, capsys):
    script = EXAMPLES.parent / "tools" / "make_example.py"
    subprocess.run([sys.executable, script, tmp_path, "--epochs", "2"], check=True)
    result = ok(capsys, "infer", tmp_path / IMAGE.name, tmp_path / SAMPLES.name)
    assert [row["label"] for row in result["samples"]] == [0, 4, 8]
