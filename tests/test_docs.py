"""The examples of the documentation run."""

import warnings
from pathlib import Path

from tests.support.commands import ok

DOCS = Path(__file__).parent.parent / "docs"


def test_python_api():
    """The example of api.md, with one epoch of training."""
    before = (DOCS / "api.md").read_text().split("\n## ")[0]
    code = "\n".join(line[4:] for line in before.splitlines() if line.startswith("    "))
    assert code.count("seed=0)") == 3 and "train(net, task, seed=0)" in code
    names: dict = {}
    exec(code.replace("train(net, task, seed=0)", "train(net, task, seed=0, epochs=1)"), names)
    assert names["image"].params.lanes == 4 and names["image"].synapses > 2000


def code_of(page, start):
    """Lines of the indented block of a page that begins with ``start``."""
    lines = (DOCS / page).read_text().splitlines()
    first = lines.index(f"    {start}")
    last = next(i for i, line in enumerate(lines[first:], first) if line and line[:4].strip())
    return [line[4:] for line in lines[first:last]]


def test_a_network_of_snntorch(tmp_path, monkeypatch, capsys):
    """The example of network.md, up to a co-simulation of one sample."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nirtorch deprecates what snnTorch uses
        exec("\n".join(code_of("network.md", "import nir, numpy as np, snntorch, torch")), {})
    first = "triodia import-nir net.nir -o net.net --from snntorch"
    commands = [line.split("#")[0].split() for line in code_of("network.md", first) if line]
    assert [c[1] for c in commands] == ["import-nir", "quantize", "cosim", "build", "run"]
    assert ok(capsys, *commands[0][1:])["delay"] == 2
    assert ok(capsys, *commands[1][1:])["samples"] == 100
    compared = ok(capsys, *commands[2][1:], "--samples", 1)
    assert compared["mismatches"] == 0 and compared["spikes"] > 0
