"""Fingerprints cover what a stage depends on, and nothing else."""

import importlib
import sys

import pytest

from triodia.lab import evidence, sources, stages
from triodia.lab.sources import closure, fingerprint, modules_used

FILES = {
    "maker.py": """
from . import deep
from .page import colour

def helper(x):
    return deep.double(x)

def _label():
    return colour

@(lambda f: f)
def work(x):
    "Says what it does."
    return helper(x)
""",
    "deep.py": "from .deeper import two\ndef double(x):\n    return two * x\n",
    "deeper.py": "two = 2\n",
    "page.py": "colour = 'red'\n",
    "__init__.py": "",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the project; gives a function that changes a file and fingerprints ``work``."""
    folder = tmp_path / "toy"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "PACKAGES", (*sources.PACKAGES, "toy"))
    for name, text in FILES.items():
        (folder / name).write_text(text)

    def changed(name=None, old="", new=""):
        for function in (sources._path, sources._tree, sources._digest, sources._imports):
            function.cache_clear()
        sources._own.cache_clear()
        text = (folder / name).read_text() if name else ""
        assert old in text
        if name:
            (folder / name).write_text(text.replace(old, new))
        for module in [m for m in sys.modules if m.split(".")[0] == "toy"]:
            del sys.modules[module]
        importlib.invalidate_caches()
        return fingerprint(importlib.import_module("toy.maker").work)

    yield changed
    changed()
    for module in [m for m in sys.modules if m.split(".")[0] == "toy"]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("name", "old", "new", "matters"),
    [
        ("maker.py", "helper(x)\n", "helper(x) + 1\n", True),
        ("maker.py", "deep.double(x)", "deep.double(x) + 1", True),
        ("deep.py", "two * x", "two * x + 1", True),
        ("deeper.py", "2", "3", True),
        ("page.py", "red", "blue", False),  # nothing that ``work`` uses
        ("maker.py", "return colour", "return colour * 2", False),
        ("maker.py", "lambda f: f", "lambda f: f or 1", False),  # a label of the stage
        ("maker.py", "Says what it does.", "Says more.", False),
        ("deep.py", "def double", "# comment\ndef double", False),
    ],
)
def test_what_matters(package, name, old, new, matters):
    before = package()
    assert (package(name, old, new) != before) == matters


def test_stages_do_not_depend_on_pages_or_commands():
    for one in (stages.trained, stages.machine, stages.cosim, stages.routed, evidence.spectra):
        names = closure(modules_used(one.work))
        assert not [n for n in names if n.startswith(("triodia.lab.", "triodia.cli."))], (
            one.name,
            names,
        )
    assert "triodia.train.model" in closure(modules_used(stages.trained.work))
    assert "triodia_hw.gateware.sweep" in closure(modules_used(stages.cosim.work))
    assert "triodia.train.model" not in closure(modules_used(stages.routed.work))


def test_packages_count_by_version():
    found = fingerprint(stages.trained.work)
    assert {"numpy", "torch", "scikit-learn"} <= found.keys() and "amaranth" not in found
    assert "amaranth" in fingerprint(stages.cosim.work)
