"""Imports run one way, rooms keep their rules, and files stay short."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "triodia_hw": ("hw", set()),
    "triodia_sim": ("sim", {"triodia_hw"}),
    "triodia_boards": ("boards", {"triodia_hw"}),
    "triodia": ("sw", {"triodia_hw", "triodia_sim", "triodia_boards"}),
    "triodia_studies": ("sw", {"triodia", "triodia_hw", "triodia_sim", "triodia_boards"}),
}
PURE = ("machine", "compile", "cost", "link")  # rooms of triodia_hw that import no amaranth


def imported(path):
    """Top-level names of the absolute imports of a file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


def imports(path):
    """Lines of a file that import something."""
    return [line for line in path.read_text().splitlines() if line.startswith(("import ", "from "))]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package):
    folder, allowed = PACKAGES[package]
    files = list((ROOT / folder / package).rglob("*.py"))
    assert len(files) > 3
    for path in files:
        names = imported(path)
        assert names & set(PACKAGES) <= allowed | {package}, path
        if package == "triodia_hw":
            assert "torch" not in names, path


@pytest.mark.parametrize("room", PURE)
def test_these_rooms_import_no_amaranth_and_no_gateware(room):
    files = list((ROOT / "hw" / "triodia_hw" / room).rglob("*.py"))
    assert len(files) > 3
    for path in files:
        assert "amaranth" not in imported(path), path
        assert not any("gateware" in line for line in imports(path)), path


def test_files_are_short():
    for folder, _ in PACKAGES.values():
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path
