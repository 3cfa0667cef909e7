"""What the documentation tells to run does run."""

from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def test_python_api():
    """The example of the page, with one epoch of training."""
    before = (DOCS / "api.md").read_text().split("\n## ")[0]
    code = "\n".join(line[4:] for line in before.splitlines() if line.startswith("    "))
    assert code.count("seed=0)") == 3 and "train(net, task, seed=0)" in code
    names: dict = {}
    exec(code.replace("train(net, task, seed=0)", "train(net, task, seed=0, epochs=1)"), names)
    assert names["image"].params.lanes == 4 and names["image"].synapses > 2000
