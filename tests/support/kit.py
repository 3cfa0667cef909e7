"""Folders of `triodia verilog` in the hands of tools that know nothing of this project."""

import re
import subprocess
import sys

__all__ = ["TOOLS", "make", "synthesized"]

TOOLS = "/usr/local/bin:/usr/bin:/bin"
FRONT = """\
#!{python}
import sys
from pyosys import libyosys as ys
design = ys.Design()
assert sys.argv[1] == "-p"
for command in sys.argv[2].split(";"):
    ys.run_pass(command.strip(), design)
"""


def make(target, folder, *, path=TOOLS, **variables):
    """Exit code and output of ``make target``, with nothing of ours in the environment."""
    done = subprocess.run(
        ["make", target, *(f"{name}={value}" for name, value in variables.items())],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def synthesized(folder, family, name):
    """Cells by kind that `make synth` maps the machine ``name`` to."""
    front = folder / "yosys"  # pyosys has no command of that name
    front.write_text(FRONT.format(python=sys.executable))
    front.chmod(0o755)
    code, log = make("synth", folder, FAMILY=family, YOSYS="./yosys")
    assert code == 0, log[-2000:]
    counts = log[log.rindex(f"=== {name} ===") :]
    cells = re.findall(r"^ +(\d+) +(\$?\w+)$", counts, re.MULTILINE)
    return {kind: int(count) for count, kind in cells}
