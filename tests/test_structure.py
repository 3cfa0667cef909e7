"""Imports run one way, and files stay short."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "triodia_hw": ("hw", set()),
    "triodia_sim": ("sim", {"triodia_hw"}),
    "triodia_boards": ("boards", {"triodia_hw"}),
    "triodia": ("sw", {"triodia_hw", "triodia_sim", "triodia_boards"}),
}
PURE = (
    "capacity",
    "contract",
    "cycles",
    "image",
    "layout",
    "loading",
    "memory",
    "placer",
    "reference",
    "storage",
)


def imported(path):
    """Top-level names of the absolute imports of a file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


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


@pytest.mark.parametrize("module", PURE)
def test_contract_and_reference_import_no_amaranth(module):
    assert "amaranth" not in imported(ROOT / "hw" / "triodia_hw" / f"{module}.py")


def test_files_are_short():
    for folder, _ in PACKAGES.values():
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path
