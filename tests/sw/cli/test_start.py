"""The command as a process: interrupted during imports, and without Unicode."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "from triodia.cli.main import main; main()"
INTERRUPT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "{name}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def process(code, *arguments, **environment):
    # What runs in a shell's background ignores Ctrl-C, and so does all that is started there.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    return subprocess.run(
        [sys.executable, "-c", heard + code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "module, command", [("numpy", "tasks"), ("torch", "train"), ("scipy.linalg", "prune")]
)
def test_interrupted_while_it_imports(module, command):
    done = process(INTERRUPT.format(name=module) + START, command)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"triodia: interrupted\n")


def test_interrupted_later():
    """By the command itself, as before."""
    later = "import os, signal, triodia.cli.main as c; c.run = lambda *_: os.kill(os.getpid(), 2);"
    done = process(f"{later} {START}")
    assert done.returncode != 130 and b"KeyboardInterrupt" in done.stderr


def test_interrupts_that_were_ignored_still_are():
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    done = process(ignored + INTERRUPT.format(name="numpy") + START, "tasks")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_terminals_without_unicode(environment):
    done = process(START, "boards", **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2013" in done.stdout and done.stdout.isascii()


def test_names_that_are_no_unicode(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.net"
    arguments = ("new", "--neurons", "4", "-o", name)
    done = process(START, *arguments, PYTHONIOENCODING="utf-8:strict", COLUMNS="300")
    assert (done.returncode, done.stderr) == (0, b"") and os.path.exists(name)


def test_no_command():
    done = process(START)
    assert done.returncode == 2 and b"cosim" in done.stdout and not done.stderr


def test_interrupted_in_a_design(tmp_path):
    """Without care Amaranth would warn of every unused unit."""
    stop = """
from amaranth.hdl import Fragment

def get(*_):
    raise KeyboardInterrupt

Fragment.get = get
"""
    image = Path(__file__).parents[3] / "examples" / "japanese-vowels.image"
    done = process(stop + START, "verilog", image, "-o", tmp_path / "v")
    assert (done.returncode, done.stderr) == (130, b"triodia: interrupted\n")
