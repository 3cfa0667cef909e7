"""The light install in a fresh environment; slow, because it installs packages from the index."""

import subprocess
import sys
from pathlib import Path

import pytest

from triodia.cli.commands import TRIODIA

ROOT = Path(__file__).parents[3]
IMAGE, SAMPLES = (ROOT / "examples" / f"japanese-vowels.{end}" for end in ("image", "npz"))
MEGABYTES = 200


@pytest.fixture(scope="module")
def triodia(tmp_path_factory):
    place = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [place / "bin" / "pip", "install", "-q", "-c", ROOT / "constraints.txt", ROOT]
    subprocess.run(install, check=True)

    def run(*arguments):
        command = [place / "bin" / "triodia", *arguments]
        return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)

    run.place = place
    return run


@pytest.mark.slow
def test_it_is_light(triodia):
    files = (file for file in triodia.place.rglob("*") if file.is_file())
    assert sum(file.lstat().st_size for file in files) < MEGABYTES << 20


@pytest.mark.slow
def test_images_run_and_become_verilog(triodia, tmp_path):
    done = triodia("infer", IMAGE, SAMPLES)
    assert done.returncode == 0 and "3 of 3 right" in done.stdout, done.stderr
    done = triodia("verilog", IMAGE, "-o", tmp_path)
    assert done.returncode == 0 and (tmp_path / "triodia.v").is_file(), done.stderr
    done = triodia("run", IMAGE, "--data", SAMPLES, "--port", tmp_path / "none")
    assert done.returncode == 2 and "none" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in TRIODIA.commands.items() if row.extra])
def test_a_command_names_its_extra(name, triodia):
    done = triodia(name)
    assert done.returncode == 3 and done.stderr.count("\n") == 1
    assert f"pip install 'triodia[{TRIODIA.commands[name].extra}]'" in done.stderr


@pytest.mark.slow
def test_doctor(triodia):
    done = triodia("doctor")
    assert done.returncode == 3 and "pip install 'triodia[train]'" in done.stdout
